//! Google's own side of the trust: as whom the operator reads, and the pool with its provider.

use serde_json::{Value, json};

use super::{could_not_read, with_pauses};
use crate::cause::{Cause, Certainty, Finding};
use crate::check::call::{quoted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits, call};
use crate::check::facts::operator_google::{NamedProvider, ProviderSide, StateInForce};
use crate::check::facts::secret::AnyCall;
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::gcp::{PoolProvider, Subject, evaluate};
use crate::domain::iam::Truth;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::text::quote;
use crate::domain::text_difference::nearest;

/// The operator's access token is one that Google takes.
pub const OPERATOR: Check = Check {
    id: CheckId::GcpOperator,
    title: "the operator is signed in to Google",
    docs: "https://cloud.google.com/sdk/gcloud/reference/auth/print-access-token",
    link: Link::Trust,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::GoogleOperator),
    traffic: call!(operator.google.project => call, |_, _| None),
    waits: Waits::IfClockIsOff,
    facts: shown_operator,
    verdict: operator,
    reproduction: Reproduction::Command(|profile, _| {
        Some(format!("gcloud projects describe {}", quote(profile.gcp.project_id.as_deref()?)))
    }),
};

/// The profile's provider is there, and it and its pool take tokens.
pub const PROVIDER: Check = Check {
    id: CheckId::GcpProvider,
    title: "the pool and its provider take tokens",
    docs: "https://cloud.google.com/iam/docs/manage-workload-identity-pools-providers",
    needs: &[CheckId::GcpOperator],
    rules_out: &[Cause::ProviderDisabled, Cause::WrongProviderName],
    step: |_| Some(Step::GooglePoolProvider),
    traffic: Traffic::None,
    facts: |facts| as_json(facts.operator.google.provider.as_ref()),
    verdict: |facts, _| {
        let Some(side) = &facts.operator.google.provider else {
            return Verdict::inconclusive("the profile names no provider to read", Vec::new());
        };
        with_pauses(provider(side, facts), side.pool.throttled.beside(side.provider.throttled))
    },
    reproduction: Reproduction::Command(|profile, _| {
        let name = profile.gcp.provider.as_ref()?;
        Some(format!(
            "gcloud iam workload-identity-pools providers describe {} --workload-identity-pool {} --location global \
             --project {}",
            quote(&name.provider),
            quote(&name.pool),
            quote(profile.gcp.project_id.as_deref()?)
        ))
    }),
    ..OPERATOR
};

fn shown_operator(facts: &Facts) -> Option<Value> {
    let side = &facts.operator.google;
    let mut shown = as_json(side.project.as_ref()).unwrap_or_else(|| json!({}));
    if let (Value::Object(fields), Some(Ok(identity))) = (&mut shown, &side.identity) {
        fields.insert("identity".into(), identity.clone().into());
    }
    (side.identity.is_some() || side.project.is_some()).then_some(shown)
}

fn operator(facts: &Facts, _profile: &Profile) -> Verdict {
    let side = &facts.operator.google;
    let identity = match &side.identity {
        None => return Verdict::inconclusive("nobody signed in", Vec::new()),
        Some(Err(why)) => return Verdict::inconclusive(format!("the operator's access token: {why}"), Vec::new()),
        Some(Ok(identity)) => identity,
    };
    let Some(read) = &side.project else {
        return Verdict { reason: Some(identity.clone()), ..Verdict::pass() };
    };
    if let Some(verdict) = unanswered(CheckId::GcpOperator, Cause::Proxy, &read.call) {
        return verdict;
    }
    let told = match (read.seen(), read.call.refusal()) {
        (Some(project), _) => format!("{identity}, in {} (number {})", project.id, project.number),
        (None, Some(refusal)) if refusal.http_status == 401 => {
            let said = quoted("Resource Manager", refusal);
            let why =
                format!("the operator's access token has expired or is not valid; run `gcloud auth login`: {said}");
            return Verdict::inconclusive(why, Vec::new());
        }
        // Whoever lacks a right is known.
        (None, Some(refusal)) if refusal.is_denial() => {
            format!("{identity}; {}", read.unread().unwrap_or_default())
        }
        (None, _) => {
            let why = read.unread().unwrap_or_else(|| "there is no such project".to_owned());
            return Verdict::inconclusive(why, Vec::new());
        }
    };
    with_pauses(Verdict { reason: Some(told), ..Verdict::pass() }, read.throttled)
}

fn provider(side: &ProviderSide, facts: &Facts) -> Verdict {
    let finding = |cause, summary: String| Finding::new(cause, CheckId::GcpProvider, Certainty::Proven, summary);
    let failed = |finding: Finding| Verdict::fail(finding.summary.clone(), vec![finding]);
    if let Some(why) = side.pool.seen().and_then(StateInForce::is_off_because) {
        let summary =
            format!("the pool is {why}: nothing is exchanged, and no token that was exchanged before is taken");
        return failed(finding(Cause::ProviderDisabled, summary).with_difference("ACTIVE", why.to_uppercase()));
    }
    if let Some(provider) = side.provider.seen() {
        return match provider.state.is_off_because() {
            Some(why) => {
                let summary = format!("the provider is {why}, and exchanges no new token");
                failed(finding(Cause::ProviderDisabled, summary).with_difference("ACTIVE", why.to_uppercase()))
            }
            None => could_not_read(&side.pool).unwrap_or_else(Verdict::pass),
        };
    }
    if let Some((meant, certainty)) = meant(side, facts) {
        let summary = "the provider is in the project with the secrets, and the profile names another project's number";
        let found = finding(Cause::WrongProviderName, summary.to_owned()).about(Key::GcpProvider);
        return failed(Finding { certainty, ..found }.with_difference(meant, &side.name));
    }
    if let Some(verdict) = could_not_read(&side.provider) {
        return verdict;
    }
    let listed = side.listed.as_ref().and_then(|read| read.seen()).map_or(&[][..], Vec::as_slice);
    let (what, known) = match side.pool.seen() {
        Some(_) => ("the pool has no provider of this name", listed),
        None => ("the project has no pool of this name", &[][..]),
    };
    let said = side.provider.call.refusal().map(|refusal| quoted("IAM", refusal));
    let mut missing = finding(Cause::WrongProviderName, what.to_owned()).about(Key::GcpProvider);
    missing.actual = Some(side.name.clone());
    missing.evidence.extend(said);
    let near = nearest(last_part(&side.name), known.iter().map(|one| last_part(&one.name)));
    if let Some(near) = near.and_then(|near| known.iter().find(|one| last_part(&one.name) == near)) {
        missing.expected = Some(near.name.clone());
    } else if !known.is_empty() {
        let names: Vec<&str> = known.iter().map(|one| one.name.as_str()).collect();
        missing = missing.with_evidence(format!("it has {}", names.join(", ")));
    }
    failed(missing)
}

/// What a provider is called within its pool.
fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// The provider of the same name in the project with the secrets: proven to be the one that is meant where it takes the
/// token.
fn meant(side: &ProviderSide, facts: &Facts) -> Option<(String, Certainty)> {
    let others = side.in_own_project.as_ref()?.seen()?;
    let same: &NamedProvider = others.iter().find(|one| last_part(&one.name) == last_part(&side.name))?;
    let takes = facts.claims().and_then(|claims| {
        let provider = PoolProvider::parse(&same.text).ok()?;
        Some(evaluate(&provider, None, Subject { claims, unknown: &[] }).exchanged() == Truth::True)
    });
    let certainty = if takes == Some(true) { Certainty::Proven } else { Certainty::Likely };
    Some((same.name.clone(), certainty))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::operator::{Read, Throttled};
    use crate::check::facts::operator_google::{ProjectInForce, ProviderInForce};
    use crate::check::facts::secret::{Answer, Call, Refusal};
    use crate::domain::profile::Guide;

    const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool";

    fn read<T>(answer: Answer<T>) -> Read<T> {
        let call = Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None };
        Read { permission: "a.b.get", call, throttled: Throttled::default() }
    }

    fn refused<T>(code: &str, http_status: u16) -> Read<T> {
        let message = "No.".to_owned();
        read(Answer::Refused(Refusal { code: code.into(), message, http_status, request_id: None }))
    }

    fn state(state: &str, disabled: bool) -> StateInForce {
        StateInForce { state: state.into(), disabled }
    }

    fn side(pool: Read<StateInForce>, provider: Read<ProviderInForce>) -> ProviderSide {
        let name = format!("{POOL}/providers/ci");
        ProviderSide { name, pool, provider, in_own_project: None, listed: None }
    }

    fn judged(side: &ProviderSide) -> (Outcome, Option<Cause>) {
        let verdict = provider(side, &Facts::default());
        (verdict.outcome, verdict.findings.first().map(|finding| finding.cause))
    }

    #[test]
    fn a_pool_and_a_provider_that_are_off_are_told_and_what_is_not_read_is_open() {
        let active = || read(Answer::Granted(state("ACTIVE", false)));
        let provider = |held| read(Answer::Granted(ProviderInForce { state: held, text: String::new() }));
        let off = (Outcome::Fail, Some(Cause::ProviderDisabled));
        let wrong = (Outcome::Fail, Some(Cause::WrongProviderName));
        assert_eq!(judged(&side(active(), provider(state("ACTIVE", false)))), (Outcome::Pass, None));
        assert_eq!(judged(&side(active(), provider(state("ACTIVE", true)))), off);
        assert_eq!(judged(&side(active(), provider(state("DELETED", false)))), off);
        assert_eq!(judged(&side(read(Answer::Granted(state("ACTIVE", true))), provider(state("ACTIVE", false)))), off);
        assert_eq!(judged(&side(refused("NOT_FOUND", 404), refused("NOT_FOUND", 404))), wrong);
        let open = (Outcome::Inconclusive, None);
        assert_eq!(judged(&side(active(), refused("PERMISSION_DENIED", 403))), open);
        assert_eq!(judged(&side(refused("PERMISSION_DENIED", 403), provider(state("ACTIVE", false)))), open);
    }

    #[test]
    fn a_provider_of_nearly_the_name_is_named() {
        let mut one = side(read(Answer::Granted(state("ACTIVE", false))), refused("NOT_FOUND", 404));
        let near = format!("{POOL}/providers/c1");
        let entry = NamedProvider { name: near.clone(), text: "{}".into() };
        one.listed = Some(read(Answer::Granted(vec![entry])));
        assert_eq!(provider(&one, &Facts::default()).findings[0].expected, Some(near));
    }

    #[test]
    fn an_expired_token_is_no_failure_and_a_missing_right_is_a_sign_in() {
        let judged = |project: Read<ProjectInForce>| {
            let mut facts = Facts::default();
            facts.operator.google.identity = Some(Ok("operator@example.com".into()));
            facts.operator.google.project = Some(project);
            let verdict = operator(&facts, &Profile::bare("p", Guide::GcpWorkloadIdentity));
            (verdict.outcome, verdict.reason.unwrap_or_default(), facts.operator.google.has_access())
        };
        let (outcome, why, has_access) = judged(refused("UNAUTHENTICATED", 401));
        assert!(outcome == Outcome::Inconclusive && !has_access && why.contains("gcloud auth login"), "{why}");
        let (outcome, why, has_access) = judged(refused("PERMISSION_DENIED", 403));
        assert!(outcome == Outcome::Pass && has_access && why.contains("the operator lacks a.b.get"), "{why}");
    }
}
