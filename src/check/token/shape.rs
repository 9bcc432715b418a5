//! `token.shape`: three parts of base64url JSON, an accepted algorithm, and every required claim of the right type.

use super::problem::{self, Tally};
use crate::cause::{Cause, Certainty, Finding};
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::relying_party::{Acceptance, Basis, Presented, RelyingParty};
use crate::domain::token::{DecodedToken, TokenKind};

const ID: CheckId = CheckId::TokenShape;

/// Is it well formed?
fn shape(facts: &Facts, profile: &Profile) -> Verdict {
    match facts.token.as_ref().and_then(|fact| fact.token()) {
        Some(token) => judge(token, profile.guide.cloud()),
        None => Verdict::skipped("there is no token"),
    }
}

/// It is well formed.
pub const CHECK: Check = Check {
    id: ID,
    title: "token is well formed",
    docs: "https://openid.net/specs/openid-connect-core-1_0.html#IDToken",
    link: Link::Token,
    needs: &[CheckId::TokenPresent],
    rules_out: &[Cause::MalformedToken],
    step: |_| Some(Step::Token),
    traffic: Traffic::None,
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.token.as_ref()),
    verdict: shape,
    reproduction: Reproduction::JudgedHere,
};

fn judge(token: &DecodedToken, cloud: Cloud) -> Verdict {
    let mut tally = Tally::default();
    if token.kind == TokenKind::LegacyServiceAccount {
        let summary = "a Kubernetes service account token of the old sort, without expiry and audience";
        tally.fails(
            Finding::new(Cause::WrongTokenKind, ID, Certainty::Proven, summary)
                .with_difference("a projected service account token", "iss `kubernetes/serviceaccount`"),
        );
    }
    for judged in token.problems.iter().filter_map(|problem| problem::judge(problem, token, cloud)) {
        if judged.check == ID {
            tally.add(judged.weight, judged.finding);
        }
    }
    if let Some(finding) = refusal(token, cloud).filter(|finding| !tally.has(finding.cause)) {
        tally.fails(finding);
    }
    tally.verdict()
}

/// What the cloud's own rules refuse of the header and of the issuer's form, and no problem of the token tells.
fn refusal(token: &DecodedToken, cloud: Cloud) -> Option<Finding> {
    let presented = Presented { allows_this_machine: true, ..Presented::token(token) };
    let verdict = RelyingParty::of(cloud)?.judge(&presented);
    let cause = verdict.cause.filter(|cause| RULED_HERE.contains(cause))?;
    // What nobody signed is told as such.
    let is_unsigned = token.alg().is_none_or(|alg| alg.eq_ignore_ascii_case("none"));
    if verdict.verdict != Acceptance::Refuse || (cause == Cause::AlgUnsupported && is_unsigned) {
        return None;
    }
    let certainty = if verdict.rests_on == Basis::Measured { Certainty::Proven } else { Certainty::Likely };
    let finding = Finding::new(cause, ID, certainty, format!("{} refuses it: {}", verdict.name, verdict.why));
    Some(match verdict.error {
        Some(code) => finding.with_evidence(format!("the cloud answers {code}")),
        None => finding,
    })
}

/// What a cloud's rules on a token's form lead to.
const RULED_HERE: &[Cause] = &[Cause::AlgUnsupported, Cause::TokenTypeUnfit, Cause::IssuerUrlUnfit];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::domain::token::{RawToken, decode};

    fn part(json: &str) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json)
    }

    const HEADER: &str = r#"{"alg":"RS256","kid":"k"}"#;
    const CLAIMS: &str = r#"{"iss":"https://i.example","sub":"s","aud":"a","iat":100,"exp":200}"#;

    fn judged(text: &str, cloud: Cloud) -> (Outcome, Vec<Cause>) {
        let verdict = judge(&decode(&RawToken::clean(text).0), cloud);
        (verdict.outcome, verdict.findings.iter().map(|finding| finding.cause).collect())
    }

    #[test]
    fn forms() {
        use Cause::*;
        let (h, c) = (part(HEADER), part(CLAIMS));
        for (text, outcome, cause) in [
            (format!("{h}.{c}.c2ln"), Outcome::Pass, None),
            (format!("{h}.{c}"), Outcome::Fail, Some(MalformedToken)),
            (h.clone(), Outcome::Fail, Some(MalformedToken)),
            ("ghs_1234567890abcdef".to_owned(), Outcome::Fail, Some(WrongTokenKind)),
            (format!("{h}.a.b.c.d"), Outcome::Fail, Some(WrongTokenKind)),
            (format!("{h}=.{c}.c2ln"), Outcome::Fail, Some(MalformedToken)),
            (format!("{h}.{c}."), Outcome::Fail, Some(MalformedToken)),
            (format!("{}.{c}.", part(r#"{"alg":"none"}"#)), Outcome::Fail, Some(MalformedToken)),
            (format!("{}.{c}.c2ln", part(r#"{"alg":"HS256","kid":"k"}"#)), Outcome::Fail, Some(AlgUnsupported)),
            (
                format!("{}.{c}.c2ln", part(r#"{"alg":"RS256","kid":"k","jku":"x"}"#)),
                Outcome::Warn,
                Some(MalformedToken),
            ),
            (
                format!("{}.{c}.c2ln", part(r#"{"alg":"RS256","kid":"k","crit":[]}"#)),
                Outcome::Fail,
                Some(MalformedToken),
            ),
        ] {
            assert_eq!(judged(&text, Cloud::Aws), (outcome, Vec::from_iter(cause)), "{text}");
        }
    }

    /// The cloud's rules are the ones of [`RelyingParty`]; an issuer on this machine is somebody's own stack.
    #[test]
    fn each_cloud_has_rules_of_its_own() {
        use Cause::*;
        for (header, issuer, aws, azure) in [
            (r#"{"alg":"RS256","kid":"k","typ":"JWT"}"#, "https://i.example", None, None),
            (r#"{"alg":"RS512","kid":"k"}"#, "https://i.example", None, Some(AlgUnsupported)),
            (r#"{"alg":"ES256","kid":"k"}"#, "https://i.example", None, Some(AlgUnsupported)),
            (r#"{"alg":"RS256","kid":"k","typ":"at+jwt"}"#, "https://i.example", None, Some(TokenTypeUnfit)),
            (r#"{"alg":"RS256","kid":"k"}"#, "http://i.example", Some(IssuerUrlUnfit), Some(IssuerUrlUnfit)),
            (r#"{"alg":"RS256","kid":"k"}"#, "https://i.example:8443", Some(IssuerUrlUnfit), None),
            (r#"{"alg":"RS256","kid":"k"}"#, "http://127.0.0.1:8080", None, None),
        ] {
            let claims = CLAIMS.replace("https://i.example", issuer);
            let text = format!("{}.{}.c2ln", part(header), part(&claims));
            for (cloud, cause) in [(Cloud::Aws, aws), (Cloud::Azure, azure)] {
                let outcome = if cause.is_some() { Outcome::Fail } else { Outcome::Pass };
                assert_eq!(judged(&text, cloud), (outcome, Vec::from_iter(cause)), "{cloud} {header} {issuer}");
            }
        }
    }

    #[test]
    fn what_is_a_handle_is_no_token_and_what_may_be_a_damaged_one_is_left_open() {
        let certainty = |text: &str| judge(&decode(&RawToken::clean(text).0), Cloud::Aws).findings[0].certainty;
        assert_eq!(certainty("ghs_1234567890abcdef"), Certainty::Proven);
        assert_eq!(certainty("3f2c9d0e-opaque-handle"), Certainty::Proven);
        assert_eq!(certainty("<html></html>"), Certainty::Likely);
        let encoded_twice = part(&format!("{}.{}.c2ln", part(HEADER), part(CLAIMS)));
        assert_eq!(certainty(&encoded_twice), Certainty::Likely);
    }

    #[test]
    fn claims_of_the_wrong_type_weigh_as_sts_weighs_them() {
        for (from, to, outcome) in [
            (r#""iat":100,"#, "", Outcome::Fail),
            (r#""exp":200"#, r#""exp":"200""#, Outcome::Warn),
            (r#""exp":200"#, r#""exp":200.5"#, Outcome::Fail),
            (r#""exp":200"#, r#""exp":null"#, Outcome::Fail),
            (r#""sub":"s""#, r#""sub":7"#, Outcome::Warn),
            (r#""sub":"s""#, r#""sub":"""#, Outcome::Warn),
            (r#""sub":"s""#, r#""sub":null"#, Outcome::Fail),
            (r#""aud":"a""#, r#""aud":[]"#, Outcome::Fail),
        ] {
            let claims = CLAIMS.replace(from, to);
            let text = format!("{}.{}.c2ln", part(HEADER), part(&claims));
            assert_eq!(judged(&text, Cloud::Aws), (outcome, vec![Cause::MalformedToken]), "{claims}");
        }
    }

    #[test]
    fn a_legacy_service_account_token_is_named_first() {
        let text = format!("{}.{}.c2ln", part(HEADER), part(r#"{"iss":"kubernetes/serviceaccount","sub":"s"}"#));
        assert_eq!(judged(&text, Cloud::Aws).1[0], Cause::WrongTokenKind);
    }
}
