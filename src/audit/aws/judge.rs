//! One role's trust, judged: who gets in, what is dead, what ends.

use serde_json::{Map, Value};

use super::provider::{Providers, Registration};
use super::role::{ManagedPolicies, RoleTrust};
use crate::audit::{AdmittedSubject, AuditFinding, Place};
use crate::cause::{Cause, Certainty, Finding, Severity, trust};
use crate::domain::arn::Arn;
use crate::domain::iam::{
    Admitted, BUILT_IN_PROVIDERS, Decision, Effect, ForeignSubject, Policy, PolicyLint, ProviderArn, Rule, Statement,
    TrustRequest, WEB_IDENTITY, action_covers, decide_trust, lint, named_tokens, strangers_of_statement,
};
use crate::domain::ids::{Finder, FoundBy};
use crate::domain::issuer::IssuerKind;

/// The name that findings carry in place of a check's.
const CHECK: FoundBy = FoundBy::Command(Finder::Audit);
const DOCS_TRUST: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html";
const DOCS_PROVIDER: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html";
const DOCS_LOGIC: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html";
const DOCS_RECYCLABLE: &str = "https://docs.github.com/actions/reference/security/oidc";

/// Judges the trust of one role by what is known of its account.
pub fn judge(role: &RoleTrust<'_>, managed: &ManagedPolicies, providers: &Providers) -> Vec<AuditFinding> {
    let policy = &role.policy;
    let smells = lint(policy, &TrustRequest::new(&Map::new(), ""));
    let mut found: Vec<AuditFinding> = trust::duplicates(CHECK, &policy.problems)
        .into_iter()
        .map(|finding| {
            let mark = format!("duplicate {}", finding.summary);
            role.place.finding(finding, &mark)
        })
        .collect();
    for (index, statement) in policy.statements.iter().enumerate() {
        let own: Vec<&PolicyLint> = smells.iter().filter(|smell| smell.statement == index).collect();
        let judged = Judged { role, statement, index, smells: &own, providers };
        found.extend(judged.findings());
    }
    let gets_in = |finding: &AuditFinding| !finding.admits.is_empty() || finding.severity <= Severity::Medium;
    if found.iter().any(gets_in) {
        let reaches = role.reaches(managed);
        found.iter_mut().filter(|finding| gets_in(finding)).for_each(|finding| finding.reaches.clone_from(&reaches));
    }
    found
}

/// One statement of a role's trust.
struct Judged<'a> {
    role: &'a RoleTrust<'a>,
    statement: &'a Statement,
    index: usize,
    smells: &'a [&'a PolicyLint],
    providers: &'a Providers,
}

impl Judged<'_> {
    fn findings(&self) -> Vec<AuditFinding> {
        if !is_about_tokens(self.statement) {
            return Vec::new();
        }
        let mut found = Vec::new();
        if !action_covers(&self.statement.action, WEB_IDENTITY) {
            found.extend(self.other_action());
            return found;
        }
        let dead = self.dead();
        if self.statement.effect == Effect::Allow {
            // Of subjects that no token has, those that fit them show nothing.
            let has_no_subject = self.smells.iter().any(|smell| matches!(smell.rule, Rule::SubjectShape(_)));
            let wide = if has_no_subject { None } else { self.wide(dead.is_empty()) };
            // Names that may be taken over one day are a small matter where strangers get in today.
            if dead.is_empty() && wide.is_none() {
                found.extend(self.recyclable());
            }
            found.extend(wide);
            found.extend(self.rest());
            found.extend(self.registration());
            found.extend(self.denied());
        }
        found.extend(dead);
        found
    }

    /// A statement keeps its mark when others are put before it, where it has a name.
    fn mark(&self, what: &str) -> String {
        match &self.statement.sid {
            Some(sid) if !sid.is_empty() => format!("{sid} {what}"),
            _ => format!("{} {what}", self.index),
        }
    }

    fn place(&self) -> String {
        format!("Statement[{}]", self.index)
    }

    fn make(&self, finding: Finding, what: &str) -> AuditFinding {
        self.role.place.finding(finding, &self.mark(what))
    }

    /// Tokens of an identity provider are trusted, with an action that takes none.
    fn other_action(&self) -> Option<AuditFinding> {
        let is_meant = self.statement.effect == Effect::Allow && !is_everybody(self.statement);
        is_meant.then(|| {
            let actions = self.statement.action.patterns.join(", ");
            let summary = format!("{} trusts an identity provider with {actions}, which takes no token", self.place());
            let mut finding = Finding::new(Cause::ActionMissing, CHECK, Certainty::Proven, summary)
                .with_severity(Severity::Low)
                .with_fix(format!(
                    "Write \"Action\": \"{WEB_IDENTITY}\" into {}, or remove the statement",
                    self.place()
                ));
            finding.docs = DOCS_TRUST.to_owned();
            self.make(finding, "action")
        })
    }

    /// Who gets in beside those who are named, as one finding.
    fn wide(&self, is_alive: bool) -> Option<AuditFinding> {
        let admitted = strangers_of_statement(&self.role.policy, self.statement);
        let strangers: Vec<ForeignSubject> = admitted.iter().map(|(stranger, _)| stranger.clone()).collect();
        let proof = trust::strangers(CHECK, &strangers);
        let rules = self.smells.iter().filter(|smell| tells_who_gets_in(&smell.rule)).copied();
        let mut told: Vec<Finding> =
            rules.flat_map(|smell| trust::smells(CHECK, std::slice::from_ref(smell))).collect();
        told.sort_by_key(|finding| finding.severity);
        if proof.is_none() && !is_alive {
            return None;
        }
        let mut parts = told.into_iter().chain(proof);
        let mut first = parts.next()?;
        for part in parts {
            first.severity = first.severity.min(part.severity);
            first.evidence.push(part.summary);
            first.evidence.extend(part.evidence);
            first.fixes.extend(part.fixes);
        }
        // Who gets in stands in the finding itself.
        first
            .evidence
            .retain(|fact| !strangers.iter().any(|stranger| fact.contains(&format!("`{}`", stranger.subject))));
        first.evidence.dedup();
        let mut finding = self.make(first, "who gets in");
        finding.admits = admitted.into_iter().map(subject).collect();
        Some(finding)
    }

    /// Weaknesses that let nobody in by themselves.
    fn rest(&self) -> Vec<AuditFinding> {
        let is_open = self.smells.iter().any(|smell| smell.rule == Rule::SubjectMissing);
        let rules = self.smells.iter().filter(|smell| match smell.rule {
            Rule::AudienceUnconstrained => !is_open,
            Rule::IssuerRetiring => true,
            _ => false,
        });
        rules.flat_map(|smell| self.made(smell)).collect()
    }

    /// Principals and conditions that no token meets, a finding for each cause.
    fn dead(&self) -> Vec<AuditFinding> {
        if let Some(principal) = self.principal() {
            // What the keys should be follows from the principal.
            return vec![principal];
        }
        let mut found: Vec<AuditFinding> = Vec::new();
        for smell in self.smells.iter().filter(|smell| keeps_everybody_out(&smell.rule)) {
            let Some(finding) = self.made(smell) else { continue };
            match found.iter_mut().find(|known| known.cause == finding.cause) {
                Some(known) => {
                    known.evidence.push(finding.summary);
                    known.fixes.extend(finding.fixes);
                }
                None => found.push(finding),
            }
        }
        found
    }

    /// A principal that is no identity provider's ARN. One that is not filled in yet is told as that.
    fn principal(&self) -> Option<AuditFinding> {
        if self.smells.iter().any(|smell| smell.at.starts_with("Principal")) {
            return None;
        }
        let mut federated = self.statement.principal.iter().flat_map(|principal| &principal.federated);
        let wrong = federated.find(|provider| match ProviderArn::parse(provider) {
            Some(arn) => arn.url.is_empty() || arn.url.contains("://"),
            None => {
                let is_other = provider.contains(":saml-provider/") || provider.as_str() == "*";
                !is_other && !BUILT_IN_PROVIDERS.contains(&provider.as_str())
            }
        })?;
        let summary =
            format!("{}: `{wrong}` is the ARN of no identity provider, so no token is taken for it", self.place());
        let mut finding = Finding::new(Cause::PrincipalArnWrong, CHECK, Certainty::Proven, summary)
            .with_severity(Severity::Low)
            .with_fix(format!(
                "Write arn:aws:iam::ACCOUNT:oidc-provider/HOST into {}.Principal.Federated, with the host and path of the issuer and without https://",
                self.place()
            ));
        finding.docs = DOCS_PROVIDER.to_owned();
        Some(self.make(finding, wrong))
    }

    fn made(&self, smell: &PolicyLint) -> Option<AuditFinding> {
        let finding = trust::smells(CHECK, std::slice::from_ref(smell)).pop()?;
        let key = smell.key.as_deref().unwrap_or_default();
        Some(self.make(finding, &format!("{} {key}", smell.rule.id())))
    }

    /// Whether the provider is the account's, is there, and takes the audience.
    fn registration(&self) -> Vec<AuditFinding> {
        let federated = self.statement.principal.iter().flat_map(|principal| &principal.federated);
        federated.filter_map(|provider| self.registration_of(provider)).collect()
    }

    fn registration_of(&self, provider: &str) -> Option<AuditFinding> {
        let arn = ProviderArn::parse(provider)?;
        let account = self.role.account.as_deref();
        let is_account = arn.account.len() == 12 && arn.account.bytes().all(|byte| byte.is_ascii_digit());
        let partition = Arn::parse(&self.role.place.resource).map(|role| role.partition);
        let (cause, certainty, summary, fix) = if let Some(partition) = partition.filter(|own| *own != arn.partition) {
            (
                Cause::WrongPartition,
                Certainty::Proven,
                format!("the provider {provider} is of the partition {}, and the role of {partition}", arn.partition),
                format!("Write arn:{partition}: at the beginning of the ARN in {}.Principal.Federated", self.place()),
            )
        } else if let Some(account) = account.filter(|own| is_account && *own != arn.account) {
            (
                Cause::WrongAccount,
                Certainty::Proven,
                format!(
                    "the provider {provider} is of account {}, and the role of {account}: STS takes the role's own alone",
                    arn.account
                ),
                format!(
                    "Write arn:aws:iam::{account}:oidc-provider/{} into {}.Principal.Federated",
                    arn.url,
                    self.place()
                ),
            )
        } else if self.providers.registration(provider) == Registration::Missing {
            (
                Cause::ProviderMissing,
                Certainty::Proven,
                format!("no identity provider {provider} is among those of the account"),
                format!(
                    "Register it with `aws iam create-open-id-connect-provider`, or correct the ARN in {}",
                    self.place()
                ),
            )
        } else {
            let registered = self.providers.of_url(arn.url).filter(|known| !known.audiences.is_empty())?;
            let wanted = self.audiences(arn.url);
            if wanted.is_empty() || wanted.iter().any(|audience| registered.audiences.contains(*audience)) {
                return None;
            }
            (
                Cause::AudNotRegistered,
                Certainty::Proven,
                format!("the provider of {} does not take the audience `{}`", arn.url, wanted.join("`, `")),
                format!(
                    "Add it with `aws iam add-client-id-to-open-id-connect-provider`, or ask in {} for one that is registered",
                    self.place()
                ),
            )
        };
        let mut finding = Finding::new(cause, CHECK, certainty, summary).with_severity(Severity::Low).with_fix(fix);
        finding.docs = DOCS_PROVIDER.to_owned();
        Some(self.make(finding, provider))
    }

    /// The audiences that a condition asks for literally.
    fn audiences(&self, url: &str) -> Vec<&str> {
        let key = format!("{url}:aud");
        let conditions = self.statement.conditions.iter();
        let exact =
            conditions.filter(|c| !c.operator.negated && !c.operator.if_exists && c.key.eq_ignore_ascii_case(&key));
        let values = exact.flat_map(|condition| &condition.expected).map(|expected| expected.text.as_str());
        values.filter(|text| !text.contains(['*', '?', '$'])).collect()
    }

    /// Whether everybody whom the statement names is denied by another.
    fn denied(&self) -> Option<AuditFinding> {
        let policy = &self.role.policy;
        let deny = policy.statements.iter().position(|statement| statement.effect == Effect::Deny)?;
        let alone = Policy { statements: vec![self.statement.clone()], ..policy.clone() };
        let tokens = named_tokens(policy, self.statement);
        let decision = |policy: &Policy, (claims, provider): &(Map<String, Value>, &str)| {
            decide_trust(policy, &TrustRequest::new(claims, provider))
        };
        let mut let_in = tokens.iter().filter(|token| decision(&alone, token) == Decision::Allow).peekable();
        let_in.peek()?;
        if !let_in.all(|token| decision(policy, token) == Decision::Deny) {
            return None;
        }
        let summary = format!("a Deny keeps out everybody whom {} lets in", self.place());
        let mut finding = Finding::new(Cause::TrustDead, CHECK, Certainty::Likely, summary)
            .with_severity(Severity::Low)
            .with_evidence(format!("Statement[{deny}] denies"))
            .with_fix(format!("Narrow the condition of Statement[{deny}], or remove the statement that is not meant"));
        finding.docs = DOCS_LOGIC.to_owned();
        Some(self.make(finding, "denied"))
    }

    /// A GitHub subject by names alone, with nothing beside it that another owner of the names has not.
    fn recyclable(&self) -> Option<AuditFinding> {
        let conditions = || self.statement.conditions.iter().filter(|condition| !condition.operator.negated);
        let by_id = conditions().any(|c| c.key.to_ascii_lowercase().ends_with("_id"));
        let mut subjects =
            conditions().filter(|c| c.key.to_ascii_lowercase().ends_with(":sub")).flat_map(|c| &c.expected);
        let named = subjects.find(|expected| {
            let text = &expected.text;
            let repository = text.strip_prefix("repo:").and_then(|rest| rest.split(':').next());
            repository.is_some_and(|repository| !repository.contains(['@', '*', '?', '$']))
        })?;
        let mut federated = self.statement.principal.iter().flat_map(|principal| &principal.federated);
        let is_github = federated.any(|provider| {
            ProviderArn::parse(provider).is_some_and(|arn| IssuerKind::of(arn.url, None) == IssuerKind::GithubActions)
        });
        (is_github && !by_id).then(|| {
            let summary = format!("`{}` names owner and repository without their ids, and names can be taken over", named.text);
            let mut finding = Finding::new(Cause::SubjectRecyclable, CHECK, Certainty::Likely, summary)
                .with_severity(Severity::Low)
                .with_fix("Trust the subject with ids (repo:OWNER@ID/REPOSITORY@ID:…) once the repository's tokens have it, or add a condition on repository_id");
            finding.docs = DOCS_RECYCLABLE.to_owned();
            self.make(finding, "recyclable")
        })
    }
}

/// A provider that no role trusts.
pub fn unused_provider(place: &Place) -> AuditFinding {
    let summary = format!("no role that was read trusts the provider {}", place.resource);
    let mut finding = Finding::new(Cause::TrustDead, CHECK, Certainty::Likely, summary)
        .with_severity(Severity::Low)
        .with_fix("Remove it with `aws iam delete-open-id-connect-provider` if nobody needs it");
    finding.docs = DOCS_PROVIDER.to_owned();
    place.finding(finding, "unused")
}

fn subject((stranger, claims): Admitted) -> AdmittedSubject {
    AdmittedSubject { subject: stranger.subject, why: stranger.who, claims }
}

/// Whether a statement is about whoever comes with a token.
fn is_about_tokens(statement: &Statement) -> bool {
    let federated = statement.principal.iter().flat_map(|principal| &principal.federated);
    federated.clone().any(|provider| !provider.contains(":saml-provider/"))
        || is_everybody(statement) && action_covers(&statement.action, WEB_IDENTITY)
}

fn is_everybody(statement: &Statement) -> bool {
    statement.principal.as_ref().is_some_and(|principal| principal.everybody || principal.negated)
}

fn tells_who_gets_in(rule: &Rule) -> bool {
    matches!(
        rule,
        Rule::SubjectMissing
            | Rule::SubjectWide
            | Rule::OwnerWithoutSlash
            | Rule::PullRequestTrusted
            | Rule::ForAllValues
            | Rule::NegatedTenancy
            | Rule::IfExistsTenancy
            | Rule::PrincipalWide
    )
}

fn keeps_everybody_out(rule: &Rule) -> bool {
    matches!(
        rule,
        Rule::WildcardUnderEquals
            | Rule::ImpossibleKey(_)
            | Rule::AnnouncedSubject
            | Rule::SubjectShape(_)
            | Rule::Placeholder
            | Rule::Homoglyph
            | Rule::Invisible
    )
}
