//! `trustline issuer`: discovery, keys, certificates and timings of one issuer, and what is wrong with them.

mod text;

use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::{Value, json};

use super::args::{NetworkArgs, OutputArgs, OutputFormat};
use super::{CliError, Exit, terminal};
use crate::cause::{Finding, catalogue};
use crate::check::facts::Facts;
use crate::check::facts::issuer::{DocumentFact, IssuerFacts};
use crate::check::verdict::issuer as verdict;
use crate::check::{CheckId, Outcome, Verdict};
use crate::domain::discovery::IssuerAddress;
use crate::domain::profile::{AwsSettings, AzureSettings, DeploymentSettings, Guide, Profile};
use crate::output::paint::{Glyphs, Ink, Paint};
use crate::probe::http::{HttpSettings, HttpStack, ProxyUse};
use crate::probe::issuer;

/// Arguments of `trustline issuer`.
#[derive(Debug, Args)]
pub(super) struct IssuerArgs {
    /// The issuer's URL, exactly as tokens carry it in `iss`; `https://` may be left out
    #[arg(value_name = "URL")]
    url: String,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    output: OutputArgs,
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
        OutputFormat::Text => |seen, output| text::render(seen, paint(output)),
        OutputFormat::Json => |seen, _| format!("{:#}\n", document(seen)),
        OutputFormat::Junit | OutputFormat::Markdown => {
            return Err(CliError::new("`issuer` prints text and json; write --output text or --output json"));
        }
    };
    let settings = HttpSettings {
        ca_pem: args.network.ca_file.as_deref().map(read_ca).transpose()?,
        timeout: args.network.timeout,
        proxy: ProxyUse::Environment,
    };
    let stack = HttpStack::new(&settings).map_err(|e| match &args.network.ca_file {
        Some(path) => CliError::new(format!("{}: {e}", path.display())),
        None => CliError::new(e.to_string()),
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::new(format!("the runtime does not start: {e}")))?;
    let facts = runtime.block_on(probe(&stack, &address));
    // A look-up that never ends must not keep the program from ending.
    runtime.shutdown_background();

    let seen = examine(address, facts)?;
    let mut stdout = std::io::stdout().lock();
    // A reader that went away has seen what it wanted.
    let _ = stdout.write_all(print(&seen, &args.output).as_bytes()).and_then(|()| stdout.flush());
    Ok(seen.exit())
}

async fn probe(stack: &HttpStack, address: &IssuerAddress) -> IssuerFacts {
    let document = issuer::document(stack, address).await;
    let keys = match document.discovery.as_ref().and_then(|d| d.jwks_uri.as_deref()) {
        Some(uri) => Some(issuer::keys(stack, uri).await),
        None => None,
    };
    IssuerFacts { document: Some(document), keys }
}

fn examine(address: IssuerAddress, issuer: IssuerFacts) -> Result<Examination, CliError> {
    let document = issuer.document.clone().ok_or_else(|| CliError::new("the issuer was not asked"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| i64::try_from(d.as_secs()).ok());
    let facts = Facts { now: now.unwrap_or_default(), issuer, ..Facts::default() };
    let profile = profile(&address);
    let verdicts = vec![
        (CheckId::IssuerReachable, verdict::reachable(&facts, &profile)),
        (CheckId::IssuerTls, verdict::tls(&facts, &profile)),
        (CheckId::IssuerDiscovery, verdict::discovery(&facts, &profile)),
        (CheckId::IssuerJwks, verdict::jwks(&facts, &profile)),
    ];
    Ok(Examination { address, document, facts, verdicts })
}

/// A profile that knows the issuer and nothing else.
fn profile(address: &IssuerAddress) -> Profile {
    Profile {
        name: "issuer".to_owned(),
        guide: Guide::AwsWorkloadIdentity,
        issuer_url: Some(address.issuer.clone()),
        organization: None,
        token: None,
        aws: AwsSettings::default(),
        azure: AzureSettings::default(),
        secret: None,
        deployment: DeploymentSettings::default(),
    }
}

impl Examination {
    /// What is wrong, the surest of the earliest check first, with the catalogue's advice.
    fn problems(&self) -> Vec<Finding> {
        let mut found: Vec<Finding> = self.verdicts.iter().flat_map(|(_, v)| v.findings.iter().cloned()).collect();
        found.sort_by_key(|f| f.certainty);
        found.into_iter().map(|f| catalogue::complete(f, None)).collect()
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

fn read_ca(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|e| {
        CliError::new(format!("the CA file {} cannot be read: {e}", path.display()))
            .with_hint("--ca-file takes the path of a PEM file with the authority's certificate")
    })
}

fn paint(output: &OutputArgs) -> Paint {
    let ink = if terminal::wants_color(output.color) { Ink::Colour } else { Ink::Plain };
    Paint { ink, glyphs: Glyphs::Unicode }
}

/// The document `trustline.issuer/1`.
fn document(seen: &Examination) -> Value {
    let exchange = &seen.document.exchange;
    let tls = exchange.tls.as_ref().map(|tls| {
        let mut value = json!(tls);
        value["thumbprint_sha1"] = json!(tls.chain.thumbprint());
        value
    });
    let keys = seen.facts.issuer.keys.as_ref();
    let jwks = keys.map(|keys| {
        let published = keys.jwks.as_ref().map(|set| set.keys.as_slice()).unwrap_or_default();
        json!({
            "url": keys.exchange.url,
            "status": keys.exchange.status,
            "hops": keys.exchange.hops,
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
