//! What is unsafe or dead in a trust policy, whether or not it lets the token at hand in.

use serde_json::Value;
use strum::IntoStaticStr;

use super::context::{NEVER_WITH_WEB_IDENTITY, TrustRequest, WEB_IDENTITY, claim_name};
use super::decide::covers_action;
use super::key::{ImpossibleKey, impossible};
use super::open_text::is_open;
use super::operator::{Comparison, Quantifier};
use super::pattern::Effort;
use super::policy::ProviderArn;
use super::policy::{Condition, Effect, Policy, Statement};
use super::subject_shape::{ShapeFault, Written, shape_fault};
use super::truth::Truth;
use crate::domain::issuer::{IssuerKind, condition_key_prefix, is_announced_github_form, retiring};
use crate::domain::text::as_ascii;
use crate::domain::text::is_unsafe;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Rule {
    /// Nothing in the statement says whose tokens of the issuer are meant.
    SubjectMissing,
    /// The subject condition fits every subject.
    SubjectWide,
    /// `repo:ORG*`: owners whose names only start with ORG fit too.
    OwnerWithoutSlash,
    /// Runs of pull requests are trusted by name.
    PullRequestTrusted,
    /// `ForAllValues` in an Allow is true where the key is absent.
    ForAllValues,
    /// A negated operator on the key that should tell whose token it is.
    NegatedTenancy,
    /// `IfExists` on the key that should tell whose token it is.
    IfExistsTenancy,
    /// `*` or `?` under an operator that takes them literally.
    WildcardUnderEquals,
    /// A key that no token can bring.
    ImpossibleKey(ImpossibleKey),
    /// Any audience of the issuer's tokens is taken.
    AudienceUnconstrained,
    /// Every identity provider, or everybody, is trusted.
    PrincipalWide,
    /// The issuer that the statement trusts makes no more tokens after an announced day.
    IssuerRetiring,
    /// Subjects that no token of the issuer has, and no other is named.
    SubjectShape(ShapeFault),
    /// GitHub's immutable subject as it was announced, which no token has.
    AnnouncedSubject,
    /// A placeholder was never filled in.
    Placeholder,
    /// A character looks like another.
    Homoglyph,
    /// A character cannot be seen.
    Invisible,
}

impl Rule {
    /// A name that stays, for what is kept between runs.
    pub fn id(&self) -> &'static str {
        self.into()
    }
}

/// One thing that is unsafe or dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLint {
    pub rule: Rule,
    /// The statement's place in the policy, from 0.
    pub statement: usize,
    /// Where in the statement, such as `Condition.StringLike`.
    pub at: String,
    /// The condition key it is about, where it is about one.
    pub key: Option<String>,
    /// The text it is about, as the document has it.
    pub text: String,
}

/// Looks over every statement. `request` tells the issuer, and so which keys and subjects are possible.
pub fn lint(policy: &Policy, request: &TrustRequest<'_>) -> Vec<PolicyLint> {
    let mut smells = Vec::new();
    for (index, statement) in policy.statements.iter().enumerate() {
        let mut lint =
            StatementLint { issuer: Issuer::of(statement, request), index, statement, request, smells: &mut smells };
        lint.texts();
        let effort = Effort::full();
        let exchanges = covers_action(&statement.action, WEB_IDENTITY, &effort) == Truth::True;
        if exchanges {
            lint.conditions();
        }
        if exchanges && statement.effect == Effect::Allow {
            lint.retiring();
            lint.tenancy();
        }
    }
    smells
}

struct StatementLint<'a, 's> {
    issuer: Issuer<'a>,
    index: usize,
    statement: &'a Statement,
    request: &'a TrustRequest<'a>,
    smells: &'s mut Vec<PolicyLint>,
}

impl<'a> StatementLint<'a, '_> {
    fn push(&mut self, rule: Rule, at: &str, key: Option<&str>, text: &str) {
        // A statement that is wrong throughout is described well enough by the first of its faults.
        if self.smells.len() < 64 {
            let (at, key, text) = (at.to_owned(), key.map(str::to_owned), text.to_owned());
            self.smells.push(PolicyLint { rule, statement: self.index, at, key, text });
        }
    }

    /// Placeholders, look-alikes and invisible characters, wherever they are.
    fn texts(&mut self) {
        let statement = self.statement;
        for provider in statement.principal.iter().flat_map(|p| &p.federated) {
            self.text("Principal.Federated", None, provider);
            let account = ProviderArn::parse(provider).map(|arn| arn.account);
            let unfilled = account.filter(|a| a.len() != 12 || !a.bytes().all(|b| b.is_ascii_digit()));
            if let Some(account) = unfilled
                && placeholder(provider).is_none()
            {
                self.push(Rule::Placeholder, "Principal.Federated", None, account);
            }
        }
        for condition in &statement.conditions {
            let at = format!("Condition.{}", condition.operator_name);
            self.text(&at, Some(&condition.key), &condition.key);
            for expected in condition.expected.iter().take(64) {
                self.text(&at, Some(&condition.key), &expected.text);
            }
        }
    }

    fn text(&mut self, at: &str, key: Option<&str>, text: &str) {
        if let Some(found) = placeholder(text) {
            self.push(Rule::Placeholder, at, key, found);
        }
        // Blanks around a value are part of it, and nobody sees them.
        if text.chars().any(is_unsafe) || text.trim() != text {
            self.push(Rule::Invisible, at, key, text);
        } else if as_ascii(text).is_some() {
            self.push(Rule::Homoglyph, at, key, text);
        }
    }

    /// Keys that no token has, and operators that take wildcards literally.
    fn conditions(&mut self) {
        let statement = self.statement;
        for condition in &statement.conditions {
            let at = format!("Condition.{}", condition.operator_name);
            if let Some(key) = self.impossible(condition) {
                self.push(Rule::ImpossibleKey(key), &at, Some(&condition.key), &condition.key);
                continue;
            }
            let literal =
                matches!(condition.operator.comparison, Comparison::StringEquals | Comparison::StringEqualsIgnoreCase);
            let wild = condition.expected.iter().find(|e| e.text.contains(['*', '?']) && !e.has_variables);
            if let (true, Some(expected)) = (literal, wild) {
                self.push(Rule::WildcardUnderEquals, &at, Some(&condition.key), &expected.text);
            } else if let Some((text, fault)) = self.misshapen(condition) {
                self.push(Rule::SubjectShape(fault), &at, Some(&condition.key), text);
            }
        }
    }

    /// The first subject of a condition whose subjects no token has, none of them.
    fn misshapen<'c>(&self, condition: &'c Condition) -> Option<(&'c str, ShapeFault)> {
        let operator = condition.operator;
        if operator.negated || operator.if_exists || !self.issuer.is_claim(condition, "sub") {
            return None;
        }
        let written = |text: &'c str| match operator.comparison {
            Comparison::StringLike => Some(Written::pattern(text)),
            Comparison::StringEquals => Some(Written::literal(text)),
            _ => None,
        };
        let fault = |text: &'c str| shape_fault(self.issuer.kind, self.issuer.prefix, written(text)?);
        let first = condition.expected.first().map(|expected| expected.text.as_str())?;
        let of_first = fault(first)?;
        condition.expected.iter().all(|expected| fault(&expected.text).is_some()).then_some((first, of_first))
    }

    fn impossible(&self, condition: &Condition) -> Option<ImpossibleKey> {
        if condition.operator.comparison == Comparison::Null {
            return None;
        }
        // A deny that asks for a signed caller's key is a usual guard that names no token.
        let name = condition.key.strip_prefix("aws:");
        let guard = name.is_some_and(|n| NEVER_WITH_WEB_IDENTITY.iter().any(|known| known.eq_ignore_ascii_case(n)));
        if guard && self.statement.effect == Effect::Deny {
            return None;
        }
        let empty = serde_json::Map::new();
        let claims = if self.issuer.own { self.request.claims } else { &empty };
        impossible(&condition.key, self.issuer.prefix, self.issuer.kind, claims)
    }
}

/// The issuer a statement is for: its own principal's, which may be another than the token's.
#[derive(Clone, Copy)]
struct Issuer<'a> {
    prefix: &'a str,
    kind: IssuerKind,
    /// It is the token's own.
    own: bool,
}

impl<'a> Issuer<'a> {
    fn of(statement: &'a Statement, request: &TrustRequest<'a>) -> Self {
        let own = condition_key_prefix(request.issuer());
        let providers = statement.principal.iter().flat_map(|p| &p.federated);
        let urls = providers.map(|p| ProviderArn::parse(p).map_or(p.as_str(), |arn| arn.url));
        // A principal that is wrong in its form is a finding of the evaluation, not a reason to doubt every key.
        let other = urls.clone().find(|url| !url.contains("://") && url.contains('.'));
        let everybody = statement.principal.as_ref().is_some_and(|p| p.everybody);
        // Of some issuers the slash at the end is a part; then it is in the keys, too.
        let has_slash = |url: &str| statement.conditions.iter().any(|c| claim_name(&c.key, url).is_some());
        let prefix = match other {
            Some(other) if !everybody && !urls.clone().any(|url| url == own) => match has_slash(other) {
                true => other,
                false => other.trim_end_matches('/'),
            },
            _ if own.is_empty() => named_by_a_key(statement),
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

    fn is_claim(self, condition: &Condition, claim: &str) -> bool {
        claim_name(&condition.key, self.prefix).is_some_and(|name| name.eq_ignore_ascii_case(claim))
    }

    /// Whether the condition's key tells one owner of tokens from another: a claim that does, or a tag of the session, which a
    /// web identity has from its token alone.
    fn is_tenancy(self, condition: &Condition) -> bool {
        const TAG: &str = "aws:RequestTag/";
        if condition.key.get(..TAG.len()).is_some_and(|start| start.eq_ignore_ascii_case(TAG)) {
            return true;
        }
        claim_name(&condition.key, self.prefix)
            .is_some_and(|name| self.kind.tenancy_keys().iter().any(|key| key.eq_ignore_ascii_case(name)))
    }
}

/// The issuer whose tokens alone have the statement's keys, where the principal names none and no token is at hand.
fn named_by_a_key(statement: &Statement) -> &str {
    let keys = statement.conditions.iter().filter_map(|condition| condition.key.rsplit_once(':'));
    let mut hosts = keys.map(|(host, _)| host).filter(|host| host.contains('.'));
    hosts.next().unwrap_or_default()
}

impl StatementLint<'_, '_> {
    fn retiring(&mut self) {
        let statement = self.statement;
        let providers = statement.principal.iter().flat_map(|p| &p.federated);
        let mut urls = providers.filter_map(|provider| ProviderArn::parse(provider)).map(|arn| arn.url);
        if let Some(url) = urls.find(|url| retiring(url).is_some()) {
            self.push(Rule::IssuerRetiring, "Principal.Federated", None, url);
        }
    }

    /// Whether the statement says whose tokens it takes.
    fn tenancy(&mut self) {
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
        if !audience && !own_audience && !wide_principal(statement) && !has_open_key(statement) {
            let key = format!("{}:aud", issuer.prefix);
            self.push(Rule::AudienceUnconstrained, "Condition", Some(&key), "");
        }
    }

    /// No condition holds strangers out: says why those that look like it do not.
    fn loose_tenancy(&mut self) {
        let (statement, issuer) = (self.statement, self.issuer);
        let mut tenancies = statement.conditions.iter().filter(|c| issuer.is_tenancy(c)).peekable();
        if tenancies.peek().is_none() && !has_open_key(statement) {
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
                } else if github && is_announced_github_form(text) {
                    Rule::AnnouncedSubject
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

/// Whether the code leaves a condition's key open, which may be any.
fn has_open_key(statement: &Statement) -> bool {
    statement.conditions.iter().any(|condition| is_open(&condition.key))
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

/// The first part of `text` that a person was to replace: `<…>`, `{…}`, or a shell variable's `${NAME}`.
pub fn placeholder(text: &str) -> Option<&str> {
    if let Some(start) = text.find('<')
        && let Some(length) = text[start..].find('>')
        && length > 1
    {
        return Some(&text[start..=start + length]);
    }
    let mut from = 0;
    while let Some(found) = text[from..].find('{') {
        let start = from + found;
        let end = start + text[start..].find('}')?;
        let inside = &text[start + 1..end];
        let variable = start > 0 && text.as_bytes()[start - 1] == b'$';
        // Every variable of IAM has a colon in its key, or is an escaped sign.
        let is_iam = variable && (inside.contains(':') || matches!(inside, "*" | "?" | "$"));
        // Bitbucket's own ids stand in braces.
        let is_uuid = inside.len() == 36 && inside.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if !is_iam && !is_uuid && !inside.is_empty() {
            return Some(&text[start - usize::from(variable)..=end]);
        }
        from = end + 1;
    }
    None
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod placeholder_tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_variables() {
        for (text, found) in [
            ("<ORG>", Some("<ORG>")),
            ("a{tenantId}b", Some("{tenantId}")),
            ("${AWS_ACCOUNT_ID}", Some("${AWS_ACCOUNT_ID}")),
            ("${aws:username}", None),
            ("${*}", None),
            ("${aws:username}{x}", Some("{x}")),
            ("{7f3e81c4-1111-4222-8333-9d20c1a09a1c}:*", None),
            ("a < b", None),
            ("{", None),
            ("é{é}é", Some("{é}")),
        ] {
            assert_eq!(placeholder(text), found, "{text}");
        }
    }
}
