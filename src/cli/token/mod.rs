//! `trustline token`: decodes a token, checks its signature, times and claims, and says what is wrong with it.

mod keys;

use std::future::Future;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::exit::{CliError, Exit};
use super::flags::{CloudArgs, NetworkArgs, OutputFormat, PageOutputArgs};
use super::{network, terminal};
use crate::check::CheckId;
use crate::check::clouds::{Asked, presented};
use crate::check::facts::Facts;
use crate::check::facts::token::{SignatureFact, TokenFact, TokenReading};
use crate::check::token::{Expectations, claims_against};
use crate::domain::ids::Cloud;
use crate::domain::profile::{Guide, Profile, TokenSource};
use crate::domain::signature::{Signature, verify};
use crate::domain::timestamp::{UnixSeconds, parse_rfc3339, rfc3339};
use crate::domain::token::{Cleaning, DecodedToken, RawToken, TokenKind, TokenProblem, decode, looks_like_jwt};
use crate::probe::token_source;
use crate::probe::token_source::{ReadOptions, SourcedToken, TokenSourceError};
use crate::report::token::{TokenReport, page, remarks};
use crate::run::now;

pub(super) fn run(args: &TokenArgs) -> Result<Exit, CliError> {
    let sourced = read(args)?;
    let seen = examine(args, &sourced)?;
    terminal::print(&match args.output.output {
        OutputFormat::Json => terminal::json_text(&render(&seen)),
        _ => terminal::rendered(&args.output, |ctx| page(&seen, ctx)),
    })?;
    Ok(Exit::of(seen.verdict()))
}

/// Arguments of `trustline token`.
#[derive(Debug, Args)]
pub(in crate::cli) struct TokenArgs {
    /// The token's file; `-` or nothing reads standard input
    #[arg(value_name = "FILE", group = "source")]
    pub file: Option<PathBuf>,
    /// Read the token from this environment variable
    #[arg(long, value_name = "VAR", group = "source")]
    pub env: Option<String>,
    /// Read the token from what this program prints; must be the last flag, as all that follows belongs to the program
    #[arg(long, value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true, group = "source")]
    pub command: Option<Vec<String>>,
    /// Request the token of this GitHub Actions job (asks ACTIONS_ID_TOKEN_REQUEST_URL, for --audience)
    #[arg(long, group = "source")]
    pub github_actions: bool,
    /// Check the signature with this key set; an address is asked over the network
    #[arg(long, value_name = "FILE|URL")]
    pub jwks: Option<String>,
    /// The issuer's discovery document as saved, for what the clouds say to it
    #[arg(long, value_name = "FILE", conflicts_with = "issuer")]
    pub discovery: Option<PathBuf>,
    /// Expect this `iss`; without --jwks, the issuer is asked for its keys over the network
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// Expect this audience
    #[arg(long, value_name = "AUDIENCE")]
    pub audience: Option<String>,
    /// Judge the times as of this time instead of now: RFC 3339, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub now: Option<UnixSeconds>,
    #[command(flatten)]
    pub clouds: CloudArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    pub output: PageOutputArgs,
}

fn time(text: &str) -> Result<UnixSeconds, String> {
    text.parse()
        .ok()
        .or_else(|| parse_rfc3339(text))
        .ok_or_else(|| "write a time such as 2026-01-31T12:00:00Z, or seconds since 1970".to_owned())
}

fn render(seen: &TokenReport) -> Value {
    let token = &seen.read.token;
    let signature = &seen.signature.signature;
    let checks: Vec<Value> = seen
        .verdicts
        .iter()
        .map(|(check, verdict)| json!({ "id": check, "outcome": verdict.outcome, "reason": verdict.reason }))
        .collect();
    let cut = token.problems.iter().find_map(|problem| match problem {
        TokenProblem::HoldsSecret { places } => Some(places),
        _ => None,
    });
    let time = |at: Option<UnixSeconds>| at.and_then(rfc3339);
    json!({
        "schema": "trustline.token/1",
        "source": seen.source,
        "cleaned": seen.read.cleaned,
        "length": seen.read.length,
        "parts": token.parts,
        "kind": token.kind,
        "header": token.header,
        "claims": token.claims,
        "cut": cut,
        "signature": signature.state,
        "signature_reason": seen.signature.sentence,
        "signature_details": signature.reason,
        "keys_from": seen.signature.keys_from,
        "now": time(Some(seen.now)),
        "issued_at": time(seen.read.issued_at),
        "not_before": time(seen.read.not_before),
        "expires_at": time(seen.read.expires_at),
        "expires_in_s": seen.read.expires_at.map(|exp| exp.saturating_sub(seen.now)),
        "lifetime_s": seen.read.lifetime_s,
        "checks": checks,
        "problems": seen.problems(),
        "remarks": remarks(token),
        "clouds": seen.clouds.each,
    })
}

/// A token and where it came from, in words.
struct Sourced {
    pub token: SourcedToken,
    pub described: String,
}

/// Reads the token that the arguments name.
fn read(args: &TokenArgs) -> Result<Sourced, CliError> {
    let source = choose(args)?;
    let read = match &source {
        TokenSource::File(path) => token_source::read_file(path),
        TokenSource::Env(name) => token_source::read_env(name),
        TokenSource::Stdin => token_source::read_stdin(),
        TokenSource::Command(_) | TokenSource::GithubActions => {
            let needs_network = source == TokenSource::GithubActions;
            let stack = needs_network.then(|| args.network.stack()).transpose()?;
            let client = stack.as_ref().map(|stack| stack.client());
            let options = ReadOptions {
                timeout: args.network.timeout,
                audience: args.audience.as_deref(),
                client: client.as_ref(),
            };
            block_on(token_source::read(&source, &options))?
        }
    };
    let token = read.map_err(|error| refusal(&source, &error))?;
    Ok(Sourced { token, described: token_source::describe(&source) })
}

fn choose(args: &TokenArgs) -> Result<TokenSource, CliError> {
    if let Some(name) = &args.env {
        return Ok(TokenSource::Env(name.clone()));
    }
    if let Some(argv) = &args.command {
        return Ok(TokenSource::Command(argv.clone()));
    }
    if args.github_actions {
        return Ok(TokenSource::GithubActions);
    }
    match &args.file {
        Some(path) if path != Path::new("-") => Ok(TokenSource::File(path.clone())),
        None if std::io::stdin().is_terminal() => Err(CliError::new("no token given")
            .with_hint("name its file (`trustline token FILE`), a variable (`--env VAR`) or a program (`--command PROGRAM ARG…`),")
            .with_hint("or pipe it in (`… | trustline token`)")),
        _ => Ok(TokenSource::Stdin),
    }
}

fn refusal(source: &TokenSource, error: &TokenSourceError) -> CliError {
    let message = CliError::new(error.to_string());
    match source {
        // A variable's value where its name belongs may be a token of another form; its name then says nothing.
        TokenSource::Env(name) if looks_like_jwt(name) || name.len() > 256 => {
            CliError::new("--env takes the name of a variable, not its value")
        }
        TokenSource::File(path) if path.as_os_str().len() > 4096 => {
            CliError::new("the argument is too long for a file's name; a token itself belongs into a file or a pipe")
        }
        _ => message,
    }
}

/// Examines a token.
fn examine(args: &TokenArgs, sourced: &Sourced) -> Result<TokenReport, CliError> {
    let issuer_address = keys::expected_issuer(args)?;
    let keys = keys::find(args, issuer_address.as_ref())?;
    let raw = &sourced.token.token;
    let decoded = decode(raw);
    if let Some(what) = other_than_token(raw, &decoded, &sourced.token.cleaned) {
        return Err(CliError::new(format!("{}: no token, but {what}", sourced.described))
            .with_hint("give what holds the token itself: three parts joined by dots, the first begins with `eyJ`")
            .with_hint("an error text or a log is read by `trustline explain FILE`"));
    }
    let signature = match keys.missing() {
        Some(why) => Signature::without_keys(raw, &decoded, why),
        None => verify(raw, &decoded, keys.set()),
    };
    let document = keys::saved_document(args, &decoded)?;
    let fact = TokenFact::decoded(&sourced.described, raw.len(), decoded, sourced.token.cleaned.clone());
    let issuer_url = issuer_address.map(|address| address.issuer);
    let asked = args.clouds.asked();
    let expectations = Expectations {
        cloud: cloud(&asked, args.audience.as_deref()),
        issuer: issuer_url.clone(),
        audience: args.audience.clone(),
        ..Expectations::none()
    };
    let profile = profile(expectations.cloud, issuer_url);
    let mut facts = Facts {
        now: args.now.unwrap_or_else(now),
        token: Some(fact),
        signature: Some(SignatureFact::new(signature, keys.described.clone())),
        issuer: keys.facts,
        ..Facts::default()
    };
    let by_its_facts = |check: CheckId| (check, (check.check().verdict)(&facts, &profile));
    let of_token = [CheckId::TokenPresent, CheckId::TokenShape, CheckId::TokenTime, CheckId::TokenSignature];
    let mut verdicts = of_token.map(by_its_facts).to_vec();
    verdicts.push((CheckId::TokenClaims, claims_against(&facts, &expectations)));
    if facts.issuer.document.is_some() {
        let of_issuer = [CheckId::IssuerReachable, CheckId::IssuerTls, CheckId::IssuerDiscovery];
        verdicts.extend(of_issuer.map(by_its_facts));
    }
    if facts.issuer.keys.is_some() {
        verdicts.push(by_its_facts(CheckId::IssuerJwks));
    }
    // A saved document says nothing of how its issuer answers: the issuer's checks do not look at it.
    if document.is_some() {
        facts.issuer.document = document;
    }
    let clouds = asked.judge(&presented(&facts, None));
    match (facts.token, facts.signature) {
        (Some(TokenFact { source, reading: TokenReading::Read(read) }), Some(signature)) => {
            Ok(TokenReport { source, read: *read, signature, now: facts.now, verdicts, clouds })
        }
        _ => Err(CliError::new("no token was read")),
    }
}

/// What a text is that nobody would take for a token, however it was copied; its content is not shown.
fn other_than_token(raw: &RawToken, decoded: &DecodedToken, cleaned: &[Cleaning]) -> Option<String> {
    let is_token = decoded.header.is_some()
        || looks_like_jwt(raw.expose())
        || !matches!(decoded.kind, TokenKind::Opaque { looks_like: None } | TokenKind::Unknown | TokenKind::Identity);
    if is_token {
        return None;
    }
    if raw.expose().starts_with(['{', '[']) {
        return Some("a JSON document".to_owned());
    }
    let count = |of: fn(&Cleaning) -> Option<usize>| cleaned.iter().find_map(of);
    let breaks = count(|cleaning| match cleaning {
        Cleaning::LineBreaks { count } => Some(*count),
        _ => None,
    });
    let blanks = count(|cleaning| match cleaning {
        Cleaning::Blanks { count } => Some(*count),
        _ => None,
    });
    breaks.map(|count| format!("{} lines of text", count + 1)).or(blanks.map(|count| format!("{} words", count + 1)))
}

/// The cloud whose rules the checks apply: the only one that is asked, else the one whose own the audience is.
fn cloud(asked: &Asked, audience: Option<&str>) -> Cloud {
    match (asked.parties.as_slice(), audience) {
        ([only], _) => only.cloud,
        (_, Some(audience)) if audience.to_ascii_lowercase().starts_with("api://azureadtokenexchange") => Cloud::Azure,
        _ => Cloud::Aws,
    }
}

/// A profile that knows the cloud and the issuer, and nothing else.
fn profile(cloud: Cloud, issuer_url: Option<String>) -> Profile {
    let guide = if cloud == Cloud::Azure { Guide::AzureWorkloadIdentity } else { Guide::AwsWorkloadIdentity };
    Profile { issuer_url, ..Profile::bare("token", guide) }
}

#[cfg(test)]
mod arguments_tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        assert_eq!(time("1700000000"), Ok(1_700_000_000));
        assert_eq!(time("2023-11-14T22:13:20Z"), Ok(1_700_000_000));
        assert!(time("noon").is_err());
    }
}

/// Runs one piece of asynchronous work.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, CliError> {
    let runtime = network::runtime()?;
    let result = runtime.block_on(work);
    // A look-up that never ends must not keep the program from ending.
    runtime.shutdown_background();
    Ok(result)
}

#[cfg(test)]
mod examine_tests {
    use super::*;

    fn other(text: &str) -> Option<String> {
        let (raw, cleaned) = RawToken::clean(text);
        other_than_token(&raw, &decode(&raw), &cleaned)
    }

    #[test]
    fn what_nobody_would_take_for_a_token_is_named() {
        for (text, what) in [
            ("root:x:0:0\ndaemon:x:1:1\nsync:x:4\n", "3 lines of text"),
            ("name = \"a.b.c\"\nversion = 1\n", "2 lines of text"),
            ("{\"access\":1}", "a JSON document"),
            ("ssh-rsa AAAAB3 me@host", "3 words"),
        ] {
            assert_eq!(other(text).as_deref(), Some(what), "{text}");
        }
        for text in ["opaque-handle", "eyJhbGciOiJSUzI1NiJ9.eyJh\nbGciOi.sig", "eyJhbGciOi.x\n.y and more", "a.b.c", ""]
        {
            assert_eq!(other(text), None, "{text}");
        }
    }
}
