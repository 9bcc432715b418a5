//! Trust that works and reaches too far: strangers who get in, and what in the policy is unsafe or dead.

use super::{DOCS_KEYS, DOCS_MULTI, DOCS_OPERATORS, DOCS_TRUST};
use crate::cause::{Cause, Certainty, Finding, Severity};
use crate::domain::iam::{Distance, ForeignSubject, PolicyLint, PolicyProblem, ProblemKind, Rule};
use crate::domain::ids::FoundBy;
use crate::domain::issuer::{IssuerKind, retiring};

/// The strangers that the policy lets in, as one finding about the furthest of them.
pub fn strangers(check: FoundBy, found: &[ForeignSubject]) -> Option<Finding> {
    let furthest = found.iter().min_by_key(|stranger| stranger.distance)?;
    let summary = format!("the trust policy also accepts {}", furthest.who);
    let mut finding =
        Finding::new(Cause::TrustTooWide, check, Certainty::Proven, summary).with_severity(reach(furthest));
    finding.actual = Some(furthest.subject.clone());
    for stranger in found {
        finding = finding.with_evidence(format!("it accepts `{}`: {}", stranger.subject, stranger.who));
    }
    finding = finding.with_fix(narrower(furthest));
    finding.docs = DOCS_TRUST.to_owned();
    Some(finding)
}

/// How far a stranger's token reaches.
fn reach(stranger: &ForeignSubject) -> Severity {
    match stranger.distance {
        Distance::Tenant if stranger.is_anybody() => Severity::Critical,
        Distance::Tenant | Distance::Project => Severity::High,
        Distance::PullRequest | Distance::Branch => Severity::Medium,
    }
}

/// What keeps the stranger out.
fn narrower(stranger: &ForeignSubject) -> String {
    let (what, kept_out) = match stranger.distance {
        Distance::Tenant => {
            ("starts with your own organization, whole and with the separator behind it", "that subject")
        }
        Distance::Project => ("names the one repository, project or workspace, whole", "the others of the same owner"),
        Distance::PullRequest => ("ends in the branch or environment that may have the role", "pull requests"),
        Distance::Branch => ("ends in the one branch or tag that may have the role", "the other branches"),
    };
    format!(
        "Make the condition on `sub` one that {what}, without a wildcard there: `{}` must not match, and with it {kept_out}",
        stranger.subject
    )
}

/// What is unsafe or dead in the policy, a finding each.
pub fn smells(check: FoundBy, found: &[PolicyLint]) -> Vec<Finding> {
    found.iter().map(|smell| finding(check, smell)).collect()
}

/// The keys that stand twice, of which one is lost.
pub fn duplicates(check: FoundBy, problems: &[PolicyProblem]) -> Vec<Finding> {
    let twice = problems.iter().filter(|problem| problem.kind == ProblemKind::Duplicate);
    twice
        .map(|problem| {
            let summary = format!("{}: {}", problem.at, problem.what);
            let mut finding = Finding::new(Cause::PolicyDuplicateKey, check, Certainty::Proven, summary)
                .with_severity(Severity::High)
                .with_fix(format!("In {}, {}", problem.at, problem.instead));
            finding.docs = DOCS_MULTI.to_owned();
            finding
        })
        .collect()
}

fn finding(check: FoundBy, smell: &PolicyLint) -> Finding {
    let key = smell.key.as_deref().unwrap_or_default();
    let text = &smell.text;
    let wide = Cause::TrustTooWide;
    let place = format!("Statement[{}]", smell.statement);
    let (cause, summary, fix, docs) = match &smell.rule {
        Rule::SubjectMissing => (
            wide,
            "no condition says whose tokens of the issuer may have the role".to_owned(),
            format!(
                "Write into {place}.Condition: \"StringEquals\": {{\"{key}\": \"{}\"}}, with the subject that `trustline token` shows of a token that may have the role",
                example(key)
            ),
            DOCS_TRUST,
        ),
        Rule::SubjectWide => (
            wide,
            format!("`{text}` fits every subject"),
            format!("Replace `{text}` in {place}.{} by the whole subject, such as `{}`", smell.at, example(key)),
            DOCS_TRUST,
        ),
        Rule::OwnerWithoutSlash => (
            wide,
            format!("`{text}` also fits owners whose names only start like this"),
            format!("Replace `{text}` in {place}.{} by `{}`", smell.at, with_slash(text)),
            DOCS_OPERATORS,
        ),
        Rule::PullRequestTrusted => (
            wide,
            format!("`{text}` gives the role to the runs of pull requests, which their authors control"),
            format!(
                "Replace `{text}` in {place}.{} by `{}`",
                smell.at,
                text.replace(":pull_request", ":ref:refs/heads/main")
            ),
            DOCS_TRUST,
        ),
        Rule::ForAllValues => (
            wide,
            format!("`{text}` in an Allow is true when `{key}` is missing or misspelt"),
            format!("Write `{}` in place of `{text}` in {place}.Condition", text.trim_start_matches("ForAllValues:")),
            DOCS_MULTI,
        ),
        Rule::NegatedTenancy => (
            wide,
            format!("`{text}` on `{key}` names who is kept out and lets everybody else in"),
            format!(
                "Write into {place}.Condition: \"StringEquals\": {{\"{key}\": \"{}\"}}, with the value of whoever may have the role",
                example(key)
            ),
            DOCS_OPERATORS,
        ),
        Rule::IfExistsTenancy => (
            wide,
            format!("`{text}` on `{key}` is true when the key is missing"),
            format!("Write `{}` in place of `{text}` in {place}.Condition", text.trim_end_matches("IfExists")),
            DOCS_OPERATORS,
        ),
        Rule::AudienceUnconstrained => (
            wide,
            "any audience that the provider has registered is accepted, also of tokens made for another service"
                .to_owned(),
            format!(
                "Write into {place}.Condition: \"StringEquals\": {{\"{key}\": \"sts.amazonaws.com\"}}, or the audience that your tokens have"
            ),
            DOCS_TRUST,
        ),
        Rule::PrincipalWide => (
            wide,
            "the principal is not one identity provider".to_owned(),
            format!(
                "Write into {place}: \"Principal\": {{\"Federated\": \"arn:aws:iam::ACCOUNT:oidc-provider/HOST\"}}; `aws iam list-open-id-connect-providers` prints the ARN"
            ),
            DOCS_TRUST,
        ),
        Rule::WildcardUnderEquals => (
            Cause::OperatorWrong,
            format!("`{text}` has a wildcard that its operator takes literally, so `{key}` will never equal it"),
            format!(
                "Write the whole value in {place}.{}; under StringLike the wildcard would let in all that fit",
                smell.at
            ),
            DOCS_OPERATORS,
        ),
        Rule::ImpossibleKey(impossible) => (
            Cause::ConditionKeyWrong,
            format!("no token can have the condition key `{text}`: {}", impossible.why),
            match &impossible.corrected {
                Some(corrected) => format!("Write `{corrected}` in place of `{text}` in {place}.{}", smell.at),
                None => format!("Remove the condition on `{text}` from {place}.{}", smell.at),
            },
            DOCS_KEYS,
        ),
        Rule::IssuerRetiring => {
            let end = retiring(text);
            (
                Cause::IssuerRetiring,
                format!("tokens of `{text}` are made until {} only", end.map_or("an announced day", |end| end.on)),
                end.map_or_else(String::new, |end| end.instead.to_owned()),
                end.map_or(DOCS_TRUST, |end| end.docs),
            )
        }
        Rule::SubjectShape(fault) => (
            Cause::SubMismatch,
            match fault.unless {
                Some(unless) => format!("no token has the subject `{text}`, {unless}: {}", fault.why),
                None => format!("no token has the subject `{text}`: {}", fault.why),
            },
            format!("Write the subject in {place}.{} as its issuer does: {}", smell.at, fault.written),
            DOCS_TRUST,
        ),
        Rule::AnnouncedSubject => (
            Cause::ImmutableSub,
            format!(
                "`{text}` has numbers behind `-`, as GitHub announced its immutable subjects; since 2026-07-15 they come with `@`, so no token has this form unless the names themselves end so"
            ),
            format!("Write the numbers behind `@` in {place}.{}, as `trustline token` shows of a token", smell.at),
            DOCS_TRUST,
        ),
        Rule::Placeholder => (
            by_place(smell),
            format!("the placeholder `{text}` was never filled in"),
            format!("Put the real value in place of `{text}` in {place}.{}", smell.at),
            DOCS_TRUST,
        ),
        Rule::Homoglyph => (
            by_place(smell),
            format!("`{text}` has a character that only looks like an ASCII one"),
            format!("Type the value in {place}.{} again, in ASCII", smell.at),
            DOCS_TRUST,
        ),
        Rule::Invisible => (
            by_place(smell),
            format!("`{text}` has a character that cannot be seen"),
            format!("Type the value in {place}.{} again, in ASCII", smell.at),
            DOCS_TRUST,
        ),
    };
    let certainty = match &smell.rule {
        Rule::SubjectShape(fault) if fault.unless.is_some() => Certainty::Likely,
        _ => Certainty::Proven,
    };
    let mut finding = Finding::new(cause, check, certainty, summary)
        .with_severity(severity(&smell.rule))
        .with_evidence(format!("{place}.{}", smell.at))
        .with_fix(fix);
    finding.docs = docs.to_owned();
    finding
}

/// A value such as the key's issuer gives, to be replaced by the own one.
fn example(key: &str) -> &'static str {
    let (url, claim) = key.rsplit_once(':').unwrap_or_default();
    match (IssuerKind::of(url, None), claim) {
        (IssuerKind::GithubActions | IssuerKind::GithubEnterpriseServer, "sub") => {
            "repo:OWNER/REPOSITORY:ref:refs/heads/main"
        }
        (IssuerKind::GitlabCom | IssuerKind::GitlabSelfManaged, "sub") => {
            "project_path:GROUP/PROJECT:ref_type:branch:ref:main"
        }
        (IssuerKind::CircleCi, "sub") => "org/ORGANIZATION-ID/project/PROJECT-ID/user/USER-ID",
        (IssuerKind::TerraformCloud, "sub") => {
            "organization:ORGANIZATION:project:PROJECT:workspace:WORKSPACE:run_phase:apply"
        }
        (IssuerKind::Eks | IssuerKind::Kubernetes, "sub") => "system:serviceaccount:NAMESPACE:SERVICE-ACCOUNT",
        (_, "sub") => "SUBJECT",
        _ => "VALUE",
    }
}

/// The pattern with the owner's name ended by a slash.
fn with_slash(pattern: &str) -> String {
    match pattern.find(['*', '?']) {
        Some(wild) => format!("{}/{}", &pattern[..wild], &pattern[wild..]),
        None => pattern.to_owned(),
    }
}

fn severity(rule: &Rule) -> Severity {
    match rule {
        Rule::SubjectMissing | Rule::SubjectWide | Rule::NegatedTenancy | Rule::PrincipalWide => Severity::Critical,
        Rule::OwnerWithoutSlash => Severity::High,
        Rule::PullRequestTrusted | Rule::ForAllValues | Rule::IfExistsTenancy | Rule::AudienceUnconstrained => {
            Severity::Medium
        }
        Rule::IssuerRetiring
        | Rule::AnnouncedSubject
        | Rule::SubjectShape(_)
        | Rule::WildcardUnderEquals
        | Rule::ImpossibleKey(_)
        | Rule::Placeholder
        | Rule::Homoglyph
        | Rule::Invisible => Severity::Low,
    }
}

/// The cause that a damaged text has where it stands.
fn by_place(smell: &PolicyLint) -> Cause {
    match smell.key.as_deref() {
        None => Cause::PrincipalArnWrong,
        Some(key) if key.contains(smell.text.as_str()) => Cause::ConditionKeyWrong,
        Some(key) if key.ends_with(":aud") => Cause::AudMismatch,
        Some(key) if key.ends_with(":sub") => Cause::SubMismatch,
        Some(_) => Cause::ClaimMismatch,
    }
}
