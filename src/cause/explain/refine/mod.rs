//! What the parts of a text say about the order of its causes: accounts, regions, subjects, times, hosts.

mod aws;
mod azure;

use super::parsed::Parsed;
use crate::cause::Cause;
use crate::domain::issuer::Description;

/// The causes of one message in the order in which the text itself supports them, and what supports it.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    pub causes: Vec<Cause>,
    /// Facts from the text that speak for a cause.
    pub evidence: Vec<(Cause, String)>,
}

/// Orders a rule's causes by what the message around it says. `around` is that part of the text, in lower case.
/// `platform` is the one whose run the whole text is of.
pub(super) fn order(causes: &[Cause], parsed: &Parsed, around: &str, platform: Option<&Description>) -> Ordered {
    let mut ordered = Ordered { causes: causes.to_vec(), evidence: Vec::new() };
    by_subject(&mut ordered, parsed);
    aws::by_platform(&mut ordered, around, platform);
    azure::by_audience(&mut ordered, parsed);
    aws::by_accounts(&mut ordered, parsed);
    aws::by_secret(&mut ordered, parsed);
    aws::by_caller(&mut ordered, parsed);
    azure::by_assertion_times(&mut ordered, around);
    azure::by_lifetime(&mut ordered, around);
    by_host(&mut ordered, parsed, around);
    aws::by_credentials(&mut ordered, around);
    azure::by_cloud(&mut ordered, around);
    azure::by_vault_answer(&mut ordered, around);
    by_remarks(&mut ordered, around);
    ordered
}

impl Ordered {
    fn has(&self, cause: Cause) -> bool {
        self.causes.contains(&cause)
    }

    /// Moves or adds a cause to this place.
    fn place(&mut self, cause: Cause, place: usize) {
        self.causes.retain(|known| *known != cause);
        self.causes.insert(place.min(self.causes.len()), cause);
    }

    fn remove(&mut self, cause: Cause) {
        self.causes.retain(|known| *known != cause);
    }

    fn because(&mut self, cause: Cause, fact: impl Into<String>) {
        self.evidence.push((cause, fact.into()));
    }
}

fn by_subject(ordered: &mut Ordered, parsed: &Parsed) {
    let Some(subject) = parsed.subject.as_deref().filter(|_| ordered.has(Cause::ImmutableSub)) else { return };
    let Some(repository) = subject.strip_prefix("repo:") else {
        ordered.remove(Cause::ImmutableSub);
        return;
    };
    let has_ids = repository.split([':', '/']).next().is_some_and(|owner| owner.contains('@'));
    if has_ids {
        ordered.place(Cause::ImmutableSub, 0);
        ordered.because(
            Cause::ImmutableSub,
            "the token's subject carries GitHub's numeric ids; trust written with names alone no longer matches it",
        );
    } else {
        ordered.because(
            Cause::ImmutableSub,
            "the token's subject is in the name form; trust that was written with GitHub's numeric ids does not match it",
        );
    }
}

fn by_host(ordered: &mut Ordered, parsed: &Parsed, around: &str) {
    const REACHING: [Cause; 4] = [Cause::Dns, Cause::ConnectRefused, Cause::ConnectTimeout, Cause::Proxy];
    let Some(first) = ordered.causes.first().copied().filter(|cause| REACHING.contains(cause)) else { return };
    let host = parsed.host.as_deref().unwrap_or_default().to_lowercase();
    let is_vault = contains(&host, &[".vault.azure.", ".vaultcore.azure.", ".vault.usgovcloudapi.", ".managedhsm."]);
    if first == Cause::Dns
        && (is_vault || host.is_empty() && contains(around, &["key vault", "keyvault", "vault.azure", "the vault"]))
    {
        ordered.place(Cause::VaultDns, 0);
        ordered.place(Cause::PrivateEndpoint, 1);
    } else if first == Cause::ConnectTimeout && is_vault {
        ordered.place(Cause::PrivateEndpoint, 1);
        ordered.place(Cause::Firewall, 2);
    }
    let names_proxy = ordered.causes.len() == 1;
    if (host.starts_with("sts.") || host.starts_with("sts-") || host.contains(".sts."))
        && host.contains("amazonaws")
        && !names_proxy
    {
        ordered.place(Cause::StsUnreachable, usize::from(first == Cause::Dns));
        ordered.because(Cause::StsUnreachable, format!("the address dialled is {host}"));
        if contains(around, &["http://sts"]) {
            ordered
                .because(Cause::StsUnreachable, "it was dialled over plain http: TLS is switched off in some setting");
        }
    }
}

/// What people write beside a message, and the cause it speaks for. None of these words is part of a message that
/// leaves several causes open.
const REMARKS: &[(&[&str], Cause)] = &[
    (
        &["intermittent", "sporadic", "sometimes fails", "fails sometimes", "fails randomly", "occasionally", "flaky"],
        Cause::Transient,
    ),
    (
        &[
            "intermittent",
            "sporadic",
            "sometimes fails",
            "fails sometimes",
            "fails randomly",
            "occasionally",
            "in parallel",
            "many jobs",
        ],
        Cause::IdpThrottled,
    ),
    (
        &[
            "just created",
            "newly created",
            "freshly created",
            "right after creat",
            "immediately after creat",
            "seconds after",
            "minutes after",
            "works after a while",
            "works on retry",
        ],
        Cause::PropagationDelay,
    ),
    (
        &["lower case", "lowercase", "upper case", "uppercase", "capital letter", "letter case", "different case"],
        Cause::SubCaseMismatch,
    ),
    (&["renamed", "transferred", "immutable sub"], Cause::ImmutableSub),
    (&["requires an external id", "external id", "externalid", "external_id"], Cause::ExternalId),
    (&["role chaining", "chain roles", "chained role", "second role"], Cause::WrongFlow),
    (&["self-hosted runner", "self hosted runner"], Cause::EnvConflict),
    (&["another region", "different region", "other region", "wrong region", "cross-region"], Cause::SecretWrongRegion),
    (&["clock drift", "wrong clock", "system clock", "ntp ", "time sync", "timezone", "time zone"], Cause::ClockSkew),
    (&["behind a proxy", "corporate proxy", "behind a corporate"], Cause::Proxy),
    (&["private endpoint", "private link"], Cause::PrivateEndpoint),
    (&["versionstage"], Cause::VersionstageCondition),
];

fn by_remarks(ordered: &mut Ordered, around: &str) {
    for (words, cause) in REMARKS {
        if ordered.has(*cause)
            && let Some(word) = words.iter().find(|word| around.contains(*word))
        {
            ordered.place(*cause, 0);
            ordered.because(*cause, format!("the text also says `{}`", word.trim()));
        }
    }
}

fn contains(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}
