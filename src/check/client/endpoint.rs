//! `client.endpoint`: the region, the STS or authority, the proxy and the certificate authorities, as the client sees them.

use serde_json::json;

use super::fault::{Fault, Remedy, Weight, verdict};
use crate::cause::Cause;
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::Facts;
use crate::check::facts::client::private_authority;
use crate::check::facts::network::Tls;
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::client::aws_choice::{self, ENDPOINTS_OFF, STS_ENDPOINTS, Sts};
use crate::domain::client::entra_choice::{self, AzureBecause, AzureSource};
use crate::domain::client::{AwsBehaviour, AzureBehaviour, Client, EndpointForm, Surroundings, TRUST_VARIABLES};
use crate::domain::ids::Cloud;
use crate::domain::national_cloud::of_authority;
use crate::domain::profile::Profile;
use crate::domain::text::quote;

const ID: CheckId = CheckId::ClientEndpoint;

/// The client sends the token to where trustline sent it, by the same way.
pub const CHECK: Check = Check {
    id: ID,
    title: "the client asks the same endpoint by the same way",
    docs: "https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html",
    link: Link::Role,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::Client),
    traffic: Traffic::None,
    waits: Waits::If(|_, _| true),
    facts: |facts| facts.client.as_ref().map(|fact| json!({ "authorities_of": fact.authorities_of })),
    verdict: endpoint,
    reproduction: Reproduction::JudgedHere,
};

fn endpoint(facts: &Facts, profile: &Profile) -> Verdict {
    let private = private_authority(facts, profile);
    verdict(ID, facts, profile, |client, facts, profile| {
        let Some(around) = facts.client.as_ref().map(|fact| &fact.around) else { return Vec::new() };
        let (cloud, trust) = (profile.guide.cloud(), trust_of(client, profile.guide.cloud()));
        let mut faults = match (cloud, &client.aws, &client.azure) {
            (Cloud::Aws, Some(aws), _) => at_aws(aws, around, profile),
            (Cloud::Azure, _, Some(azure)) => at_azure(azure, around),
            _ => Vec::new(),
        };
        // That a public host is asked as well concerns whoever runs that client, not everybody.
        let azure = client.azure.as_ref().filter(|_| cloud == Cloud::Azure && !profile.clients.is_empty());
        faults.extend(azure.and_then(|azure| asks_elsewhere_first(azure, around)));
        faults.extend(private.and_then(|tls| untrusted(tls, trust, around)));
        faults
    })
}

fn fault(cause: Cause, said: String, expected: &str, actual: String, fix: Option<Remedy>) -> Fault {
    Fault { cause, said, expected: expected.to_owned(), actual, fix, weight: Weight::Breaks }
}

fn at_aws(client: &AwsBehaviour, around: &Surroundings, profile: &Profile) -> Vec<Fault> {
    let choice = aws_choice::choose(client, around);
    let mut faults: Vec<Fault> = of_region(client, around, profile, &choice.sts).into_iter().collect();
    faults.extend(of_endpoint(client, around, &choice.sts));
    let asked = match &choice.sts {
        Sts::Host(host) => host,
        _ => return faults,
    };
    let honours_proxy = client.honours.iter().any(|name| name == "HTTPS_PROXY");
    if let Some(variable) = around.proxy_for(asked).filter(|_| !honours_proxy) {
        faults.push(Fault {
            weight: Weight::MayBreak,
            ..fault(
                Cause::ClientSettingIgnored,
                format!("{variable} is not read, and {asked} is dialled directly"),
                "through the proxy",
                "directly".to_owned(),
                Remedy::advice("Give the client the proxy in its own way (for the AWS SDK for JavaScript, a request handler with an agent), or open the direct way."),
            )
        });
    }
    faults
}

/// A region that the client does not see, or another one than this program's.
fn of_region(client: &AwsBehaviour, around: &Surroundings, profile: &Profile, sts: &Sts) -> Option<Fault> {
    let meant = profile.aws.region.as_deref()?;
    let first = client.region_variables.first()?;
    match around.first_set(&client.region_variables) {
        Some((_, region)) if region == meant => None,
        Some((variable, region)) => Some(fault(
            Cause::EnvConflict,
            format!("the region comes from {variable}, so another region's STS and secret are asked"),
            meant,
            region.to_owned(),
            Remedy::run(
                "Let both variables name the region that is meant.",
                format!("export {variable}={}", quote(meant)),
            ),
        )),
        None => {
            let follows = match sts {
                Sts::Host(host) => format!("{host} is asked, and a regional service cannot be"),
                Sts::Endpoint(variable) => {
                    format!("the endpoint of {variable} is asked, and a regional service cannot be")
                }
                Sts::OfBucket => "the bucket's region is looked up".to_owned(),
                Sts::Unfit(_) | Sts::NoRegion(_) => "STS is not asked at all".to_owned(),
            };
            Some(fault(
                Cause::EnvNotSet,
                format!("the region comes from {}, which is not set: {follows}", client.region_variables.join(" or ")),
                meant,
                "no region".to_owned(),
                Remedy::run("Set the variable that the client reads.", format!("export {first}={}", quote(meant))),
            ))
        }
    }
}

/// An endpoint that the client passes over, or takes for something else.
fn of_endpoint(client: &AwsBehaviour, around: &Surroundings, sts: &Sts) -> Option<Fault> {
    let (set, value) = around.first_set(&STS_ENDPOINTS)?;
    let wants = match client.endpoint_form.unwrap_or_default() {
        EndpointForm::Url => "a URL with its scheme",
        EndpointForm::Host => "a bare host name",
    };
    let form = if value.contains("://") { "a URL" } else { "a bare host name" };
    match sts {
        Sts::Endpoint(variable) if around.is_true(ENDPOINTS_OFF) => Some(fault(
            Cause::ClientSettingIgnored,
            format!("{ENDPOINTS_OFF} is not read, and the endpoint of {variable} is asked nevertheless"),
            "the region's STS",
            format!("the endpoint of {variable}"),
            Remedy::run("Take the endpoint out of the program's environment.", format!("unset {variable}")),
        )),
        Sts::Endpoint(_) => None,
        Sts::Unfit(variable) => Some(fault(
            Cause::ClientSettingIgnored,
            format!("{variable} has to be {wants}: as {form} it is never reached, and STS is not asked at all"),
            wants,
            form.to_owned(),
            Remedy::advice(format!(
                "Set {variable} in the form that this client takes, for this program alone: other clients take the other form."
            )),
        )),
        _ if around.is_true(ENDPOINTS_OFF) => None,
        Sts::Host(host) => Some(fault(
            Cause::ClientSettingIgnored,
            format!("{set} is not read, and {host} is asked"),
            &format!("the endpoint of {set}"),
            host.clone(),
            Remedy::advice(
                "Let the public name lead to the endpoint (private DNS of the VPC endpoint), or name it in the client's code.",
            ),
        )),
        Sts::OfBucket | Sts::NoRegion(_) => None,
    }
}

fn at_azure(client: &AzureBehaviour, around: &Surroundings) -> Vec<Fault> {
    let choice = entra_choice::choose(client, around);
    let machine = choice.source == AzureSource::Machine;
    let follows =
        if machine { "the token is not sent, and the machine's identity is asked for" } else { "no token is sent" };
    let found = choice.because.and_then(|because| {
        Some(match because {
            AzureBecause::NoAuthority => fault(
                Cause::ClientSettingIgnored,
                format!("AZURE_AUTHORITY_HOST has to be set and to end in a slash: {follows}"),
                "https://login.microsoftonline.com/",
                around.set("AZURE_AUTHORITY_HOST").unwrap_or("not set").to_owned(),
                Remedy::run(
                    "Set the authority with its slash.",
                    format!("export AZURE_AUTHORITY_HOST={}", quote(&with_slash(around.set("AZURE_AUTHORITY_HOST")))),
                ),
            ),
            AzureBecause::TenantInAuthority => {
                let written = around.set("AZURE_AUTHORITY_HOST").unwrap_or_default();
                fault(
                    Cause::TenantWrong,
                    "AZURE_AUTHORITY_HOST holds the tenant too, and the tenant is written behind it once more"
                        .to_owned(),
                    &host_of(written),
                    written.to_owned(),
                    Remedy::run(
                        "Leave the tenant to AZURE_TENANT_ID.",
                        format!("export AZURE_AUTHORITY_HOST={}", quote(&host_of(written))),
                    ),
                )
            }
            AzureBecause::PlainHttp => fault(
                Cause::ClientSettingIgnored,
                format!("AZURE_AUTHORITY_HOST has to be https: {follows}"),
                "https",
                "http".to_owned(),
                None,
            ),
            AzureBecause::NoScheme => fault(
                Cause::ClientSettingIgnored,
                format!("AZURE_AUTHORITY_HOST has to begin with https://: {follows}"),
                "https://…",
                "no scheme".to_owned(),
                Remedy::run(
                    "Write the authority with its scheme.",
                    format!(
                        "export AZURE_AUTHORITY_HOST={}",
                        quote(&format!("https://{}", around.set("AZURE_AUTHORITY_HOST").unwrap_or_default()))
                    ),
                ),
            ),
            _ => return None,
        })
    });
    found.into_iter().collect()
}

/// A public host that the client asks about a private authority before it sends the token there.
fn asks_elsewhere_first(client: &AzureBehaviour, around: &Surroundings) -> Option<Fault> {
    let asked = client.asks_first.first()?;
    let authority = entra_choice::choose(client, around).authority.filter(|host| of_authority(host).is_none())?;
    Some(Fault {
        weight: Weight::MayBreak,
        ..fault(
            Cause::ClientSettingIgnored,
            format!(
                "{asked} is asked whether it knows {authority}, before the token is sent: without a way there none is"
            ),
            &authority,
            format!("{asked} first"),
            Remedy::advice(format!(
                "Open the way to {asked}, or let the credential be made with the look-up of the authority turned off (in Python and JavaScript `disable_instance_discovery`, `disableInstanceDiscovery`)."
            )),
        )
    })
}

fn with_slash(authority: Option<&str>) -> String {
    format!("{}/", authority.unwrap_or("https://login.microsoftonline.com").trim_end_matches('/'))
}

/// An authority without the path behind its host.
fn host_of(authority: &str) -> String {
    let (scheme, rest) = authority.split_once("://").unwrap_or(("https", authority));
    format!("{scheme}://{}/", rest.split('/').next().unwrap_or(rest))
}

/// Where a client takes certificate authorities from.
#[derive(Clone, Copy)]
struct Trust<'a> {
    variables: &'a [String],
    system: bool,
}

fn trust_of(client: &Client, cloud: Cloud) -> Trust<'_> {
    let aws = client.aws.as_ref().map(|aws| Trust { variables: &aws.trust_variables, system: aws.system_store });
    let azure =
        client.azure.as_ref().map(|azure| Trust { variables: &azure.trust_variables, system: azure.system_store });
    let google =
        client.google.as_ref().map(|google| Trust { variables: &google.trust_variables, system: google.system_store });
    let own = match cloud {
        Cloud::Aws => aws,
        Cloud::Azure => azure,
        Cloud::Gcp => google,
    };
    own.unwrap_or(Trust { variables: &[], system: true })
}

fn untrusted(tls: &Tls, trust: Trust<'_>, around: &Surroundings) -> Option<Fault> {
    let by_variable = around.first_set(TRUST_VARIABLES).map(|(name, _)| name);
    let is_told = around.first_set(trust.variables).is_some();
    // What a flag tells this program, a client may be told in its code.
    let by_flag = tls.named_authority && by_variable.is_none();
    let by_system = trust.system && by_variable.is_none();
    if is_told || by_flag || by_system {
        return None;
    }
    let authority = &tls.chain.certificates.last()?.issuer;
    let read = if trust.variables.is_empty() { "none".to_owned() } else { trust.variables.join(" or ") };
    let here = by_variable.map_or_else(|| "this machine's own authorities".to_owned(), str::to_owned);
    let fix = trust.variables.first().map(|variable| match by_variable {
        Some(set) => Remedy {
            text: "Name the authority's file where the client reads it.".to_owned(),
            command: Some(format!("export {variable}=\"${set}\"")),
        },
        None => Remedy { text: format!("Name the authority's PEM file with {variable}."), command: None },
    });
    Some(fault(
        Cause::TlsUntrusted,
        format!("authorities come from {read}, and {} is signed by one of {here} alone", tls.server_name),
        authority,
        format!("not trusted; the client reads {read}"),
        fix,
    ))
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
