//! The issuer that a statement is for, and which of its condition keys tell whose token it is.

use serde_json::Value;

use super::super::context::{TrustRequest, claim_name};
use super::super::policy::{Condition, Statement};
use super::super::principal::ProviderArn;
use crate::domain::issuer::{IssuerKind, condition_key_prefix};

/// The issuer a statement is for: its own principal's, which may be another than the token's.
#[derive(Clone, Copy)]
pub(super) struct Issuer<'a> {
    pub(super) prefix: &'a str,
    pub(super) kind: IssuerKind,
    /// It is the token's own.
    pub(super) own: bool,
}

impl<'a> Issuer<'a> {
    pub(super) fn of(statement: &'a Statement, request: &TrustRequest<'a>) -> Self {
        let own = condition_key_prefix(request.issuer());
        let providers = statement.principal.iter().flat_map(|p| &p.federated);
        let urls = providers.map(|p| ProviderArn::parse(p).map_or(p.as_str(), |arn| arn.url));
        // A principal that is wrong in its form is a finding of the evaluation, not a reason to doubt every key.
        let other = urls.clone().find(|url| !url.contains("://") && url.contains('.'));
        let everybody = statement.principal.as_ref().is_some_and(|p| p.everybody);
        let prefix = match other {
            Some(other) if !everybody && !urls.clone().any(|url| url == own) => other.trim_end_matches('/'),
            _ => own,
        };
        let subject = match prefix == own {
            true => request.claims.get("sub").and_then(Value::as_str),
            false => None,
        };
        let written = || {
            let conditions = statement.conditions.iter();
            let subjects = conditions.filter(|c| !c.operator.negated && c.key.to_ascii_lowercase().ends_with(":sub"));
            subjects.flat_map(|c| &c.expected).map(|e| e.text.as_str()).next()
        };
        Issuer { prefix, kind: IssuerKind::of(prefix, subject.or_else(written)), own: prefix == own }
    }

    pub(super) fn is_claim(self, condition: &Condition, claim: &str) -> bool {
        claim_name(&condition.key, self.prefix).is_some_and(|name| name.eq_ignore_ascii_case(claim))
    }

    /// Whether the condition's key tells one owner of tokens from another.
    pub(super) fn is_tenancy(self, condition: &Condition) -> bool {
        claim_name(&condition.key, self.prefix)
            .is_some_and(|name| self.kind.tenancy_keys().iter().any(|key| key.eq_ignore_ascii_case(name)))
    }
}
