//! What a message of Entra or Key Vault says by the audiences, times and resources in it.

use super::{Ordered, contains};
use crate::cause::Cause;
use crate::cause::explain::parsed::Parsed;
use crate::domain::timestamp;

pub(super) fn by_audience(ordered: &mut Ordered, parsed: &Parsed) {
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

pub(super) fn by_assertion_times(ordered: &mut Ordered, around: &str) {
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

pub(super) fn by_lifetime(ordered: &mut Ordered, around: &str) {
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

pub(super) fn by_cloud(ordered: &mut Ordered, around: &str) {
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

pub(super) fn by_vault_answer(ordered: &mut Ordered, around: &str) {
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
