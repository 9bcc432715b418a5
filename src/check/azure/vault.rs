//! The checks of the reads at the vault: what the words of a refusal allow, narrowed by everything else that was seen.

use super::exchange::refused;
use crate::cause::keyvault::{Asked, Other};
use crate::cause::{Cause, Certainty, Finding, keyvault};
use crate::check::call::{first_line, from_words, granted, quoted, unanswered};
use crate::check::definition::{Check, Link, Reproduction, Waits, call};
use crate::check::facts::azure::{DeletedSecret, VaultFact};
use crate::check::facts::network::{AddressScope, FailureKind};
use crate::check::facts::secret::{Answer, AnyCall, Refusal};
use crate::check::facts::{Facts, as_json};
use crate::check::network;
use crate::check::secret::{list_in_words, read_in_words};
use crate::check::step::Step;
use crate::check::{CheckId, Outcome, Verdict, reproduce};
use crate::domain::ids::Cloud;
use crate::domain::keyvault::{ChallengeFit, SecretName};
use crate::domain::national_cloud;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::timestamp::rfc3339;

/// The application may list the vault's secrets.
pub const LIST: Check = Check {
    id: CheckId::AzureListSecrets,
    title: "vault's secrets can be listed",
    docs: ROLES,
    link: Link::Secret,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::VaultList),
    traffic: call!(azure.list => call, may_pass),
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.azure.list.as_ref()),
    verdict: list_secrets,
    reproduction: Reproduction::Command(|profile, _| reproduce::list_vault(profile)),
};

/// The application may read the secret, and it is there.
pub const GET: Check = Check {
    id: CheckId::AzureGetSecret,
    title: "vault's secret can be read",
    docs: ROLES,
    link: Link::Secret,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::VaultGet),
    traffic: call!(azure.secret => call, may_pass),
    waits: Waits::IfRefused,
    facts: |facts| as_json(facts.azure.secret.as_ref()),
    verdict: get_secret,
    reproduction: Reproduction::Command(|profile, _| reproduce::read_from_vault(profile)),
};

const ROLES: &str = "https://learn.microsoft.com/azure/key-vault/general/rbac-guide";

fn list_secrets(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::AzureListSecrets;
    let Some(fact) = &facts.azure.list else { return missing_vault(check, profile) };
    let mut verdict = on_vault(fact, check, Asked::List, other(facts.azure.secret.as_ref()), facts, profile);
    if let Some(list) = fact.call.granted() {
        verdict.reason = Some(with_notes(list_in_words(list), verdict.reason.take()));
    }
    verdict
}

fn get_secret(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::AzureGetSecret;
    let Some(fact) = &facts.azure.secret else { return missing_vault(check, profile) };
    let mut verdict = on_vault(fact, check, Asked::Get, other(facts.azure.list.as_ref()), facts, profile);
    if let Some(secret) = fact.call.granted() {
        let mut notes = vec![with_notes(read_in_words(&secret.read), verdict.reason.take())];
        if let Some(written) = &secret.written_name {
            notes.push(format!("sent as `{}`: a vault's names have no underscore (`{written}`)", secret.read.name));
        }
        if let Some(at) = secret.expires_at.filter(|at| *at <= facts.now) {
            notes
                .push(format!("expired {}; a vault hands out the value all the same", rfc3339(at).unwrap_or_default()));
            verdict.outcome = Outcome::Warn;
        }
        if let Some(at) = secret.not_before.filter(|at| *at > facts.now) {
            notes.push(format!("meant for use from {} only", rfc3339(at).unwrap_or_default()));
            verdict.outcome = Outcome::Warn;
        }
        verdict.reason = Some(notes.join("; "));
    }
    verdict
}

fn with_notes(words: String, notes: Option<String>) -> String {
    notes.into_iter().fold(words, |words, note| format!("{words}; {note}"))
}

/// What a vault's refusal says that may pass by itself: a role takes minutes to reach the vault.
fn may_pass(_facts: &Facts, refusal: &Refusal) -> Option<String> {
    let passing = refusal.code == "ForbiddenByRbac" || refusal.http_status == 429 || refusal.http_status >= 500;
    passing.then(|| format!("{}: {}", refusal.code, first_line(&refusal.message)))
}

fn on_vault<T>(
    fact: &VaultFact<T>,
    check: CheckId,
    asked: Asked,
    other: Other,
    facts: &Facts,
    profile: &Profile,
) -> Verdict {
    if let Some(verdict) = unfit_challenge(fact, check).or_else(|| bad_name(fact, check, profile)) {
        return verdict;
    }
    if let Some(error) = &fact.token_error {
        let reason = format!("Entra grants no token for what the vault asks for: {}", error.description);
        let finding = Finding::new(Cause::WrongScope, check, Certainty::Likely, reason.clone());
        return Verdict::fail(reason, vec![finding]);
    }
    if let Some(verdict) = unanswered(check, Cause::Proxy, &fact.call) {
        return on_the_way(fact, check, verdict);
    }
    let Some(refusal) = fact.call.refusal() else { return granted(&fact.call, "") };
    let mut findings = from_words(check, Cloud::Azure, "the vault", refusal);
    // The message's further lines are told one by one.
    let short = Refusal { message: first_line(&refusal.message).to_owned(), ..refusal.clone() };
    for finding in &mut findings {
        finding.evidence = vec![quoted("the vault", &short)];
    }
    if refusal.http_status == 429 && findings.first().is_none_or(|f| f.cause != Cause::Throttled) {
        let summary = "the vault was asked too often and wants a pause";
        let finding = Finding::new(Cause::Throttled, check, Certainty::Proven, summary);
        findings = vec![finding.with_evidence(quoted("the vault", refusal))];
    }
    if let Some(error) = &fact.error {
        let access = facts.azure.access();
        let vault = profile.azure.known_vault_name();
        let seen = keyvault::Seen {
            client_id: profile.azure.client_id.as_deref(),
            object_id: access.and_then(|a| a.object_id.as_deref()),
            token_tenant: access.and_then(|a| a.tenant_id.as_deref()),
            vault_tenant: fact.challenge.as_ref().and_then(|c| c.tenant.as_deref()),
            vault: vault.or(error.vault.as_deref()),
            other,
            recoverable: match fact.deleted {
                Some(DeletedSecret::Recoverable { .. }) => Some(true),
                Some(DeletedSecret::None) => Some(false),
                Some(DeletedSecret::NotKnown) | None => None,
            },
        };
        keyvault::narrow(&mut findings, error, check.into(), asked, &seen);
    }
    near_name(&mut findings, facts, profile);
    refused(&fact.call, findings)
}

/// The vault's challenge names another domain than its own: no token was sent there.
fn unfit_challenge<T>(fact: &VaultFact<T>, check: CheckId) -> Option<Verdict> {
    let fit = fact.challenge_fit?;
    if !matches!(fit, ChallengeFit::Differs | ChallengeFit::NoResource) {
        return None;
    }
    let asked = fact.challenge.as_ref().and_then(|c| c.resource.clone()).unwrap_or_else(|| "nothing".into());
    let expected = national_cloud::of_vault(&fact.vault).map(|c| c.vault_resource.to_owned());
    let reason = "what answers at the vault's address asks for a token that is not for this vault; none was sent";
    let mut finding = Finding::new(Cause::VaultChallengeMismatch, check, Certainty::Proven, reason)
        .with_evidence(format!("its challenge names {asked}"));
    finding.expected = expected;
    finding.actual = Some(asked);
    Some(Verdict::fail(reason, vec![finding]))
}

/// The secret's name is none that a vault takes: no request was sent.
fn bad_name<T>(fact: &VaultFact<T>, check: CheckId, profile: &Profile) -> Option<Verdict> {
    if check != CheckId::AzureGetSecret || !matches!(fact.call.answer, Answer::NotSent { .. }) {
        return None;
    }
    let error = SecretName::of(&profile.secret.as_ref()?.name).err()?;
    let finding = Finding::new(Cause::SecretNameInvalid, check, Certainty::Proven, error.to_string());
    Some(Verdict::fail(error.to_string(), vec![finding]))
}

/// No answer of the vault: a name that does not resolve, a private endpoint, or the network in general.
fn on_the_way<T>(fact: &VaultFact<T>, check: CheckId, mut verdict: Verdict) -> Verdict {
    let Answer::Network { failure } = &fact.call.answer else { return verdict };
    let private = fact
        .call
        .exchange
        .as_ref()
        .is_some_and(|e| e.proxy.is_none() && e.addresses.iter().any(|a| a.scope == AddressScope::Private));
    let found = match failure.kind {
        FailureKind::Dns if failure.proxy.is_none() => {
            let summary = format!("no vault has the name {}", failure.host);
            Finding::new(Cause::VaultDns, check, Certainty::Proven, summary)
        }
        FailureKind::Timeout | FailureKind::Unreachable | FailureKind::Refused if private => {
            let summary = "the vault's name leads to a private address that cannot be reached from here";
            Finding::new(Cause::PrivateEndpoint, check, Certainty::Likely, summary)
        }
        // A vault's host always answers: where nothing listens, the address is no vault's.
        FailureKind::Refused if failure.proxy.is_none() => {
            let finding = network::finding(check, failure).about(Key::VaultUrl);
            return Verdict::fail(finding.summary.clone(), vec![finding]);
        }
        _ => return verdict,
    };
    let found = found.with_evidence(failure.to_string());
    verdict.reason = Some(found.summary.clone());
    verdict.findings = vec![found];
    verdict
}

/// A secret that is not found may have a name close by.
fn near_name(findings: &mut [Finding], facts: &Facts, profile: &Profile) {
    let list = facts.azure.list.as_ref().and_then(|fact| fact.call.granted());
    let (Some(nearest), Some(secret)) = (list.and_then(|l| l.nearest.as_ref()), &profile.secret) else { return };
    for finding in findings.iter_mut().filter(|f| f.cause == Cause::SecretNotFound && f.actual.is_none()) {
        finding.expected = Some(secret.name.clone());
        finding.actual = Some(nearest.clone());
        finding.evidence.push(format!("the list of secrets has `{nearest}`"));
    }
}

fn other<T>(fact: Option<&VaultFact<T>>) -> Other {
    match fact {
        Some(fact) if fact.call.granted().is_some() => Other::Granted,
        Some(fact) if is_denied(fact) => Other::Denied,
        // A secret that is missing or disabled is told only to those who may read it.
        Some(fact)
            if fact
                .error
                .as_ref()
                .is_some_and(|e| matches!(e.best_code(), Some("SecretNotFound" | "SecretDisabled"))) =>
        {
            Other::Granted
        }
        _ => Other::NotKnown,
    }
}

fn is_denied<T>(fact: &VaultFact<T>) -> bool {
    fact.error.as_ref().is_some_and(keyvault::is_denial)
}

fn missing_vault(check: CheckId, profile: &Profile) -> Verdict {
    if profile.azure.vault_url.is_some() {
        return Verdict::inconclusive("no answer was seen", Vec::new());
    }
    let reason = "the profile does not say azure.vault-url";
    let finding = Finding::new(Cause::VaultUrlMissing, check, Certainty::Proven, reason);
    Verdict::inconclusive(reason, vec![finding])
}
