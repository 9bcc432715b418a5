//! The account's identity provider: for the profile's issuer and audience, never for what a token says.

use serde_json::json;

use super::{Sh, piece, pretty};
use crate::cause::{Actor, Cause, Finding, Fix};
use crate::domain::arn::RoleArn;
use crate::domain::issuer::provider_arn;
use crate::domain::profile::expected;
use crate::remedy::Context;
use crate::remedy::check;

const PROPAGATION_S: u32 = 60;

/// The fixes for a provider that is missing or incomplete.
pub(super) fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let Some(wanted) = Wanted::of(context) else { return Vec::new() };
    if let Some(fix) = foreign_issuer(&wanted, context) {
        return vec![fix];
    }
    let fix = match finding.cause {
        Cause::ProviderMissing => Some(create(&wanted, context)),
        Cause::AudNotRegistered => Some(register_audience(&wanted, context)),
        _ => register_thumbprint(&wanted, context),
    };
    fix.into_iter().collect()
}

/// The provider that the profile asks for.
struct Wanted {
    issuer: String,
    audience: String,
    account: String,
    arn: String,
}

impl Wanted {
    fn of(context: Context<'_>) -> Option<Self> {
        let profile = context.profile;
        let role: &RoleArn = profile.aws.role_arn.as_ref()?;
        let predicted = || Some(expected::predicted_claims(profile)?.claims.get("iss")?.as_str()?.to_owned());
        let issuer = profile.issuer_url.clone().or_else(predicted)?;
        let arn = provider_arn(&issuer, &role.partition, &role.account);
        Some(Wanted { audience: expected::audience(profile)?, account: role.account.clone(), arn, issuer })
    }
}

/// A token of another issuer is another platform's: no provider is made for it.
fn foreign_issuer(wanted: &Wanted, context: Context<'_>) -> Option<Fix> {
    let issuer = context.facts.claims()?.get("iss")?.as_str()?;
    (issuer != wanted.issuer).then(|| Fix {
        text: format!(
            "The token is of {issuer}, and the profile trusts {}: take a token of that issuer. Do not register the other one.",
            wanted.issuer
        ),
        ..Fix::default()
    })
}

/// The audience that counts in the token at hand.
fn audience_of_token(context: Context<'_>) -> Option<String> {
    let claims = context.facts.claims()?;
    let counting = claims.get("azp").or_else(|| claims.get("aud"))?;
    let one = counting.as_array().and_then(|list| list.first()).unwrap_or(counting);
    one.as_str().map(str::to_owned)
}

fn create(wanted: &Wanted, context: Context<'_>) -> Fix {
    let provider = json!({ "Url": wanted.issuer, "ClientIDList": [wanted.audience] });
    let script = || {
        Sh::new(context.profile)
            .document("provider.json", &provider)
            .with("PROVIDER", &wanted.arn)
            .in_account(Some(&wanted.account))
    };
    Fix {
        text: format!(
            "Register {} as an identity provider of account {}, for the audience {} alone.",
            wanted.issuer, wanted.account, wanted.audience
        ),
        command: Some(script().run(piece!("create-provider.sh")).finish()),
        document: Some(pretty(&provider)),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        undo: Some(script().run(piece!("delete-provider.sh")).finish()),
        ..Fix::default()
    }
}

/// The profile's audience is registered; a token for another one is the platform's to change.
fn register_audience(wanted: &Wanted, context: Context<'_>) -> Fix {
    if let Some(other) = audience_of_token(context).filter(|audience| *audience != wanted.audience) {
        return Fix {
            text: format!(
                "The token is for the audience {other}; AWS expects {}. Please let tokens for AWS carry \"aud\": \"{}\".",
                wanted.audience, wanted.audience
            ),
            actor: Actor::Platform,
            ..Fix::default()
        };
    }
    let client_id = json!({ "OpenIDConnectProviderArn": wanted.arn, "ClientID": wanted.audience });
    let script = || {
        Sh::new(context.profile)
            .document("client-id.json", &client_id)
            .with("PROVIDER", &wanted.arn)
            .in_account(Some(&wanted.account))
    };
    Fix {
        text: format!("Add {} to the client ids of the identity provider; the others stay.", wanted.audience),
        command: Some(script().run(piece!("add-client-id.sh")).finish()),
        document: Some(pretty(&client_id)),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        undo: Some(script().run(piece!("remove-client-id.sh")).finish()),
        ..Fix::default()
    }
}

/// The thumbprint of the certificates that the issuer serves now, besides those registered.
fn register_thumbprint(wanted: &Wanted, context: Context<'_>) -> Option<Fix> {
    let thumbprint = context.facts.issuer.registered_tls()?.chain.thumbprint()?;
    let script = |change: &str| {
        Sh::new(context.profile)
            .with("PROVIDER", &wanted.arn)
            .with("THUMBPRINT", thumbprint)
            .in_account(Some(&wanted.account))
            .run(change)
            .finish()
    };
    Some(Fix {
        text: format!("Add the thumbprint {thumbprint} to the identity provider; the others stay."),
        command: Some(script(piece!("add-thumbprint.sh"))),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        undo: Some(script(piece!("remove-thumbprint.sh"))),
        ..Fix::default()
    })
}
