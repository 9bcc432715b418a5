//! Google's own side of the reads: what the bindings in force grant to whoever reads, and the secret without its value.

use super::google::PROVIDER;
use super::{could_not_read, with_pauses};
use crate::cause::gcp_rights::{GoogleRight, denied, lacking, not_counting_yet};
use crate::cause::{Cause, Certainty, Finding};
use crate::check::call::quoted;
use crate::check::definition::{Check, Link, Reproduction, Waits};
use crate::check::facts::google::GoogleCall;
use crate::check::facts::operator::{Read, Throttled};
use crate::check::facts::operator_google::permission::{LIST_DENIES, READ_DENY};
use crate::check::facts::operator_google::{RightsSide, SERVICE_DISABLED, SecretSide};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::gcp::{
    Binding, Denial, PolicyOn, PoolProvider, ProviderEvaluation, RightsOf, RolePermissions, Ruling, rule_on_denial,
    rule_on_permission,
};
use crate::domain::iam::Truth;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::text::quote;

const PROJECT: &str = "the project";
const SECRET_ITSELF: &str = "the secret";
const ACCOUNT: &str = "the service account";

/// The bindings in force let the reader read.
pub const BINDINGS: Check = Check {
    id: CheckId::GcpBindings,
    title: "the bindings in force grant the reads",
    docs: "https://cloud.google.com/secret-manager/docs/access-control",
    link: Link::Secret,
    rules_out: &[],
    step: |_| Some(Step::GoogleBindings),
    waits: Waits::If(|_, _| true),
    facts: |facts| as_json(facts.operator.google.rights.as_ref()),
    verdict: |facts, profile| with_pauses(bindings(facts, profile), pauses(facts)),
    reproduction: Reproduction::Command(|profile, _| {
        Some(format!("gcloud projects get-iam-policy {}", quote(profile.gcp.project_id.as_deref()?)))
    }),
    ..PROVIDER
};

/// The secret is there, and so is the version that is asked for.
pub const SECRET: Check = Check {
    id: CheckId::GcpSecretSettings,
    title: "the secret and its version are usable",
    docs: "https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions",
    rules_out: &[Cause::SecretNotFound, Cause::SecretEmpty, Cause::SecretVersionState, Cause::ApiDisabled],
    step: |_| Some(Step::GoogleSecretSettings),
    waits: Waits::IfClockIsOff,
    facts: |facts| as_json(facts.operator.google.secret.as_ref()),
    verdict: |facts, profile| match &facts.operator.google.secret {
        Some(side) => {
            let of_version = side.version.as_ref().map(|read| read.throttled).unwrap_or_default();
            with_pauses(secret(side, facts, profile), side.secret.throttled.beside(of_version))
        }
        None => Verdict::inconclusive("the secret was not read", Vec::new()),
    },
    reproduction: Reproduction::Command(|profile, _| {
        let (name, project) = (&profile.secret.as_ref()?.name, profile.gcp.project_id.as_deref()?);
        Some(format!("gcloud secrets versions list {} --project {}", quote(name), quote(project)))
    }),
    ..BINDINGS
};

fn pauses(facts: &Facts) -> Throttled {
    let Some(rights) = &facts.operator.google.rights else { return Throttled::default() };
    let policies = std::iter::once(&rights.project).chain(&rights.secret).chain(&rights.account);
    let of_policies = policies.map(|read| read.throttled).fold(Throttled::default(), Throttled::beside);
    let of_roles = rights.roles.iter().map(|role| role.permissions.throttled);
    of_policies.beside(rights.throttled_above()).and_then(of_roles.fold(Throttled::default(), Throttled::beside))
}

/// A call of the reader's: what it needs, as whom, and what became of it.
struct Asked {
    right: GoogleRight,
    is_granted: bool,
    is_denied: bool,
}

fn asked<T>(right: GoogleRight, fact: Option<&GoogleCall<T>>) -> Asked {
    // A service that is off, or a token for less, answers 403 as well, and names no permission.
    let is_denied = |fact: &GoogleCall<T>| fact.error.as_ref().is_some_and(|error| error.permission.is_some());
    Asked {
        right,
        is_granted: fact.is_some_and(|fact| fact.call.granted().is_some()),
        is_denied: fact.is_some_and(is_denied),
    }
}

/// The policies as they were read, and who is ruled on.
struct Known<'f> {
    rights: &'f RightsSide,
    permissions: RolePermissions,
    /// None where a key of the service account signs.
    federated: Option<Federated<'f>>,
    account: Option<&'f str>,
    /// The policies above the project, each with its place in words.
    above: Vec<(String, &'f Read<Vec<Binding>>)>,
}

/// What the token becomes.
struct Federated<'f> {
    provider: PoolProvider,
    unknown: Vec<String>,
    evaluation: &'f ProviderEvaluation,
}

impl<'f> Known<'f> {
    fn new(facts: &'f Facts, profile: &'f Profile) -> Result<Self, Verdict> {
        let open = |why: &str| Verdict::inconclusive(why, Vec::new());
        let rights = facts.operator.google.rights.as_ref();
        let rights = rights.ok_or_else(|| open("the profile names no project whose policies to read"))?;
        let permissions = rights.permissions();
        let above = rights.above.iter().map(|one| (one.place(), &one.policy)).collect();
        if profile.guide.is_key_beside_aws() {
            let of_key = facts.google.key.as_ref().and_then(|key| key.account.as_deref());
            let account = of_key.or(profile.gcp.service_account.as_deref());
            let account = account.ok_or_else(|| open("whose key it is is not known"))?;
            return Ok(Known { rights, permissions, federated: None, account: Some(account), above });
        }
        let fact = facts.google.provider.as_ref();
        let evaluation = fact.and_then(|fact| fact.evaluation.as_ref());
        let provider = fact.and_then(|fact| PoolProvider::parse(fact.text.as_ref()?).ok());
        let (Some(evaluation), Some(provider)) = (evaluation, provider) else {
            return Err(open("what the token becomes is not known: no provider was evaluated for it"));
        };
        let unknown = evaluation.unknown_attributes();
        let account = profile.gcp.service_account.as_deref();
        let federated = Some(Federated { provider, unknown, evaluation });
        Ok(Known { rights, permissions, federated, account, above })
    }

    /// Who makes the call.
    fn caller(&self, right: GoogleRight) -> (RightsOf<'_>, String) {
        let account = self.account.filter(|_| right != GoogleRight::Impersonate);
        match (account, &self.federated) {
            (None, Some(Federated { provider, unknown, evaluation })) => {
                let name = evaluation.principal.clone().unwrap_or_else(|| "principal://…".to_owned());
                (RightsOf::Federated { provider, attributes: &evaluation.attributes, unknown }, name)
            }
            (account, _) => {
                let account = account.or(self.account).unwrap_or_default();
                (RightsOf::Account(account), format!("serviceAccount:{account}"))
            }
        }
    }

    /// What the policies say, and what of them could not be read.
    fn rule(&self, right: GoogleRight) -> Ruling {
        let project = (PROJECT, Some(&self.rights.project));
        let secret = (SECRET_ITSELF, self.rights.secret.as_ref());
        let (mut counting, below) = match right {
            GoogleRight::Impersonate => (vec![project, (ACCOUNT, self.rights.account.as_ref())], Vec::new()),
            GoogleRight::Read => (vec![project, secret], Vec::new()),
            GoogleRight::List => (vec![project], vec![secret]),
        };
        counting.extend(self.above.iter().map(|(place, read)| (place.as_str(), Some(*read))));
        let ruling = rule_on_permission(
            self.caller(right).0,
            right.permission(),
            &policies(&counting),
            &policies(&below),
            &self.permissions,
        );
        // What is unread above the project leaves a lack likely, and is told with it.
        let own = counting.iter().filter(|(place, _)| self.above.iter().all(|(above, _)| above != place));
        let unread = own.filter_map(|(_, read)| read.as_ref()?.unread()).next();
        match (ruling, unread) {
            (Ruling::Withheld(_), Some(why)) => Ruling::Unknown(why),
            (ruling, _) => ruling,
        }
    }

    /// What the deny policies that were read say, wherever they are attached.
    fn denial(&self, right: GoogleRight) -> Denial {
        rule_on_denial(self.caller(right).0, right.permission(), self.rights.denying())
    }
}

/// What the calls come to by the policies in force.
#[derive(Default)]
struct Told {
    notes: Vec<String>,
    open: Vec<String>,
    found: Vec<Finding>,
    /// Whether a grant was not tried, and a deny policy that was not read may refuse it.
    rests_on_denies: bool,
}

impl Told {
    /// Adds what the policies say to one call.
    fn add(&mut self, call: &Asked, known: &Known<'_>, facts: &Facts) {
        let (check, right) = (CheckId::GcpBindings.into(), call.right);
        let permission = right.permission();
        let unread_denies = || known.rights.unread_denies();
        let unread_above = || known.rights.unread_above(facts.operator.google.project.as_ref());
        match (known.denial(right), known.rule(right)) {
            (Denial::Denied { policy, principal }, _) if !call.is_granted => {
                self.found.push(denied(check, right, &policy, &principal, &known.caller(right).1));
            }
            (Denial::Denied { policy, .. }, _) => {
                self.notes.push(format!(
                    "`{permission}`, although the deny policy {policy} refuses it, which may not count yet"
                ));
            }
            (_, Ruling::Withheld(_)) if call.is_granted => {
                let why = unread_above().map_or_else(String::new, |why| format!("; {why}"));
                self.notes.push(format!("`{permission}` by a policy that was not read{why}"));
            }
            (_, Ruling::Withheld(lack)) => {
                self.found.push(lacking(check, right, &lack, &known.caller(right).1, unread_above()));
            }
            (_, Ruling::Unknown(why)) => self.open.push(format!("`{permission}`: {why}")),
            (Denial::Unknown(why), Ruling::Granted { .. }) if !call.is_granted => {
                self.open.push(format!("`{permission}`: {why}"));
            }
            (_, ruling @ Ruling::Granted { .. }) if call.is_denied => {
                self.found.extend(not_counting_yet(check, right, &ruling, unread_denies()));
            }
            (_, Ruling::Granted { role, place }) => {
                self.rests_on_denies |= !call.is_granted && unread_denies().is_some();
                self.notes.push(format!("`{permission}` by `{role}` on {place}"));
            }
        }
    }
}

fn policies<'a>(read: &[(&'a str, Option<&'a Read<Vec<Binding>>>)]) -> Vec<PolicyOn<'a>> {
    let seen = read.iter().filter_map(|(place, read)| Some((*place, read.as_ref()?.seen()?)));
    seen.map(|(place, bindings)| PolicyOn { place, bindings }).collect()
}

fn bindings(facts: &Facts, profile: &Profile) -> Verdict {
    let known = match Known::new(facts, profile) {
        Ok(known) => known,
        Err(verdict) => return verdict,
    };
    let google = &facts.google;
    if let Some(missing) = facts.operator.google.missing_account(profile) {
        let finding = Finding::new(Cause::ServiceAccountMissing, CheckId::GcpBindings, Certainty::Proven, &missing);
        return Verdict::fail(missing, vec![finding.about(Key::GcpServiceAccount)]);
    }
    let calls = [
        known
            .account
            .filter(|_| known.federated.is_some())
            .map(|_| asked(GoogleRight::Impersonate, google.impersonated.as_ref())),
        profile.secret.as_ref().map(|_| asked(GoogleRight::Read, google.secret.as_ref())),
        Some(asked(GoogleRight::List, google.list.as_ref())),
    ];
    let mut told = Told::default();
    calls.iter().flatten().for_each(|call| told.add(call, &known, facts));
    let Told { mut notes, open, found, rests_on_denies } = told;
    if rests_on_denies {
        notes.push(format!(
            "unless a deny policy refuses it: they were not all read, which takes {LIST_DENIES} and {READ_DENY}"
        ));
    }
    let is_exchanged = google.evaluation().map_or(Truth::Unknown, |found| found.exchanged());
    match found.first() {
        Some(first) => Verdict::fail(first.summary.clone(), found),
        None if open.is_empty() && is_exchanged == Truth::False => {
            notes.push("once its token is exchanged".to_owned());
            Verdict { reason: Some(notes.join("; ")), ..Verdict::pass() }
        }
        None if open.is_empty() => Verdict { reason: Some(notes.join("; ")), ..Verdict::pass() },
        None => Verdict::inconclusive(open.join("; "), Vec::new()),
    }
}

fn secret(side: &SecretSide, facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::GcpSecretSettings;
    let finding = |cause, summary: String| Finding::new(cause, check, Certainty::Proven, summary);
    let failed = |finding: Finding| Verdict::fail(finding.summary.clone(), vec![finding]);
    let said = side.secret.call.refusal().map(|refusal| quoted("Secret Manager", refusal)).unwrap_or_default();
    let own = facts.operator.google.project.as_ref().and_then(|read| read.seen());
    // An operator's tool may be of another project, whose services these then are.
    let is_off_here = side.secret.call.refusal().is_some_and(|refusal| {
        refusal.code == SERVICE_DISABLED && own.is_some_and(|own| refusal.message.contains(&own.number))
    });
    if is_off_here {
        let summary = "the project's Secret Manager API is not enabled".to_owned();
        return failed(finding(Cause::ApiDisabled, summary).with_evidence(said));
    }
    if let Some(verdict) = could_not_read(&side.secret) {
        return verdict;
    }
    let name = profile.secret.as_ref().map(|secret| secret.name.as_str()).unwrap_or_default();
    if side.secret.seen().is_none() {
        let place = profile.gcp.location.as_deref().unwrap_or("global");
        let missing = match side.found_in.first() {
            Some(first) => {
                let places = side.found_in.join(" and ");
                let summary =
                    format!("the secret `{name}` is a regional one of {places}, and the profile asks {place}");
                finding(Cause::SecretWrongRegion, summary).about(Key::GcpLocation).with_difference(first, place)
            }
            None => {
                finding(Cause::SecretNotFound, format!("the project has no secret `{name}`")).about(Key::SecretName)
            }
        };
        return failed(missing.with_evidence(said));
    }
    let wanted = profile.gcp.version();
    let Some(read) = &side.version else { return Verdict::pass() };
    if let Some(verdict) = could_not_read(read) {
        return verdict;
    }
    match read.seen() {
        None if wanted == "latest" => {
            failed(finding(Cause::SecretEmpty, format!("the secret `{name}` has no version yet")))
        }
        None => {
            let summary = format!("the secret `{name}` has no version `{wanted}`");
            failed(finding(Cause::SecretVersionState, summary).about(Key::SecretVersion))
        }
        Some(version) if version.state != "ENABLED" => {
            let state = version.state.to_lowercase();
            let stands_for =
                if wanted == version.number() { String::new() } else { format!(", which `{wanted}` stands for,") };
            let summary = format!("version {} of the secret{stands_for} is {state}", version.number());
            failed(finding(Cause::SecretVersionState, summary).with_difference("ENABLED", &version.state))
        }
        Some(version) => {
            Verdict { reason: Some(format!("version {} is enabled", version.number())), ..Verdict::pass() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::operator_google::{ProjectInForce, StoredSecret, VersionInForce};
    use crate::check::facts::secret::{Answer, Call, Refusal};
    use crate::domain::profile::Guide;
    use crate::domain::secret_ref::SecretRef;

    fn read<T>(answer: Answer<T>) -> Read<T> {
        let call = Call { region: None, attempts: 1, waited_ms: 0, answer, exchange: None };
        Read { permission: "secretmanager.secrets.get", call, throttled: Throttled::default() }
    }

    fn refused<T>(code: &str, http_status: u16, message: &str) -> Read<T> {
        let message = message.to_owned();
        read(Answer::Refused(Refusal { code: code.into(), message, http_status, request_id: None }))
    }

    fn judged(
        stored: Read<StoredSecret>,
        version: Option<Read<VersionInForce>>,
        found_in: &[&str],
    ) -> (Outcome, Option<Cause>) {
        let mut profile = Profile::bare("p", Guide::GcpWorkloadIdentity);
        profile.secret = SecretRef::parse("db").ok();
        let mut facts = Facts::default();
        let project = ProjectInForce { id: "p".into(), number: "123456789012".into(), parent: None };
        facts.operator.google.project = Some(read(Answer::Granted(project)));
        let found_in = found_in.iter().map(|&place| place.to_owned()).collect();
        let verdict = secret(&SecretSide { secret: stored, version, found_in }, &facts, &profile);
        (verdict.outcome, verdict.findings.first().map(|finding| finding.cause))
    }

    #[test]
    fn every_state_of_a_secret_has_its_verdict() {
        let stored = || read(Answer::Granted(StoredSecret { name: "projects/1/secrets/db".into() }));
        let version = |state: &str| {
            let name = "projects/1/secrets/db/versions/7".into();
            Some(read(Answer::Granted(VersionInForce { name, state: state.into() })))
        };
        let missing = || refused::<StoredSecret>("NOT_FOUND", 404, "Secret [x] not found or has no versions.");
        let failed = |cause| (Outcome::Fail, Some(cause));
        assert_eq!(judged(stored(), version("ENABLED"), &[]), (Outcome::Pass, None));
        assert_eq!(judged(stored(), version("DISABLED"), &[]), failed(Cause::SecretVersionState));
        assert_eq!(judged(stored(), Some(refused("NOT_FOUND", 404, "none")), &[]), failed(Cause::SecretEmpty));
        assert_eq!(judged(missing(), None, &[]), failed(Cause::SecretNotFound));
        assert_eq!(judged(missing(), None, &["europe-west3"]), failed(Cause::SecretWrongRegion));
        assert_eq!(judged(refused("PERMISSION_DENIED", 403, "No."), None, &[]), (Outcome::Inconclusive, None));
    }

    #[test]
    fn a_service_that_is_off_in_the_operators_own_project_says_nothing_of_the_profiles() {
        let off = |number: &str| {
            let message = format!("Secret Manager API has not been used in project {number} before or it is disabled.");
            judged(refused(SERVICE_DISABLED, 403, &message), None, &[])
        };
        assert_eq!(off("123456789012"), (Outcome::Fail, Some(Cause::ApiDisabled)));
        assert_eq!(off("32555940559"), (Outcome::Inconclusive, None));
    }
}
