//! `trustline issuer`: discovery, keys, certificates and timings of one issuer, and what is wrong with them.

mod rotation;

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::exit::CliError;
use super::exit::Exit;
use super::flags::CloudArgs;
use super::flags::NetworkArgs;
use super::flags::OutputFormat;
use super::flags::PageOutputArgs;
use super::terminal::Signals;
use super::{network, terminal};
use crate::check::clouds::{Asked, presented};
use crate::check::facts::Facts;
use crate::check::facts::network::IssuerFacts;
use crate::check::registry::judge;
use crate::check::{CheckId, Verdict};
use crate::domain::discovery::IssuerAddress;
use crate::domain::jwks::history::DroppedKey;
use crate::probe::http::HttpStack;
use crate::probe::issuer::IssuerProbe;
use crate::report::issuer::{IssuerReport, page};
use crate::run::now;
use rotation::{RotationArgs, with_dropped};

/// Arguments of `trustline issuer`.
#[derive(Debug, Args)]
pub(super) struct IssuerArgs {
    /// The issuer's URL, exactly as tokens carry it in `iss`; `https://` may be left out
    #[arg(value_name = "URL")]
    url: String,
    #[command(flatten)]
    rotation: RotationArgs,
    #[command(flatten)]
    clouds: CloudArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    output: PageOutputArgs,
}

pub(super) fn run(args: &IssuerArgs) -> Result<Exit, CliError> {
    let address = IssuerAddress::clean(&args.url).map_err(|e| CliError::new(e.to_string()))?;
    let stack = args.network.stack()?;
    let runtime = network::runtime()?;
    let exit = runtime.block_on(look(args, &stack, &address));
    // A look-up that never ends must not keep the program from ending.
    runtime.shutdown_background();
    exit
}

/// Looks once, or again and again until a key is gone or a signal comes.
async fn look(args: &IssuerArgs, stack: &HttpStack, address: &IssuerAddress) -> Result<Exit, CliError> {
    let mut record = args.rotation.open(&address.issuer)?;
    let mut signals = args.rotation.interval().map(|_| Signals::listen()).transpose()?;
    let mut is_first = true;
    loop {
        let seen = look_at(stack, address.clone(), args.network.timeout, args.clouds.asked()).await;
        let mut seen = seen.ok_or_else(|| CliError::new("the issuer was not asked"))?;
        let dropped = record.as_mut().map(|record| record.see(&seen.facts)).transpose()?.unwrap_or_default();
        tell_dropped(&mut seen, &dropped);
        let is_dropped = !dropped.is_empty();
        // What is watched is told at first, and when it has changed for the worse.
        if is_first || is_dropped {
            terminal::print(&match args.output.output {
                OutputFormat::Json => terminal::json_text(&document(&seen)),
                _ => terminal::rendered(&args.output, |ctx| page(&seen, ctx)),
            })?;
        }
        let (Some(interval), Some(signals), false) = (args.rotation.interval(), &mut signals, is_dropped) else {
            return Ok(Exit::of(seen.verdict()));
        };
        is_first = false;
        tokio::select! {
            exit = signals.next() => return Ok(exit),
            () = tokio::time::sleep(interval) => {}
        }
    }
}

/// Fetches what an issuer publishes, and judges it for the clouds that are asked.
pub(super) async fn look_at(
    stack: &HttpStack,
    address: IssuerAddress,
    whole: Duration,
    asked: Asked,
) -> Option<IssuerReport> {
    let issuer = probe(stack, &address, whole).await;
    let document = issuer.document.clone()?;
    let facts = Facts { now: now(), issuer, ..Facts::default() };
    let profile = IssuerReport::profile(&address);
    const CHECKS: [CheckId; 4] =
        [CheckId::IssuerReachable, CheckId::IssuerTls, CheckId::IssuerDiscovery, CheckId::IssuerJwks];
    let verdicts = CHECKS.iter().map(|check| (*check, judge(*check, &facts, &profile))).collect();
    let clouds = asked.judge(&presented(&facts, Some(&address.issuer)));
    Some(IssuerReport { address, document, facts, verdicts, clouds })
}

async fn probe(stack: &HttpStack, address: &IssuerAddress, whole: Duration) -> IssuerFacts {
    let started = Instant::now();
    let issuer = IssuerProbe::new(stack);
    let document = issuer.document(address).await;
    let keys = match document.discovery.as_ref().and_then(|d| d.jwks_uri.as_deref()) {
        Some(uri) => {
            let left = issuer.within(whole.saturating_sub(started.elapsed()));
            Some(left.keys(uri, &address.issuer).await)
        }
        None => None,
    };
    IssuerFacts { document: Some(document), keys }
}

/// Says of the key set which keys are gone that were published before.
fn tell_dropped(seen: &mut IssuerReport, dropped: &[DroppedKey]) {
    for (check, verdict) in &mut seen.verdicts {
        if *check == CheckId::IssuerJwks {
            *verdict = with_dropped(std::mem::replace(verdict, Verdict::pass()), dropped);
        }
    }
}

/// The document `trustline.issuer/1`.
fn document(seen: &IssuerReport) -> Value {
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
        "server": seen.server(),
        "jwks": jwks,
        "checks": checks,
        "failure": exchange.failure,
        "problems": seen.problems(),
        "clouds": seen.clouds.each,
    })
}
