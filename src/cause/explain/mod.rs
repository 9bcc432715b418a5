//! From an error text to ranked causes: what the text says, which causes give it, and what would decide.
//!
//! The text is stripped of its wrapping, scanned once for the phrases of `rules`, and the rules that fire
//! are ranked by the chain of trust: the first link that broke, not the last symptom.

mod authorization;
mod clean;
mod client;
mod cloudtrail;
mod context;
mod parsed;
mod redact;
mod refine;
mod requests;
mod rule;
mod rules;
mod scan;

use std::borrow::Cow;

use serde::Serialize;

pub use client::PrintedBy;
pub use context::{ExplainContext, RuledOut, Trust};
pub use parsed::Parsed;

use super::{Cause, Certainty, Finding, catalogue};
use crate::domain::client::Client;
use crate::domain::exchange::Exchange;
use crate::domain::guide::{Guide, Workload};
use crate::domain::ids::Cloud;
use crate::domain::issuer::Description;
use crate::domain::roles_claim::is_role_arn;
use clean::Clean;
use cloudtrail::Events;
use refine::Ordered;
use requests::Requests;
use rule::{RankedCause, certainty};
use scan::{Fired, Scan};

/// No text yields more causes than this: a longer list helps nobody.
pub const MOST_CAUSES: usize = 12;
/// How evidence begins that quotes the text.
pub const QUOTE: &str = "the text says: ";

/// What an error text comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The cloud that spoke, where that can be seen.
    pub cloud: Option<Cloud>,
    /// The code the cloud gave, such as `InvalidIdentityToken` or `AADSTS700213`.
    pub code: Option<String>,
    pub parsed: Parsed,
    /// The guide whose steps fit, as far as that can be seen.
    pub guide: Option<&'static str>,
    /// The client that printed the text, where it is known by its words.
    pub client: Option<PrintedBy>,
    /// The causes, the root first; none where the client has swallowed the answer.
    pub causes: Vec<Finding>,
    /// What the text would allow, and what else was given excludes.
    pub ruled_out: Vec<RuledOut>,
    /// What to bring so that fewer remain, the most telling first.
    pub decide: Vec<String>,
}

/// A cause that an answer of a cloud may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// What may be wrong.
    pub cause: Cause,
    /// How far the answer alone carries.
    pub certainty: Certainty,
}

/// Explains an error text in any wrapping, sharpened by what else is given.
///
/// ```
/// use trustline::cause::Cause;
/// use trustline::cause::explain::{ExplainContext, explain};
///
/// let text = "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: \
///             Incorrect token audience";
/// let explanation = explain(text, &ExplainContext::default());
/// assert_eq!(explanation.causes[0].cause, Cause::AudNotRegistered);
/// ```
pub fn explain(text: &str, given: &ExplainContext<'_>) -> Explanation {
    let denials = authorization::as_denials(text);
    let text = denials.as_deref().unwrap_or(text);
    let events = Events::read(text);
    let requests = match &events {
        Some(events) => events.requests(),
        None => Requests::of_lines(text),
    };
    let told = events.as_ref().map_or(text, |events| &events.text);
    let answered = requests.as_ref().and_then(Requests::answer).filter(|_| !told.contains("AccessDenied"));
    let told = answered.map_or(Cow::Borrowed(told), |answer| Cow::Owned(format!("{told}\n{answer}")));
    let clean = redact::redact(clean::clean(&told));
    let scan = scan::scan(&clean.text);
    let ranked = scan.ranked(&clean.text);
    let (mut parsed, code) = parsed::parse(&clean, ranked.first().copied(), &scan.entra_codes);
    if let Some(events) = &events {
        events.complete(&mut parsed);
    }
    let platform = Description::of_log(&clean.text);
    let mut weighed = weigh(&clean, &scan, &ranked, platform);
    let cloud = ranked.iter().find_map(|fired| fired.rule.cloud).or_else(|| cloud_of(&clean.text));
    let printed = client::printed_by(&clean.text, &scan, cloud);
    let is_hidden = printed.as_ref().is_some_and(|client| client.hides);
    let sent = requests.filter(|_| !is_hidden).and_then(|requests| requests.sent_by(Client::all()));
    let client = sent.or(printed);
    if is_hidden {
        weighed.clear();
    }
    let guide = given.profile.map(|p| p.guide.id()).or_else(|| guide_for(cloud, platform, &weighed));
    let kept = events.as_ref().and_then(Events::claims);
    let given = &ExplainContext { claims: given.claims.or(kept.as_ref()), ..*given };
    let (proven, ruled_out) = context::apply(&mut weighed, &parsed, given);
    let listed = weighed.into_iter().map(RankedCause::into_finding);
    let causes: Vec<Finding> =
        proven.into_iter().chain(listed).take(MOST_CAUSES).map(|finding| catalogue::complete(finding, guide)).collect();
    let decide = decide(&causes);
    Explanation { cloud, code, parsed, guide, client, causes, ruled_out, decide }
}

/// The exchange that a text tells of as a cloud's log has it, where it tells of one that was refused.
pub fn logged_exchange(text: &str) -> Option<Exchange> {
    Events::read(text)?.into_exchange()
}

/// The role that a text names, where it names one and no other.
pub fn only_role(text: &str) -> Option<&str> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || ":/_+=,.@-".contains(c));
    let named = text.match_indices("arn:aws").filter_map(|(at, _)| text[at..].split(ends).next());
    let mut roles = named.map(|arn| arn.trim_end_matches(['.', ',', ':'])).filter(|arn| is_role_arn(arn));
    let first = roles.next()?;
    roles.all(|other| other == first).then_some(first)
}

/// The causes that an answer of `cloud` with this code and message may have, the likeliest first; at most twelve.
pub fn candidates(cloud: Cloud, code: &str, message: &str) -> Vec<Candidate> {
    let clean = clean::clean(&format!("{code}: {message}"));
    let mut scan = scan::scan(&clean.text);
    scan.fired.retain(|fired| fired.rule.cloud.is_none_or(|speaker| speaker == cloud));
    let ranked = scan.ranked(&clean.text);
    weigh(&clean, &scan, &ranked, None)
        .into_iter()
        .map(|weighed| Candidate { cause: weighed.cause, certainty: weighed.certainty })
        .collect()
}

/// Turns the rules that fired into causes: the root's first, and room left for what else is said.
fn weigh(clean: &Clean, scan: &Scan, ranked: &[Fired], platform: Option<&Description>) -> Vec<RankedCause> {
    let mut weighed: Vec<RankedCause> = Vec::new();
    for (rank, fired) in ranked.iter().enumerate() {
        // One place stays free for another error of the same log; what was passing takes only what is left.
        let another = ranked.iter().skip(rank + 1).any(|other| !other.passing);
        let room = MOST_CAUSES - usize::from(another);
        let (parsed, _) = parsed::parse(clean, Some(*fired), &scan.entra_codes);
        let around = parsed::around(clean, *fired).to_lowercase();
        let Ordered { causes, evidence } = refine::order(fired.rule.causes, &parsed, &around, platform);
        let quote = parsed.message.as_deref().map(quoted);
        for (place, cause) in causes.into_iter().enumerate() {
            let certainty = certainty(fired.rule.strength, place);
            let mut facts: Vec<String> = quote.iter().cloned().collect();
            facts.extend(evidence.iter().filter(|(of, _)| *of == cause).map(|(_, fact)| fact.clone()));
            let known = weighed.iter().position(|known| known.cause == cause);
            if let Some(known) = known.and_then(|at| weighed.get_mut(at)) {
                known.certainty = known.certainty.min(certainty);
                facts.retain(|fact| !known.evidence.contains(fact));
                known.evidence.append(&mut facts);
            } else if weighed.len() < room {
                weighed.push(RankedCause { cause, certainty, evidence: facts });
            }
        }
    }
    weighed
}

fn quoted(message: &str) -> String {
    const LONGEST_QUOTE: usize = 240;
    if message.len() <= LONGEST_QUOTE {
        return format!("{QUOTE}{message}");
    }
    format!("{QUOTE}{}…", &message[..message.floor_char_boundary(LONGEST_QUOTE)])
}

/// The cloud whose names stand in the text, where no rule knew.
fn cloud_of(text: &str) -> Option<Cloud> {
    const NAMES: &[(Cloud, &[&str])] = &[
        (
            Cloud::Azure,
            &["AADSTS", "vault.azure.net", "login.microsoftonline.", "AZURE_", "azure_identity", "azidentity"],
        ),
        (Cloud::Aws, &["amazonaws.com", "arn:aws", "AWS_", "botocore", "aws-sdk"]),
        (Cloud::Gcp, &["googleapis.com", "workloadIdentityPools", "GOOGLE_", "gcloud"]),
    ];
    let first = |names: &[&str]| names.iter().filter_map(|name| text.find(name)).min();
    NAMES
        .iter()
        .filter_map(|(cloud, names)| Some((first(names)?, *cloud)))
        .min_by_key(|(at, _)| *at)
        .map(|(_, cloud)| cloud)
}

/// The guide whose steps fit, as far as the text shows which cloud it is about and whose run; none where there is no
/// guide for such runs.
fn guide_for(cloud: Option<Cloud>, platform: Option<&Description>, weighed: &[RankedCause]) -> Option<&'static str> {
    let of_run = platform.map(|platform| guide_of_run(platform.workload, cloud));
    match (cloud, of_run) {
        (Some(Cloud::Aws), _)
            if leads(weighed, &[Cause::AssumeRoleDenied, Cause::ExternalId, Cause::TagSessionMissing]) =>
        {
            Some("aws-assume-role")
        }
        (Some(Cloud::Aws), _) if leads(weighed, &[Cause::StaticKeyWrong]) => Some("aws-static"),
        (_, Some(Some(guide))) => Some(guide.id()),
        (Some(Cloud::Aws) | None, Some(None)) => None,
        (Some(Cloud::Aws), None) if !weighed.is_empty() => Some("aws-workload-identity"),
        (Some(Cloud::Azure), None) if leads(weighed, &[Cause::ClientSecretWrong, Cause::ClientSecretExpired]) => {
            Some("azure-static")
        }
        (Some(Cloud::Azure), None) => Some("azure-workload-identity"),
        (Some(Cloud::Gcp), None) => Some("gcp-workload-identity"),
        _ => None,
    }
}

/// The guide of such runs at a cloud; where none is told, the only one that they have.
fn guide_of_run(workload: Option<Workload>, cloud: Option<Cloud>) -> Option<Guide> {
    let workload = workload?;
    match cloud {
        Some(cloud) => Guide::for_tokens(workload, cloud),
        None => {
            let mut own = Cloud::ALL.iter().filter_map(|cloud| Guide::for_tokens(workload, *cloud));
            own.next().filter(|_| own.next().is_none())
        }
    }
}

fn leads(weighed: &[RankedCause], causes: &[Cause]) -> bool {
    weighed.first().is_some_and(|first| causes.contains(&first.cause))
}

/// What to bring next: what decides on the first causes, each once.
fn decide(causes: &[Finding]) -> Vec<String> {
    const MOST: usize = 4;
    if causes.iter().filter(|finding| finding.certainty == Certainty::Possible).count() == 0 {
        return Vec::new();
    }
    let mut wanted: Vec<String> = Vec::new();
    for finding in causes {
        let decide = &catalogue::entry(finding.cause).decide;
        if !decide.is_empty() && !wanted.contains(decide) && wanted.len() < MOST {
            wanted.push(decide.clone());
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cause::TrustDocument;
    use crate::domain::ids::CheckId;

    #[test]
    fn candidates_of_one_cloud_leave_the_others_out() {
        let sure = candidates(Cloud::Aws, "InvalidIdentityToken", "Incorrect token audience");
        assert_eq!(sure, [Candidate { cause: Cause::AudNotRegistered, certainty: Certainty::Proven }]);
        let open = candidates(Cloud::Aws, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
        assert_eq!(open.len(), MOST_CAUSES);
        assert!(open.iter().all(|candidate| candidate.certainty == Certainty::Possible));
        let vault = candidates(Cloud::Azure, "Forbidden", "Caller is not authorized to perform action on resource.");
        assert_eq!(vault.first().map(|candidate| candidate.cause), Some(Cause::RbacMissing));
        assert!(candidates(Cloud::Aws, "", "").is_empty());
    }

    #[test]
    fn a_text_names_one_role_or_none() {
        let (one, two) = ("arn:aws:iam::123456789012:role/a/one", "arn:aws:iam::123456789012:role/two");
        for (text, role) in [
            (format!("role-to-assume: {one}, region x; again \"{one}\"."), Some(one)),
            (format!("{one} and {two}"), None),
            ("arn:aws:sts::123456789012:assumed-role/one/session".to_owned(), None),
            (format!("no role, then {two}."), Some(two)),
        ] {
            assert_eq!(only_role(&text), role, "{text}");
        }
    }

    #[test]
    fn a_policy_that_accepts_the_token_leaves_what_lies_outside_it() {
        let trust = Trust {
            document: TrustDocument::Policy,
            decision: crate::domain::iam::Decision::Allow,
            findings: Vec::new(),
        };
        let given = ExplainContext { trust: Some(&trust), ..ExplainContext::default() };
        let explanation = explain("Not authorized to perform sts:AssumeRoleWithWebIdentity", &given);
        let left: Vec<Cause> = explanation.causes.iter().map(|finding| finding.cause).collect();
        assert_eq!(left, [Cause::WrongAccount, Cause::PropagationDelay, Cause::RoleMissing]);
        assert_eq!(explanation.ruled_out.len(), MOST_CAUSES - left.len());
    }

    #[test]
    fn a_trust_that_accepts_the_token_rules_out_all_that_it_decides() {
        for (document, text) in [
            (TrustDocument::Policy, "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
            (
                TrustDocument::Credentials,
                "AADSTS700213: No matching federated identity record found for presented assertion subject 'organization:2'.",
            ),
        ] {
            let trust = Trust { document, decision: crate::domain::iam::Decision::Allow, findings: Vec::new() };
            let open = explain(text, &ExplainContext::default());
            let closed = explain(text, &ExplainContext { trust: Some(&trust), ..ExplainContext::default() });
            let decided = |explanation: &Explanation| {
                explanation.causes.iter().filter(|finding| document.decides().contains(&finding.cause)).count()
            };
            assert!(decided(&open) > 1 && decided(&closed) == 0, "{document:?}: {closed:?}");
            assert!(!closed.causes.is_empty(), "{document:?}");
        }
        assert!(TrustDocument::Credentials.decides().contains(&Cause::ClaimMismatch));
        assert!(TrustDocument::Policy.decides().contains(&Cause::TagSessionMissing));
    }

    #[test]
    fn a_policy_that_refuses_the_token_decides() {
        let finding = Finding::new(
            Cause::OperatorWrong,
            CheckId::TrustPolicy,
            Certainty::Proven,
            "a wildcard under StringEquals",
        );
        let trust = Trust {
            document: TrustDocument::Policy,
            decision: crate::domain::iam::Decision::Deny,
            findings: vec![finding],
        };
        let given = ExplainContext { trust: Some(&trust), ..ExplainContext::default() };
        let explanation = explain("Not authorized to perform sts:AssumeRoleWithWebIdentity", &given);
        assert_eq!(explanation.causes.len(), 1);
        assert_eq!(explanation.causes[0].cause, Cause::OperatorWrong);
        assert!(explanation.decide.is_empty());
        // A text that no policy can cause is not explained by one.
        let other = explain("InvalidIdentityToken: Incorrect token audience", &given);
        assert_eq!(other.causes[0].cause, Cause::AudNotRegistered);
    }

    #[test]
    fn whose_run_it_is_decides_order_and_guide() {
        let denied = "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity";
        let explained = |before: &str| explain(&format!("{before}\n{denied}"), &ExplainContext::default());
        let place = |explanation: &Explanation| explanation.causes.iter().position(|f| f.cause == Cause::ImmutableSub);
        let github = explained("Run aws-actions/configure-aws-credentials@v4");
        assert_eq!((github.guide, place(&github)), (Some("github-aws"), Some(1)));
        let gitlab = explained("$ echo $GITLAB_OIDC_TOKEN");
        assert_eq!((gitlab.guide, place(&gitlab)), (Some("gitlab-aws"), None));
        let pod = explained("WebIdentityErr: failed to retrieve credentials");
        assert_eq!((pod.guide, place(&pod)), (Some("kubernetes-aws"), None));
        let circleci = explained("CIRCLE_OIDC_TOKEN");
        assert_eq!((circleci.guide, place(&circleci)), (Some("circleci-aws"), None));
        let anybodys = explained("");
        assert_eq!(anybodys.guide, Some("aws-workload-identity"));
        assert!(place(&anybodys).is_some_and(|place| place > 3));
    }

    #[test]
    fn a_message_is_quoted_whole_with_its_opening_words() {
        let denied = "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity";
        for before in ["", "botocore.exceptions.ClientError: ", "2026-11-30T06:00:00Z ERROR boto: "] {
            let message = explain(&format!("{before}{denied}"), &ExplainContext::default()).parsed.message.unwrap();
            assert!(message.ends_with(denied) && !message.starts_with("AccessDenied)"), "{message}");
        }
    }

    #[test]
    fn a_nodes_role_points_to_a_pod_without_its_own() {
        let text = "User: arn:aws:sts::123456789012:assumed-role/eksctl-prod-nodegroup-NodeInstanceRole-1A2B/i-0abc1234def567890 is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf because no identity-based policy allows the secretsmanager:GetSecretValue action";
        let explanation = explain(text, &ExplainContext::default());
        assert_eq!(explanation.causes[0].cause, Cause::EnvConflict);
        assert!(explanation.causes[0].evidence.iter().any(|fact| fact.contains("IRSA")), "{:?}", explanation.causes[0]);
    }

    #[test]
    fn a_vaults_own_words_are_not_taken_for_the_action() {
        let text = "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\nCaller: appid=5b1f2c9e-0000-4000-8000-0123456789ab;oid=5b1f2c9e-0000-4000-8000-0123456789ab\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\nInner error: { \"code\": \"ForbiddenByRbac\" }";
        let action = explain(text, &ExplainContext::default()).parsed.action;
        assert_eq!(action.as_deref(), Some("Microsoft.KeyVault/vaults/secrets/getSecret/action"));
    }

    /// Pieces of real texts, so that random combinations reach the rules and the parsers.
    fn piece() -> impl Strategy<Value = String> {
        let phrases: Vec<&'static str> = rules::all()
            .flat_map(|rule| rule.any.iter().chain(rule.with.iter().flat_map(|g| g.iter())))
            .copied()
            .collect();
        prop_oneof![
            proptest::sample::select(phrases).prop_map(str::to_owned),
            ".{0,40}",
            proptest::sample::select(vec![
                "AADSTS700213",
                "arn:aws:iam::",
                "User: ",
                "on resource: ",
                "'",
                "\"",
                "\\r\\n",
                "\u{1b}[31m",
                "eyJhbGciOiJSUzI1NiJ9.",
                "Bearer ",
                "Current time: 2024-05-28T06:01:42Z",
                "expiry time of assertion ",
                "Token issued at 99999999999999999999",
                "https://sts.",
                "&#39;",
                "│",
                "\n",
                "é",
            ])
            .prop_map(str::to_owned),
        ]
    }

    proptest! {
        #[test]
        fn any_text_is_explained_without_panic_by_twelve_causes_at_most(pieces in proptest::collection::vec(piece(), 0..30)) {
            let text = pieces.concat();
            let explanation = explain(&text, &ExplainContext::default());
            prop_assert!(explanation.causes.len() <= MOST_CAUSES);
            let mut causes: Vec<Cause> = explanation.causes.iter().map(|finding| finding.cause).collect();
            causes.sort();
            causes.dedup();
            prop_assert_eq!(causes.len(), explanation.causes.len());
        }
    }
}
