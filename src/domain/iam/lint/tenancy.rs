//! Whether a statement says whose tokens it takes: the owner, the subject and the audience.

use super::super::operator::{Comparison, Quantifier};
use super::super::policy::{Condition, Statement};
use super::{Rule, StatementLint};
use crate::domain::issuer::IssuerKind;

impl StatementLint<'_, '_> {
    /// Whether the statement says whose tokens it takes.
    pub(super) fn tenancy(&mut self) {
        let (statement, issuer) = (self.statement, self.issuer);
        if statement
            .principal
            .as_ref()
            .is_some_and(|p| p.everybody || p.negated || p.federated.iter().any(|f| f == "*"))
        {
            self.push(Rule::PrincipalWide, "Principal", None, "*");
        }
        for condition in statement.conditions.iter().filter(|c| c.operator.quantifier == Some(Quantifier::ForAllValues))
        {
            if !requires_presence(statement, &condition.key) {
                let at = format!("Condition.{}", condition.operator_name);
                self.push(Rule::ForAllValues, &at, Some(&condition.key), &condition.operator_name);
            }
        }
        let firm = statement.conditions.iter().any(|c| issuer.is_tenancy(c) && is_firm(statement, c));
        if !firm {
            self.loose_tenancy();
        }
        self.subjects();
        let audience = statement
            .conditions
            .iter()
            .any(|c| (issuer.is_claim(c, "aud") || issuer.is_claim(c, "oaud")) && is_firm(statement, c));
        // Where the default audience is the tenant or the instance itself, the provider's client ids say enough.
        let own_audience = matches!(
            issuer.kind,
            IssuerKind::CircleCi | IssuerKind::GitlabCom | IssuerKind::GitlabSelfManaged | IssuerKind::Cognito
        );
        if !audience && !own_audience && !wide_principal(statement) {
            let key = format!("{}:aud", issuer.prefix);
            self.push(Rule::AudienceUnconstrained, "Condition", Some(&key), "");
        }
    }

    /// No condition holds strangers out: says why those that look like it do not.
    fn loose_tenancy(&mut self) {
        let (statement, issuer) = (self.statement, self.issuer);
        let mut tenancies = statement.conditions.iter().filter(|c| issuer.is_tenancy(c)).peekable();
        if tenancies.peek().is_none() {
            let key = format!("{}:sub", issuer.prefix);
            self.push(Rule::SubjectMissing, "Condition", Some(&key), "");
        }
        for condition in tenancies {
            let operator = condition.operator;
            let rule = if operator.quantifier == Some(Quantifier::ForAllValues) {
                continue; // Told of every key.
            } else if operator.negated {
                Rule::NegatedTenancy
            } else if operator.if_exists {
                Rule::IfExistsTenancy
            } else {
                continue; // A subject that fits everything is told with the subjects.
            };
            let at = format!("Condition.{}", condition.operator_name);
            self.push(rule, &at, Some(&condition.key), &condition.operator_name);
        }
    }

    fn subjects(&mut self) {
        let issuer = self.issuer;
        let github = matches!(issuer.kind, IssuerKind::GithubActions | IssuerKind::GithubEnterpriseServer);
        let statement = self.statement;
        for condition in statement.conditions.iter().filter(|c| issuer.is_claim(c, "sub") && !c.operator.negated) {
            let at = format!("Condition.{}", condition.operator_name);
            for expected in condition.expected.iter().take(64) {
                let text = &expected.text;
                let wild = condition.operator.has_wildcards();
                let rule = if wild && is_universal(text) {
                    Rule::SubjectWide
                } else if wild && github && owner_without_slash(text) {
                    Rule::OwnerWithoutSlash
                } else if github && text.ends_with(":pull_request") {
                    Rule::PullRequestTrusted
                } else {
                    continue;
                };
                self.push(rule, &at, Some(&condition.key), text);
            }
        }
    }
}

/// Whether the condition fails for a token without the key, and for some token with it.
fn is_firm(statement: &Statement, condition: &Condition) -> bool {
    let operator = condition.operator;
    let comparable = !matches!(operator.comparison, Comparison::Null | Comparison::Unrecognised);
    let present = requires_presence(statement, &condition.key);
    let strict = !operator.if_exists && operator.quantifier != Some(Quantifier::ForAllValues) || present;
    let narrow = !operator.has_wildcards() || !condition.expected.iter().any(|e| is_universal(&e.text));
    comparable && !operator.negated && strict && narrow
}

/// Whether `Null: false` asks for the key.
fn requires_presence(statement: &Statement, key: &str) -> bool {
    statement.conditions.iter().any(|c| {
        c.operator.comparison == Comparison::Null
            && c.key.eq_ignore_ascii_case(key)
            && c.expected.iter().all(|e| e.text.eq_ignore_ascii_case("false"))
    })
}

fn wide_principal(statement: &Statement) -> bool {
    statement.principal.as_ref().is_some_and(|p| p.everybody)
}

/// Nothing but wildcards, colons and the fixed words of a subject's grammar.
fn is_universal(pattern: &str) -> bool {
    let rest = pattern
        .trim_start_matches("repo:")
        .trim_start_matches("project_path:")
        .trim_start_matches("organization:")
        .trim_start_matches("system:serviceaccount:")
        .trim_start_matches("org/");
    rest.contains('*') && rest.chars().all(|c| matches!(c, '*' | '?' | ':' | '/'))
}

/// `repo:ORG*`: the wildcard comes before the slash that would end the owner's name.
fn owner_without_slash(pattern: &str) -> bool {
    let Some(path) = pattern.strip_prefix("repo:") else { return false };
    let Some(wild) = path.find(['*', '?']) else { return false };
    // `ORG@*/…` is the form with ids: no name holds an `@`.
    wild > 0 && !path[..wild].contains(['/', '@'])
}
