//! Verdicts on Entra's and the vault's answers: what the words of a refusal allow, narrowed by everything else that was
//! seen.

use super::cloud::{from_words, granted, list_in_words, quoted, read_in_words, unanswered};
use super::network;
use crate::cause::explain::Provider;
use crate::cause::keyvault::{Asked, Other};
use crate::cause::{Cause, Certainty, Finding, entra, keyvault};
use crate::check::facts::Facts;
use crate::check::facts::azure::{CredentialKind, DeletedSecret, VaultFact};
use crate::check::facts::cloud::{Answer, Call, Refusal};
use crate::check::facts::network::{AddressScope, FailureKind};
use crate::check::{CheckId, Outcome, Verdict};
use crate::domain::entra::cloud;
use crate::domain::iam::Decision;
use crate::domain::keyvault::{ChallengeFit, SecretName};
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::signature::SignatureState;
use crate::domain::timestamp::rfc3339;

/// The federated credentials at hand accept the token.
pub fn credentials(facts: &Facts) -> Verdict {
    let check = CheckId::TrustPolicy;
    let Some(fact) = &facts.azure.credentials else {
        return Verdict::inconclusive("no federated credential was read", Vec::new());
    };
    if fact.is_missing {
        return super::trust::missing(fact.problem.as_deref().unwrap_or_default(), Key::FederatedCredential);
    }
    let Some(evaluation) = &fact.evaluation else {
        return Verdict::inconclusive(fact.problem.clone().unwrap_or_default(), Vec::new());
    };
    let verdict = match evaluation.decision {
        Decision::Allow if evaluation.problems.is_empty() => Verdict::pass(),
        Decision::Allow => {
            let problems: Vec<String> = evaluation.problems.iter().map(ToString::to_string).collect();
            Verdict::warn(problems.join("; "), Vec::new())
        }
        Decision::Deny => {
            let mut findings = entra::of_credentials(evaluation, check.id());
            for finding in &mut findings {
                finding.evidence.push(format!("read from {}", fact.source));
                finding.evidence.extend(evaluation.problems.iter().map(ToString::to_string));
            }
            let reason = findings.first().map(|f| f.summary.clone()).unwrap_or_default();
            Verdict::fail(reason, findings)
        }
        Decision::Unknown => {
            let problems: Vec<String> = evaluation.problems.iter().map(ToString::to_string).collect();
            let open = || "whether a federated credential accepts it depends on what is unknown here".to_owned();
            let reason = Some(problems.join("; ")).filter(|told| !told.is_empty()).unwrap_or_else(open);
            Verdict::inconclusive(reason, Vec::new())
        }
    };
    match facts.predicted_claims().filter(|_| fact.predicted) {
        Some(predicted) => super::trust::predicted_verdict(verdict, predicted, fact.accepts_only.as_deref()),
        None => verdict,
    }
}

/// Entra exchanges the token, or the client secret, for an access token.
pub fn exchange(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::AzureExchange;
    let Some(fact) = &facts.azure.exchange else {
        return missing_settings(check, profile);
    };
    if let Some(verdict) = unanswered(check, Cause::Proxy, &fact.call) {
        return verdict;
    }
    let Some(refusal) = fact.call.refusal() else {
        let object = fact.call.granted().and_then(|access| access.object_id.as_deref());
        return granted(&fact.call, object.map_or_else(String::new, |id| format!("as service principal {id}")));
    };
    let mut findings = from_words(check, Provider::Azure, "Entra", refusal);
    if refusal.http_status == 429 && !findings.iter().any(|f| f.cause == Cause::Throttled) {
        let summary = "Entra was asked too often and wants a pause";
        let finding = Finding::new(Cause::Throttled, check.id(), Certainty::Proven, summary);
        findings.insert(0, finding.with_evidence(quoted("Entra", refusal)));
    }
    if let Some(error) = &fact.error {
        let token = facts.token.as_ref().and_then(|t| t.token());
        let audience = token.and_then(|t| t.audiences().first().map(|a| (*a).to_owned()));
        let seen = entra::Seen {
            client_id: Some(&fact.client_id),
            authority: Some(&fact.authority),
            vault_url: profile.azure.vault_url.as_deref(),
            evaluation: facts.azure.credentials.as_ref().and_then(|c| c.evaluation.as_ref()),
            now: facts.now,
            expires_at: token.and_then(|t| t.expires_at()),
            audience: audience.as_deref(),
            kid: token.and_then(|t| t.kid()),
            verified_here: match facts.signature.as_ref().map(|s| s.signature.state) {
                Some(SignatureState::Verified) => Some(true),
                Some(SignatureState::Failed) => Some(false),
                _ => None,
            },
        };
        entra::narrow(&mut findings, error, check.id(), &seen);
    }
    if fact.credential == CredentialKind::ClientSecretLikeAnId {
        for finding in findings.iter_mut().filter(|f| f.cause == Cause::ClientSecretWrong) {
            finding.certainty = Certainty::Proven;
            finding.evidence.push("what was sent is a UUID, as a secret's id is; its value is another text".into());
        }
    }
    refused(&fact.call, findings)
}

/// The application may list the vault's secrets.
pub fn list_secrets(facts: &Facts, profile: &Profile) -> Verdict {
    let check = CheckId::AzureListSecrets;
    let Some(fact) = &facts.azure.list else { return missing_vault(check, profile) };
    let mut verdict = on_vault(fact, check, Asked::List, other(facts.azure.secret.as_ref()), facts, profile);
    if let Some(list) = fact.call.granted() {
        verdict.reason = Some(with_notes(list_in_words(list), verdict.reason.take()));
    }
    verdict
}

/// The application may read the secret, and it is there.
pub fn get_secret(facts: &Facts, profile: &Profile) -> Verdict {
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

/// What an exchange's refusal says that may pass by itself: Entra is eventually consistent, so an application,
/// service principal or credential made minutes ago is refused as if it were not there.
pub fn exchange_may_pass(facts: &Facts) -> Option<String> {
    let fact = facts.azure.exchange.as_ref()?;
    let refusal = fact.call.refusal()?;
    let evaluation = facts.azure.credentials.as_ref().and_then(|c| c.evaluation.as_ref());
    if evaluation.is_some_and(|e| e.decision == Decision::Deny) && fact.error.as_ref().is_some_and(entra::is_no_match) {
        // What the credential itself denies will not be granted later.
        return None;
    }
    let error = fact.error.as_ref();
    let new = error.is_some_and(|e| {
        entra::is_no_match(e) || e.codes.iter().any(|c| [700016, 7000229, 90024, 90033, 90055].contains(c))
    });
    (new || refusal.http_status == 429 || refusal.http_status >= 500)
        .then(|| format!("{}: {}", refusal.code, refusal.message))
}

/// What a vault's refusal says that may pass by itself: a role takes minutes to reach the vault.
pub fn vault_may_pass<T>(fact: &VaultFact<T>) -> Option<String> {
    let refusal = fact.call.refusal()?;
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
        let finding = Finding::new(Cause::WrongScope, check.id(), Certainty::Likely, reason.clone());
        return Verdict::fail(reason, vec![finding]);
    }
    if let Some(verdict) = unanswered(check, Cause::Proxy, &fact.call) {
        return on_the_way(fact, check, verdict);
    }
    let Some(refusal) = fact.call.refusal() else { return granted(&fact.call, "") };
    let mut findings = from_words(check, Provider::Azure, "the vault", refusal);
    // The message's further lines are told one by one.
    let short = Refusal { message: first_line(&refusal.message).to_owned(), ..refusal.clone() };
    for finding in &mut findings {
        finding.evidence = vec![quoted("the vault", &short)];
    }
    if refusal.http_status == 429 && findings.first().is_none_or(|f| f.cause != Cause::Throttled) {
        let summary = "the vault was asked too often and wants a pause";
        let finding = Finding::new(Cause::Throttled, check.id(), Certainty::Proven, summary);
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
        keyvault::narrow(&mut findings, error, check.id(), asked, &seen);
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
    let expected = cloud::of_vault(&fact.vault).map(|c| c.vault_resource.to_owned());
    let reason = "what answers at the vault's address asks for a token that is not for this vault; none was sent";
    let mut finding = Finding::new(Cause::VaultChallengeMismatch, check.id(), Certainty::Proven, reason)
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
    let finding = Finding::new(Cause::SecretNameInvalid, check.id(), Certainty::Proven, error.to_string());
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
            Finding::new(Cause::VaultDns, check.id(), Certainty::Proven, summary)
        }
        FailureKind::Timeout | FailureKind::Unreachable | FailureKind::Refused if private => {
            let summary = "the vault's name leads to a private address that cannot be reached from here";
            Finding::new(Cause::PrivateEndpoint, check.id(), Certainty::Likely, summary)
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

fn missing_settings(check: CheckId, profile: &Profile) -> Verdict {
    let settings = [
        (profile.azure.tenant_id.is_none(), "azure.tenant-id"),
        (profile.azure.client_id.is_none(), "azure.client-id"),
    ];
    let missing: Vec<&str> = settings.iter().filter_map(|(missing, key)| missing.then_some(*key)).collect();
    if missing.is_empty() {
        return Verdict::inconclusive("no answer was seen", Vec::new());
    }
    let reason = format!("the profile does not say {}", missing.join(" and "));
    let finding = Finding::new(Cause::EnvNotSet, check.id(), Certainty::Proven, reason.clone());
    Verdict::inconclusive(reason, vec![finding])
}

fn missing_vault(check: CheckId, profile: &Profile) -> Verdict {
    if profile.azure.vault_url.is_some() {
        return Verdict::inconclusive("no answer was seen", Vec::new());
    }
    let reason = "the profile does not say azure.vault-url";
    let finding = Finding::new(Cause::VaultUrlMissing, check.id(), Certainty::Proven, reason);
    Verdict::inconclusive(reason, vec![finding])
}

fn refused<T>(call: &Call<T>, findings: Vec<Finding>) -> Verdict {
    let reason = call.refusal().map(|r| format!("{}: {}", r.code, first_line(&r.message))).unwrap_or_default();
    Verdict::fail(reason, findings)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
