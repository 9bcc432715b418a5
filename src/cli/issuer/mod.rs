//! `trustline issuer`: discovery, keys, certificates and timings of one issuer, and what is wrong with them.

mod text;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::{Value, json};

use super::args::{DocumentOutputArgs, NetworkArgs, OutputArgs, OutputFormat};
use super::{CliError, Exit, network, terminal};
use crate::cause::Finding;
use crate::check::facts::Facts;
use crate::check::facts::issuer::{DocumentFact, IssuerFacts};
use crate::check::{CheckId, Outcome, Verdict, verdict};
use crate::domain::discovery::IssuerAddress;
use crate::domain::profile::{Guide, Profile};
use crate::probe::http::HttpStack;
use crate::probe::issuer;
use crate::remedy::{Values, advised};

/// Arguments of `trustline issuer`.
#[derive(Debug, Args)]
pub(super) struct IssuerArgs {
    /// The issuer's URL, exactly as tokens carry it in `iss`; `https://` may be left out
    #[arg(value_name = "URL")]
    url: String,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    output: DocumentOutputArgs,
}

/// What was seen of an issuer, and the judgement on it.
struct Examination {
    address: IssuerAddress,
    document: DocumentFact,
    facts: Facts,
    verdicts: Vec<(CheckId, Verdict)>,
}

pub(super) fn run(args: &IssuerArgs) -> Result<Exit, CliError> {
    let address = IssuerAddress::clean(&args.url).map_err(|e| CliError::new(e.to_string()))?;
    let print: fn(&Examination, &OutputArgs) -> String = match args.output.output {
        OutputFormat::Json => |seen, _| terminal::json_text(&document(seen)),
        _ => |seen, output| text::render(seen, terminal::paint(output)),
    };
    let stack = args.network.stack()?;
    let runtime = network::runtime()?;
    let facts = runtime.block_on(probe(&stack, &address, args.network.timeout));
    // A look-up that never ends must not keep the program from ending.
    runtime.shutdown_background();

    let seen = examine(address, facts)?;
    terminal::print(&print(&seen, &args.output))?;
    Ok(seen.exit())
}

async fn probe(stack: &HttpStack, address: &IssuerAddress, whole: Duration) -> IssuerFacts {
    let started = Instant::now();
    let document = issuer::document(stack, address).await;
    let keys = match document.discovery.as_ref().and_then(|d| d.jwks_uri.as_deref()) {
        Some(uri) => {
            let left = stack.within(whole.saturating_sub(started.elapsed()));
            Some(issuer::keys(&left, uri, &address.issuer).await)
        }
        None => None,
    };
    IssuerFacts { document: Some(document), keys }
}

fn examine(address: IssuerAddress, issuer: IssuerFacts) -> Result<Examination, CliError> {
    let document = issuer.document.clone().ok_or_else(|| CliError::new("the issuer was not asked"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| i64::try_from(d.as_secs()).ok());
    let facts = Facts { now: now.unwrap_or_default(), issuer, ..Facts::default() };
    let profile = profile(&address);
    const CHECKS: [CheckId; 4] =
        [CheckId::IssuerReachable, CheckId::IssuerTls, CheckId::IssuerDiscovery, CheckId::IssuerJwks];
    let verdicts = CHECKS.iter().map(|check| (*check, verdict::of(*check, &facts, &profile))).collect();
    Ok(Examination { address, document, facts, verdicts })
}

/// A profile that knows the issuer and nothing else.
fn profile(address: &IssuerAddress) -> Profile {
    Profile { issuer_url: Some(address.issuer.clone()), ..Profile::bare("issuer", Guide::AwsWorkloadIdentity) }
}

impl Examination {
    /// What is wrong, the surest of the earliest check first, with the catalogue's advice.
    fn problems(&self) -> Vec<Finding> {
        let mut found: Vec<Finding> = self.verdicts.iter().flat_map(|(_, v)| v.findings.iter().cloned()).collect();
        found.sort_by_key(|f| f.certainty);
        let profile = profile(&self.address);
        let values = Values { profile: Some(&profile), ..Values::default() };
        found.into_iter().map(|finding| advised(finding, None, &values)).collect()
    }

    fn has(&self, outcome: Outcome) -> bool {
        self.verdicts.iter().any(|(_, v)| v.outcome == outcome)
    }

    fn exit(&self) -> Exit {
        if self.has(Outcome::Fail) {
            Exit::Failed
        } else if self.has(Outcome::Inconclusive) {
            Exit::Inconclusive
        } else {
            Exit::Passed
        }
    }
}

/// The document `trustline.issuer/1`.
fn document(seen: &Examination) -> Value {
    let exchange = &seen.document.exchange;
    let registered = seen.facts.issuer.registered_tls();
    let tls = exchange.tls.as_ref().map(|tls| {
        let mut value = json!(tls);
        value["thumbprint_sha1"] = json!(registered.and_then(|tls| tls.chain.thumbprint()));
        value["thumbprint_host"] = json!(registered.map(|tls| &tls.server_name));
        value
    });
    let keys = seen.facts.issuer.keys.as_ref();
    let jwks = keys.map(|keys| {
        let published = keys.jwks.as_ref().map(|set| set.keys.as_slice()).unwrap_or_default();
        json!({
            "url": keys.exchange.url,
            "status": keys.exchange.status,
            "hops": keys.exchange.hops,
            "tls": keys.exchange.tls,
            "duration_ms": keys.exchange.duration_ms,
            "keys": published,
            "failure": keys.exchange.failure,
        })
    });
    let checks: Vec<Value> = seen
        .verdicts
        .iter()
        .map(|(check, v)| json!({ "id": check, "outcome": v.outcome, "reason": v.reason }))
        .collect();
    json!({
        "schema": "trustline.issuer/1",
        "issuer": seen.address.issuer,
        "notes": seen.address.notes,
        "url": exchange.url,
        "status": exchange.status,
        "content_type": exchange.content_type,
        "http_version": exchange.http_version,
        "proxy": exchange.proxy,
        "addresses": exchange.addresses,
        "duration_ms": exchange.duration_ms,
        "clock_skew_s": exchange.clock_skew_s,
        "hops": exchange.hops,
        "tls": tls,
        "discovery": seen.document.discovery,
        "jwks": jwks,
        "checks": checks,
        "failure": exchange.failure,
        "problems": seen.problems(),
    })
}
