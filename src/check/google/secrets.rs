//! The checks of the reads at Secret Manager: what the words of a refusal allow, narrowed by what else was seen.

use super::{may_pass, missing, refused};
use crate::cause::{Cause, Certainty, Finding, gcp};
use crate::check::call::{from_words, granted, quoted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Waits, call};
use crate::check::facts::google::GoogleCall;
use crate::check::facts::secret::{AnyCall, Refusal};
use crate::check::facts::{Facts, as_json};
use crate::check::secret::{list_in_words, read_in_words};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict, reproduce};
use crate::domain::iam::{Decision, Truth};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;

const ROLES: &str = "https://cloud.google.com/secret-manager/docs/access-control";
const SERVICE: &str = "Secret Manager";

/// The secrets of the project can be listed.
pub const LIST: Check = Check {
    id: CheckId::GcpListSecrets,
    title: "project's secrets can be listed",
    docs: ROLES,
    link: Link::Secret,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::GoogleList),
    traffic: call!(google.list => call, |_, refusal| may_pass(refusal)),
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.google.list.as_ref()),
    verdict: list,
    reproduction: Reproduction::Command(|profile, _| reproduce::google::list(profile)),
};

/// The secret can be read, and it is there.
pub const GET: Check = Check {
    id: CheckId::GcpGetSecret,
    title: "project's secret can be read",
    docs: ROLES,
    link: Link::Secret,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::GoogleGet),
    traffic: call!(google.secret => call, |_, refusal| may_pass(refusal)),
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.google.secret.as_ref()),
    verdict: get,
    reproduction: Reproduction::Command(|profile, _| reproduce::google::get(profile)),
};

fn list(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::GcpListSecrets;
    let Some(fact) = &facts.google.list else { return missing(check, profile, &[Key::GcpProject]) };
    match judged(fact, check, facts) {
        Ok(listed) => granted(&fact.call, list_in_words(listed)),
        Err(verdict) => left_to_policies(verdict, profile),
    }
}

fn get(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::GcpGetSecret;
    let Some(fact) = &facts.google.secret else { return missing(check, profile, &[Key::GcpProject]) };
    let secret = match judged(fact, check, facts) {
        Ok(secret) => secret,
        Err(verdict) => return not_there(left_to_policies(verdict, profile), fact, facts, profile),
    };
    let mut words = read_in_words(&secret.read);
    if secret.read.version_id.as_ref().is_some_and(|version| *version != secret.asked) {
        words.push_str(&format!(", which `{}` stands for", secret.asked));
    }
    if !secret.is_checksummed {
        words.push_str("; no checksum came with it");
    }
    granted(&fact.call, words)
}

/// With an operator the policies decide whether a role is missing or a deny policy refuses it, which a refusal alone does
/// not tell.
fn left_to_policies(mut verdict: Verdict, profile: &Profile) -> Verdict {
    let is_open = |finding: &&mut Finding| [Cause::SecretIamMissing, Cause::MissingList].contains(&finding.cause);
    if profile.operator.is_some() {
        let likely = |finding: &mut Finding| finding.certainty = finding.certainty.max(Certainty::Likely);
        verdict.findings.iter_mut().filter(is_open).for_each(likely);
    }
    verdict
}

/// What was granted, or the verdict on why nothing was.
fn judged<'f, T>(fact: &'f GoogleCall<T>, check: CheckId, facts: &Facts) -> Result<&'f T, Verdict> {
    if let Some(verdict) = unanswered(check, Cause::Proxy, &fact.call) {
        return Err(verdict);
    }
    let Some(refusal) = fact.call.refusal() else {
        return fact.call.granted().ok_or_else(|| Verdict::inconclusive("no answer was seen", Vec::new()));
    };
    let mut findings = from_words(check, Cloud::Gcp, SERVICE, refusal);
    if let Some(decided) = decided(fact, check, refusal, facts) {
        findings.retain(|finding| finding.cause != decided.cause && decided.certainty != Certainty::Proven);
        findings.insert(0, decided.with_evidence(quoted(SERVICE, refusal)));
    }
    Err(refused(fact, findings))
}

fn decided<T>(fact: &GoogleCall<T>, check: CheckId, refusal: &Refusal, facts: &Facts) -> Option<Finding> {
    let error = fact.error.as_ref()?;
    let found = |cause, certainty, summary: &str| Some(Finding::new(cause, check, certainty, summary));
    if error.is_service_disabled() {
        return found(Cause::ApiDisabled, Certainty::Proven, "the project's Secret Manager API is not enabled");
    }
    if refusal.http_status == 429 {
        return found(Cause::Throttled, Certainty::Proven, "Secret Manager was asked too often");
    }
    if refusal.http_status == 401 {
        let summary = "Secret Manager does not take the access token";
        return found(Cause::FederatedTokenUnsupported, Certainty::Likely, summary);
    }
    if refusal.http_status != 403 {
        return None;
    }
    if error.is_scope_too_narrow() {
        return found(
            Cause::WrongScope,
            Certainty::Proven,
            "the access token was made for scopes without Secret Manager's",
        );
    }
    // The bindings at hand have the token among their members, or not; another policy may yet decide.
    let by_bindings = facts.google.evaluation().filter(|found| {
        found.decision == Decision::Deny && found.exchanged() == Truth::True && facts.google.impersonated.is_none()
    });
    if let Some(finding) = by_bindings.and_then(|found| gcp::refused(check.into(), found).into_iter().next()) {
        return Some(Finding { certainty: Certainty::Likely, ..finding });
    }
    let is_denied =
        |call: Option<&dyn AnyCall>| call.and_then(AnyCall::refusal).is_some_and(|other| other.http_status == 403);
    let listing = facts.google.list.as_ref().map(|fact| &fact.call as &dyn AnyCall);
    let reading = facts.google.secret.as_ref().map(|fact| &fact.call as &dyn AnyCall);
    // A service account is the member that is meant; what it lacks is told call by call.
    let is_federated = facts.google.impersonated.is_none() && facts.google.key.is_none();
    if is_denied(listing) && is_denied(reading) && is_federated {
        return found(
            Cause::PrincipalsetMismatch,
            Certainty::Likely,
            "neither listing nor reading is granted to this token: no binding has it among its members",
        );
    }
    if check == CheckId::GcpListSecrets {
        // Reading is a role of its own.
        let reads = facts.google.read().is_some();
        let summary = match reads {
            true => {
                "the secret can be read and the secrets cannot be listed: the accessor's role does not list, whatever its scope"
            }
            false => "the secrets cannot be listed: roles/secretmanager.viewer is not granted on the project",
        };
        return found(Cause::MissingList, if reads { Certainty::Proven } else { Certainty::Likely }, summary);
    }
    let listed = facts.google.list.as_ref().and_then(|list| list.call.granted());
    match listed.and_then(|list| list.holds_secret) {
        Some(true) => found(
            Cause::SecretIamMissing,
            Certainty::Proven,
            "the secret is there, and IAM does not let this token read its value: roles/secretmanager.secretAccessor is not granted on it, or a deny policy refuses it, which `--operator` tells apart",
        ),
        _ => found(
            Cause::SecretIamMissing,
            Certainty::Likely,
            "roles/secretmanager.secretAccessor is not granted on the secret (or there is no such secret)",
        ),
    }
}

/// A secret that was not found: there is none, it has no version, or it is one of a location.
fn not_there<T>(mut verdict: Verdict, fact: &GoogleCall<T>, facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::GcpGetSecret;
    let (Some(refusal), Some(secret)) = (fact.call.refusal(), &profile.secret) else { return verdict };
    if refusal.http_status != 404 {
        return verdict;
    }
    let listed = facts.google.list.as_ref().and_then(|list| list.call.granted());
    let is_version = refusal.message.starts_with("Secret Version [");
    let mut finding = match listed.map(|list| (list.holds_secret, list.more, &list.nearest)) {
        _ if is_version => {
            let summary = format!("the secret `{}` has no version `{}`", secret.name, profile.gcp.version());
            Finding::new(Cause::SecretVersionState, check, Certainty::Likely, summary).about(Key::SecretVersion)
        }
        Some((Some(true), ..)) => {
            let summary = format!("the secret `{}` is there and has no version yet", secret.name);
            Finding::new(Cause::SecretEmpty, check, Certainty::Proven, summary)
        }
        _ if !facts.google.found_in.is_empty() => {
            let places = facts.google.found_in.join(", ");
            let summary = format!(
                "the secret `{}` is a regional one of {places}, and the global address knows none of those",
                secret.name
            );
            let mut finding =
                Finding::new(Cause::SecretWrongRegion, check, Certainty::Proven, summary).about(Key::GcpLocation);
            finding.expected = facts.google.found_in.first().cloned();
            finding.actual = Some(profile.gcp.location.clone().unwrap_or_else(|| "global".to_owned()));
            finding
        }
        Some((_, false, nearest)) => {
            let summary = format!("the project has no secret `{}`", secret.name);
            let mut finding =
                Finding::new(Cause::SecretNotFound, check, Certainty::Proven, summary).about(Key::SecretName);
            if let Some(nearest) = nearest {
                finding = finding
                    .with_difference(&secret.name, nearest)
                    .with_evidence(format!("the list of secrets has `{nearest}`"));
            }
            finding
        }
        _ => {
            let summary = format!("there is no secret `{}` in the project, or it has no version", secret.name);
            Finding::new(Cause::SecretNotFound, check, Certainty::Likely, summary).about(Key::SecretName)
        }
    };
    finding = finding.with_evidence(quoted(SERVICE, refusal));
    verdict.findings.retain(|other| other.cause != finding.cause && finding.certainty != Certainty::Proven);
    verdict.findings.insert(0, finding);
    verdict
}
