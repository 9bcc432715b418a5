//! What the parts of a text say about the order of its causes: accounts, regions, subjects, times, hosts.

mod caller;
mod ordered;
mod times;

use super::parsed::Parsed;
use crate::cause::Cause;
use crate::domain::issuer::{Description, IssuerKind};
use ordered::contains;

pub(super) use ordered::Ordered;

/// Orders a rule's causes by what the message around it says. `around` is that part of the text, in lower case.
/// `platform` is the one whose run the whole text is of.
pub(super) fn order(causes: &[Cause], parsed: &Parsed, around: &str, platform: Option<&Description>) -> Ordered {
    let mut ordered = Ordered { causes: causes.to_vec(), evidence: Vec::new() };
    by_subject(&mut ordered, parsed);
    by_platform(&mut ordered, around, platform);
    by_audience(&mut ordered, parsed);
    caller::by_accounts(&mut ordered, parsed);
    by_secret(&mut ordered, parsed);
    caller::by_caller(&mut ordered, parsed, around);
    times::by_assertion_times(&mut ordered, around);
    times::by_lifetime(&mut ordered, around);
    by_host(&mut ordered, parsed, around);
    caller::by_keys(&mut ordered, around);
    caller::by_credentials(&mut ordered, around);
    by_cloud(&mut ordered, around);
    by_vault_answer(&mut ordered, around);
    by_remarks(&mut ordered, around);
    ordered
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
    if first == Cause::Dns && host.is_empty() && !ordered.has(Cause::VaultDns) {
        ordered.causes.push(Cause::VaultDns);
    }
    if contains(around, &["java.net.sockettimeoutexception: connect timed out"]) && host.is_empty() {
        ordered.place(Cause::Proxy, 0);
        ordered.because(
            Cause::Proxy,
            "Java's own client reads no HTTPS_PROXY: where only a proxy may go out, it dials and waits",
        );
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
