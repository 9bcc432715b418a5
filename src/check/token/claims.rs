//! `token.claims`: issuer, audience and subject against what the profile expects, byte for byte.

use serde_json::{Value, json};

use super::problem::{self, Tally};
use crate::cause::{Cause, Certainty, Finding};
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::iam::Truth;
use crate::domain::iam::pattern::{Effort, like, like_ignoring_case};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::profile::expected::{self, PredictedClaims};
use crate::domain::roles_claim::{ROLES_CLAIM, RolesClaim};
use crate::domain::text_difference::{TextDifference, text_difference};
use crate::domain::token::{DecodedToken, TokenKind};

const ID: CheckId = CheckId::TokenClaims;

/// Its claims are what the cloud expects.
pub const CHECK: Check = Check {
    id: ID,
    title: "claims are what the cloud expects",
    docs: "https://openid.net/specs/openid-connect-core-1_0.html#IDToken",
    link: Link::Token,
    needs: &[CheckId::TokenPresent],
    rules_out: &[Cause::WrongTokenKind, Cause::AudMultiWithoutAzp],
    step: |_| Some(Step::Token),
    traffic: Traffic::None,
    waits: Waits::IfRefused,
    facts: shown_claims,
    verdict: claims,
    reproduction: Reproduction::JudgedHere,
};

/// The audience a Kubernetes API server gives tokens that nobody asked another one for.
const KUBERNETES_AUDIENCES: [&str; 3] =
    ["https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local", "kubernetes.default.svc"];

/// What a token's claims have to be. `None` is not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectations {
    pub cloud: Cloud,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    /// Of CI systems a pattern: `*` stands for anything.
    pub subject: Option<String>,
    /// The role that will be asked for.
    pub role_arn: Option<String>,
}

impl Expectations {
    /// What `profile` says.
    pub fn of(profile: &Profile) -> Self {
        let cloud = profile.guide.cloud();
        // A role that is assumed with an access key expects no token.
        let subject = if profile.guide.is_aws_access_key() { None } else { expected::subject(profile) };
        Expectations {
            cloud,
            issuer: profile.issuer_url.clone(),
            audience: expected::audience(profile),
            subject,
            role_arn: profile.aws.role_arn.as_ref().map(ToString::to_string),
        }
    }

    /// Nothing but the rules of AWS STS.
    pub fn none() -> Self {
        Expectations { cloud: Cloud::Aws, issuer: None, audience: None, subject: None, role_arn: None }
    }
}

/// The claims that the profile makes expected, in a sentence.
fn told(predicted: &PredictedClaims) -> String {
    let claim = |name: &str| predicted.claims.get(name).and_then(Value::as_str).unwrap_or_default();
    format!(
        "predicted: no token was read; one of {} has `iss` = `{}`, `sub` = `{}`, `aud` = `{}`",
        predicted.issuer,
        claim("iss"),
        predicted.subject(),
        claim("aud")
    )
}

/// Are the claims what the cloud expects?
fn claims(facts: &Facts, profile: &Profile) -> Verdict {
    match facts.token.as_ref().and_then(|fact| fact.token()) {
        Some(token) => judge(token, &Expectations::of(profile)),
        None => match facts.predicted_claims() {
            Some(predicted) => Verdict::skipped(told(predicted)),
            None => Verdict::skipped("there is no token"),
        },
    }
}

/// As the check judges them, for a caller that has no profile.
pub fn claims_against(facts: &Facts, expectations: &Expectations) -> Verdict {
    match facts.token.as_ref().and_then(|fact| fact.token()) {
        Some(token) => judge(token, expectations),
        None => Verdict::skipped("there is no token"),
    }
}

fn shown_claims(facts: &Facts) -> Option<Value> {
    if let Some(claims) = facts.claims() {
        return Some(json!({ "claims": claims }));
    }
    let mut shown = as_json(facts.predicted_claims())?;
    shown.as_object_mut()?.insert("predicted".to_owned(), true.into());
    Some(shown)
}

fn judge(token: &DecodedToken, expected: &Expectations) -> Verdict {
    if token.claims.is_none() {
        return Verdict::inconclusive("the claims cannot be read", Vec::new());
    }
    let mut tally = Tally::default();
    if let (Some(expected_issuer), Some(actual)) = (&expected.issuer, token.issuer()) {
        issuer(expected_issuer, actual, expected.cloud, &mut tally);
    }
    if let Some(audience_expected) = &expected.audience {
        audience(audience_expected, token, expected.cloud, &mut tally);
    }
    if let (Some(expected_subject), Some(actual)) = (&expected.subject, token.subject()) {
        subject(expected_subject, actual, &mut tally);
    }
    if let (Some(role), Cloud::Aws) = (&expected.role_arn, expected.cloud) {
        roles_claim(role, token, &mut tally);
    }
    for judged in token.problems.iter().filter_map(|problem| problem::judge(problem, token, expected.cloud)) {
        if judged.check == ID {
            tally.add(judged.weight, judged.finding);
        }
    }
    kind(token, &mut tally);
    tally.verdict()
}

fn finding(cause: Cause, certainty: Certainty, summary: impl Into<String>) -> Finding {
    Finding::new(cause, ID, certainty, summary)
}

fn explained(finding: Finding, miss: Option<TextDifference>) -> Finding {
    match miss {
        Some(miss) => finding.with_evidence(miss.to_string()),
        None => finding,
    }
}

fn issuer(expected: &str, actual: &str, cloud: Cloud, tally: &mut Tally) {
    if expected == actual {
        return;
    }
    // The profile may be the one that is wrong, so this is never proven from here.
    let cause = match cloud {
        Cloud::Aws => Cause::ProviderMissing,
        Cloud::Azure | Cloud::Gcp => Cause::IssMismatch,
    };
    let miss = text_difference(expected, actual);
    let (summary, fix) = match miss {
        Some(_) => (
            "the token's issuer is written otherwise than the profile has it, and every character counts".to_owned(),
            "Write the issuer as its own discovery document has it, in the profile, the cloud and the platform alike."
                .to_owned(),
        ),
        None => (
            "the token is of another issuer than the profile trusts".to_owned(),
            format!(
                "Take a token of {expected}. Do not register {actual}: anybody with a token of it could then ask for the role."
            ),
        ),
    };
    let found = finding(cause, Certainty::Likely, summary).with_difference(expected, actual).with_fix(fix);
    tally.fails(explained(found, miss));
}

fn audience(expected: &str, token: &DecodedToken, cloud: Cloud, tally: &mut Tally) {
    let audiences = token.audiences();
    // AWS takes `azp` in place of `aud` wherever it is present.
    let (name, actual): (&str, Vec<&str>) = match (cloud, token.azp()) {
        (Cloud::Aws, Some(azp)) => ("azp", vec![azp]),
        _ => ("aud", audiences),
    };
    // Google takes a provider's name as a URL, too.
    let is_same = |audience: &&str| {
        *audience == expected || cloud == Cloud::Gcp && audience.strip_prefix("https:") == Some(expected)
    };
    if actual.is_empty() || actual.iter().any(is_same) {
        return;
    }
    let cause = match cloud {
        Cloud::Aws => Cause::AudNotRegistered,
        Cloud::Azure | Cloud::Gcp => Cause::AudMismatch,
    };
    let summary = format!("the token is for another audience than the expected one (`{name}`)");
    let shown = actual.join(", ");
    let mut found = finding(cause, Certainty::Likely, summary).with_difference(expected, shown);
    if let [only] = actual.as_slice() {
        found = explained(found, text_difference(expected, only));
    }
    if name == "azp" {
        found = found.with_evidence("the token has `azp`, which AWS takes in place of `aud`");
    }
    if actual.iter().any(|audience| KUBERNETES_AUDIENCES.contains(audience)) {
        found = found.with_command(
            "Ask for the token with the audience.",
            format!("kubectl create token SERVICE_ACCOUNT --audience {expected}"),
        );
    }
    // A provider may list other audiences, which a profile need not know.
    if cloud == Cloud::Gcp && expected.starts_with("//iam.") {
        tally.warns(found);
    } else {
        tally.fails(found);
    }
}

fn subject(expected: &str, actual: &str, tally: &mut Tally) {
    if expected == actual {
        return;
    }
    if expected.contains('*') {
        return pattern(expected, actual, tally);
    }
    let miss = text_difference(expected, actual);
    let (cause, summary) = match miss {
        Some(TextDifference::LetterCase) => {
            (Cause::SubCaseMismatch, "the token's `sub` differs from what the profile says in letter case")
        }
        _ => (Cause::SubMismatch, "the token's `sub` is not what the profile says"),
    };
    tally.fails(explained(finding(cause, Certainty::Likely, summary).with_difference(expected, actual), miss));
}

/// The subject of a job, whose parts may be left open.
fn pattern(expected: &str, actual: &str, tally: &mut Tally) {
    let effort = Effort::full();
    if like(expected, actual, &effort) == Truth::True {
        return;
    }
    let (cause, summary) = match like_ignoring_case(expected, actual, &effort) {
        Truth::True => (Cause::SubCaseMismatch, "the token's `sub` differs from what the profile says in letter case"),
        _ => (Cause::SubMismatch, "the token's `sub` is not what the profile says"),
    };
    tally.fails(finding(cause, Certainty::Likely, summary).with_difference(expected, actual));
}

/// A token that lists roles may assume those only, and STS checks that before the trust policy.
fn roles_claim(role: &str, token: &DecodedToken, tally: &mut Tally) {
    let Some(claims) = &token.claims else { return };
    let claim = RolesClaim::of(claims);
    let listed = match &claim {
        _ if claim.admits(role) => return,
        RolesClaim::Listed(roles) => roles.join(", "),
        _ => String::new(),
    };
    let summary = format!("the token lists the roles it may assume (`{ROLES_CLAIM}`), and this role is not among them");
    let actual = if listed.is_empty() { "no role".to_owned() } else { listed };
    tally.fails(finding(Cause::RolesClaim, Certainty::Proven, summary).with_difference(role, actual));
}

fn kind(token: &DecodedToken, tally: &mut Tally) {
    let id_token = "an ID token";
    match &token.kind {
        // Each cloud has a rule of its own on the type, or none: `token.shape` tells it.
        TokenKind::Access { .. } if has_type_of_access_token(token) => {}
        TokenKind::Access { because } => tally.warns(
            finding(Cause::WrongTokenKind, Certainty::Possible, format!("it looks like an access token: {because}"))
                .with_difference(id_token, "an access token"),
        ),
        TokenKind::Refresh { because } => tally.fails(
            finding(Cause::WrongTokenKind, Certainty::Likely, format!("it looks like a refresh token: {because}"))
                .with_difference(id_token, "a refresh token"),
        ),
        // The form tells these, in `token.shape`.
        TokenKind::Identity
        | TokenKind::Encrypted
        | TokenKind::LegacyServiceAccount
        | TokenKind::Opaque { .. }
        | TokenKind::Unknown => {}
    }
}

/// Whether the header says so (RFC 9068).
fn has_type_of_access_token(token: &DecodedToken) -> bool {
    let typ = token.header.as_ref().and_then(|header| header.get("typ")).and_then(Value::as_str);
    typ.is_some_and(|typ| ["at+jwt", "application/at+jwt"].iter().any(|known| known.eq_ignore_ascii_case(typ)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::Outcome;

    fn expectations(cloud: Cloud) -> Expectations {
        Expectations {
            cloud,
            issuer: Some("https://app.example.com".into()),
            audience: Some("sts.amazonaws.com".into()),
            subject: Some("organization:5f1c".into()),
            role_arn: Some("arn:aws:iam::123456789012:role/r".into()),
        }
    }

    fn judged(changes: &[(&str, Value)], cloud: Cloud) -> (Outcome, Vec<Cause>, Verdict) {
        let mut claims = json!({
            "iss": "https://app.example.com", "sub": "organization:5f1c", "aud": "sts.amazonaws.com", "iat": 1, "exp": 2
        });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        let token = DecodedToken { claims: claims.as_object().cloned(), ..DecodedToken::default() };
        let verdict = judge(&token, &expectations(cloud));
        (verdict.outcome, verdict.findings.iter().map(|f| f.cause).collect(), verdict)
    }

    #[test]
    fn claims_against_expectations() {
        use Cause::*;
        let aws = Cloud::Aws;
        for (changes, cloud, causes) in [
            (vec![], aws, vec![]),
            (vec![("iss", json!("https://app.example.com/"))], aws, vec![ProviderMissing]),
            (vec![("iss", json!("https://app.example.com/"))], Cloud::Azure, vec![IssMismatch]),
            (vec![("aud", json!("other"))], aws, vec![AudNotRegistered]),
            (vec![("aud", json!(["sts.amazonaws.com"]))], aws, vec![]),
            (vec![("aud", json!("other"))], Cloud::Azure, vec![AudMismatch]),
            (vec![("azp", json!("other"))], aws, vec![AudNotRegistered]),
            (vec![("azp", json!("other"))], Cloud::Azure, vec![]),
            (vec![("azp", json!("sts.amazonaws.com")), ("aud", json!(["x", "y"]))], aws, vec![]),
            (vec![("sub", json!("organization:5F1C"))], aws, vec![SubCaseMismatch]),
            (vec![("sub", json!("organization:9999"))], aws, vec![SubMismatch]),
            (vec![(ROLES_CLAIM, json!(["arn:aws:iam::123456789012:role/other"]))], aws, vec![RolesClaim]),
            (vec![(ROLES_CLAIM, json!("arn:x;arn:aws:iam::123456789012:role/r"))], aws, vec![]),
        ] {
            let (outcome, found, _) = judged(&changes, cloud);
            assert_eq!(found, causes, "{changes:?}");
            assert_eq!(outcome, if causes.is_empty() { Outcome::Pass } else { Outcome::Fail }, "{changes:?}");
        }
    }

    #[test]
    fn a_near_miss_is_explained() {
        let (_, _, verdict) = judged(&[("iss", json!("https://app.example.com/"))], Cloud::Aws);
        let finding = &verdict.findings[0];
        assert_eq!(finding.actual.as_deref(), Some("https://app.example.com/"));
        assert!(finding.evidence[0].contains("a slash at the end"), "{finding:?}");
        let (_, _, verdict) = judged(&[("aud", json!(["https://kubernetes.default.svc"]))], Cloud::Aws);
        assert!(verdict.findings[0].fixes[0].command.as_ref().unwrap().contains("--audience sts.amazonaws.com"));
    }

    #[test]
    fn an_access_token_is_a_warning() {
        let token = DecodedToken {
            claims: json!({"iss": "https://app.example.com", "sub": "organization:5f1c", "aud": "sts.amazonaws.com"})
                .as_object()
                .cloned(),
            kind: TokenKind::Access { because: "its `typ` claim is `Bearer`".into() },
            ..DecodedToken::default()
        };
        let verdict = judge(&token, &expectations(Cloud::Aws));
        assert_eq!((verdict.outcome, verdict.findings[0].cause), (Outcome::Warn, Cause::WrongTokenKind));
        // No rule of AWS's is known on the header's type, and `token.shape` knows Entra's.
        let by_type = DecodedToken { header: json!({"typ": "at+JWT"}).as_object().cloned(), ..token };
        assert_eq!(judge(&by_type, &expectations(Cloud::Aws)).outcome, Outcome::Pass);
    }
}
