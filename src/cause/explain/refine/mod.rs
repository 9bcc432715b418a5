//! What the parts of a text say about the order of its causes: accounts, regions, subjects, times, hosts.

use super::parsed::Parsed;
use crate::cause::Cause;
use crate::domain::issuer::{Description, IssuerKind};
use crate::domain::region::OPT_IN;
use crate::domain::timestamp;

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
    by_platform(&mut ordered, around, platform);
    by_audience(&mut ordered, parsed);
    by_accounts(&mut ordered, parsed);
    by_secret(&mut ordered, parsed);
    by_caller(&mut ordered, parsed);
    by_assertion_times(&mut ordered, around);
    by_lifetime(&mut ordered, around);
    by_host(&mut ordered, parsed, around);
    by_credentials(&mut ordered, around);
    by_cloud(&mut ordered, around);
    by_vault_answer(&mut ordered, around);
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

fn by_platform(ordered: &mut Ordered, around: &str, platform: Option<&Description>) {
    if !ordered.has(Cause::SubMismatch) || !ordered.has(Cause::RoleMissing) {
        return;
    }
    // Only GitHub's subjects have a form with ids.
    match platform {
        Some(platform) if platform.is_of(IssuerKind::GithubActions) => {}
        Some(_) => ordered.remove(Cause::ImmutableSub),
        None if ordered.has(Cause::ImmutableSub) => ordered.place(Cause::ImmutableSub, ordered.causes.len()),
        None => {}
    }
    if contains(around, &["oidc.eks.", "eks.amazonaws.com", "system:serviceaccount", "serviceaccount"]) {
        ordered.remove(Cause::ImmutableSub);
        ordered.causes.push(Cause::ExplicitDeny);
    }
    if contains(around, &["arn:aws-cn:", "arn:aws-us-gov:", "amazonaws.com.cn", "us-gov-"]) {
        ordered.place(Cause::WrongPartition, 3);
        ordered.because(Cause::WrongPartition, "the text names a partition other than `aws`");
    }
}

/// The account field of an ARN, placeholders included.
fn account_of(arn: &str) -> Option<&str> {
    arn.starts_with("arn:")
        .then(|| arn.split(':').nth(4))
        .flatten()
        .filter(|account| !account.is_empty() && !account.starts_with('*'))
}

fn by_accounts(ordered: &mut Ordered, parsed: &Parsed) {
    let caller = parsed.principal.as_deref().and_then(account_of);
    let owner = parsed.resource.as_deref().and_then(account_of);
    let (Some(caller), Some(owner)) = (caller, owner) else { return };
    let crosses = caller != owner;
    if ordered.has(Cause::ExternalId) && ordered.has(Cause::AssumeRoleDenied) {
        if crosses {
            ordered.place(Cause::ExternalId, 0);
            ordered.because(Cause::ExternalId, format!("the caller is in account {caller}, the role in {owner}; a role for another account usually asks for an external id, and the denial never mentions it"));
        } else {
            ordered.place(Cause::AssumeRoleDenied, 0);
            ordered.remove(Cause::WrongAccount);
        }
    } else if ordered.has(Cause::WrongAccount) && ordered.has(Cause::MissingGet) {
        if crosses {
            let says_so = parsed.reason.as_deref().is_some_and(|reason| reason.contains("resource-based"));
            ordered.place(Cause::WrongAccount, usize::from(!says_so));
            ordered.because(Cause::WrongAccount, format!("the caller is in account {caller}, the secret in {owner}"));
        } else {
            ordered.remove(Cause::WrongAccount);
        }
    }
}

fn by_secret(ordered: &mut Ordered, parsed: &Parsed) {
    let called = parsed
        .host
        .as_deref()
        .and_then(|host| host.strip_prefix("secretsmanager."))
        .and_then(|host| host.split('.').next());
    let arn = parsed.arns.iter().find(|arn| arn.contains(":secretsmanager:"));
    let owner_region = arn.and_then(|arn| arn.split(':').nth(3)).filter(|region| !region.is_empty());
    if ordered.has(Cause::SecretWrongRegion)
        && let (Some(called), Some(wanted)) = (called, owner_region)
    {
        if called == wanted {
            ordered.remove(Cause::SecretWrongRegion);
        } else {
            ordered.place(Cause::SecretWrongRegion, 0);
            ordered.because(Cause::SecretWrongRegion, format!("the ARN names {wanted}, the request went to {called}"));
        }
    }
    if !ordered.has(Cause::SecretArnSuffix) {
        return;
    }
    let Some(resource) = parsed.resource.as_deref() else { return };
    match resource.split_once(":secret:") {
        None if !resource.starts_with("arn:") => {
            ordered.place(Cause::SecretNotFound, 1);
            ordered.because(
                Cause::SecretNotFound,
                format!("the denial names `{resource}` instead of a full ARN: no secret of that name was found in the region asked"),
            );
            ordered.place(Cause::SecretWrongRegion, 2);
        }
        Some((_, name)) if !has_random_suffix(name) => {
            ordered.place(Cause::SecretArnSuffix, 1);
            ordered.because(
                Cause::SecretArnSuffix,
                "the ARN in the denial lacks the six random characters that every secret's ARN ends with",
            );
        }
        _ => {}
    }
}

/// Whether a secret's name in an ARN ends in `-` and six random characters.
fn has_random_suffix(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(_, tail)| tail.len() == 6 && tail.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// What the roles of Kubernetes nodes have in their names, as eksctl, the console and Terraform make them.
const NODE_ROLES: &[&str] = &["nodeinstancerole", "eksnoderole", "eks-node", "node-group", "nodegroup"];

fn by_caller(ordered: &mut Ordered, parsed: &Parsed) {
    let session =
        parsed.principal.as_deref().filter(|arn| arn.contains(":assumed-role/")).and_then(|arn| arn.rsplit('/').next());
    let role = parsed.principal.as_deref().and_then(|arn| arn.split(":assumed-role/").nth(1)).unwrap_or_default();
    let is_node = NODE_ROLES.iter().any(|mark| role.to_ascii_lowercase().contains(mark));
    if is_node && ordered.has(Cause::EnvConflict) {
        ordered.place(Cause::EnvConflict, 0);
        ordered.because(Cause::EnvConflict, "the caller is the node's role: IRSA or Pod Identity is not in effect for this pod, so the SDK fell back to the machine. Look for eks.amazonaws.com/role-arn on the service account, and for AWS_WEB_IDENTITY_TOKEN_FILE in a pod that was started after it was set");
        return;
    }
    let is_instance = session
        .and_then(|name| name.strip_prefix("i-"))
        .is_some_and(|id| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_instance && ordered.has(Cause::EnvConflict) {
        ordered.place(Cause::EnvConflict, 1);
        ordered.because(Cause::EnvConflict, "the caller is the role of a machine (its session name is an instance id), not the identity the workload was given");
    }
}

fn by_credentials(ordered: &mut Ordered, around: &str) {
    if !ordered.has(Cause::StaticKeyWrong) || !ordered.has(Cause::EnvConflict) {
        return;
    }
    if contains(around, &["assumerolewithwebidentity", "web identity", "oidc", "webidentity"]) {
        ordered.place(Cause::EnvConflict, 0);
        ordered.because(
            Cause::EnvConflict,
            "a web identity exchange sends no key of its own, so a key that is refused came from elsewhere",
        );
    }
    if let Some(region) = OPT_IN.iter().find(|region| around.contains(*region))
        && ordered.has(Cause::RegionDisabled)
    {
        ordered.place(Cause::RegionDisabled, 0);
        ordered.because(
            Cause::RegionDisabled,
            format!("{region} has to be enabled for the account before any credential works there"),
        );
    }
    if contains(around, &["cn-north-1", "cn-northwest-1", "us-gov-", "arn:aws-cn", "arn:aws-us-gov"])
        && ordered.has(Cause::WrongPartition)
    {
        ordered.place(Cause::WrongPartition, 1);
    }
}

fn by_audience(ordered: &mut Ordered, parsed: &Parsed) {
    let Some(audience) = parsed.audience.as_deref().filter(|_| ordered.has(Cause::AudMismatch)) else { return };
    match audience {
        "api://AzureADTokenExchange" => {
            if ordered.causes.first() == Some(&Cause::AudMismatch) {
                ordered.because(
                    Cause::AudMismatch,
                    "this is the public cloud's audience; the clouds of China and of the US Government take api://AzureADTokenExchangeChina and …USGov",
                );
            }
        }
        "api://AzureADTokenExchangeUSGov" | "api://AzureADTokenExchangeChina" => {
            ordered.place(Cause::WrongCloud, 1);
        }
        _ => {
            ordered.place(Cause::AudMismatch, 0);
            ordered.because(Cause::AudMismatch, "the presented audience is not the one that Entra recommends");
        }
    }
}

fn by_assertion_times(ordered: &mut Ordered, around: &str) {
    if !ordered.has(Cause::TokenExpired) || !ordered.has(Cause::ClockSkew) {
        return;
    }
    let now = time_after(around, "current time: ");
    let from = time_after(around, "assertion valid from ").or_else(|| time_after(around, "valid from "));
    let until = time_after(around, "expiry time of assertion ");
    if let (Some(now), Some(from)) = (now, from)
        && now < from
    {
        ordered.place(Cause::ClockSkew, 0);
        ordered.because(
            Cause::ClockSkew,
            format!("the assertion becomes valid {} after the time at Entra", timestamp::in_words(now.abs_diff(from))),
        );
    }
    if let (Some(now), Some(until)) = (now, until)
        && now > until
    {
        ordered.because(
            Cause::TokenExpired,
            format!("the assertion had expired {} before", timestamp::in_words(now.abs_diff(until))),
        );
    }
}

fn time_after(text: &str, mark: &str) -> Option<timestamp::UnixSeconds> {
    let (_, rest) = text.split_once(mark)?;
    // Only whole seconds matter, and Entra's times are UTC whether they end in `Z` or not.
    let seconds = rest.get(..19)?.to_uppercase();
    timestamp::parse_rfc3339(&format!("{seconds}Z"))
}

/// From here on a lifetime is that of a Kubernetes service account's default token (one year), in seconds.
const ALMOST_A_YEAR: i64 = 300 * 86_400;

fn by_lifetime(ordered: &mut Ordered, around: &str) {
    if !ordered.has(Cause::TokenLifetimeTooLong) {
        return;
    }
    let number = |mark: &str| {
        let (_, rest) = around.split_once(mark)?;
        rest[..rest.bytes().take_while(u8::is_ascii_digit).count()].parse::<i64>().ok()
    };
    let (Some(issued), Some(expires)) = (number("token issued at "), number("token expires on ")) else { return };
    let lifetime = expires.saturating_sub(issued);
    let words = timestamp::in_words(lifetime.unsigned_abs());
    if lifetime >= ALMOST_A_YEAR {
        ordered.place(Cause::WrongTokenKind, 0);
        ordered.because(Cause::WrongTokenKind, format!("the token lives {words}: that is a service account's default token, not the projected one made for federation"));
    }
    ordered.because(Cause::TokenLifetimeTooLong, format!("the token lives {words}; Entra takes 25 h"));
}

const SOVEREIGN: &[&str] = &[
    "azurechinacloud",
    "chinacloudapi",
    "azure.cn",
    "microsoftonline.cn",
    "usgov",
    "azureusgovernment",
    "azuregovernment",
    "microsoftonline.us",
    "microsoftazure.us",
    "21vianet",
];

fn by_cloud(ordered: &mut Ordered, around: &str) {
    if ordered.has(Cause::WrongCloud)
        && ordered.has(Cause::TenantWrong)
        && !ordered.has(Cause::WrongScope)
        && contains(around, SOVEREIGN)
    {
        ordered.place(Cause::WrongCloud, 0);
        ordered.because(Cause::WrongCloud, "the text names a national cloud");
    }
    if ordered.has(Cause::WrongScope) && ordered.has(Cause::WrongVaultAudience) {
        let resource = around
            .split_once("resource principal named ")
            .map_or("", |(_, rest)| rest.split(' ').next().unwrap_or_default());
        if resource.contains("vault") {
            ordered.place(Cause::WrongVaultAudience, 0);
            ordered.because(Cause::WrongVaultAudience, "the resource asked for looks like a vault's, and is not the one audience that all vaults of a cloud share");
        }
    }
}

fn by_vault_answer(ordered: &mut Ordered, around: &str) {
    if !ordered.has(Cause::RbacMissing) {
        return;
    }
    if let Some((_, rest)) = around.split_once("denyassignmentid: ")
        && !rest.starts_with("null")
        && rest.starts_with(['\'', '"'])
    {
        ordered.place(Cause::ExplicitDeny, 0);
        ordered.because(Cause::ExplicitDeny, "the vault names a deny assignment");
    }
    if around.contains("assignment: (not found)") {
        ordered.because(
            Cause::RbacMissing,
            "the vault found no role assignment that covers this caller and this resource",
        );
    }
}
