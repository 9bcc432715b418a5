//! `trustline explain`: an error text in, ranked causes out.

mod text;
mod undecided;

use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use super::args::{OutputArgs, OutputFormat, ProfileSelector};
use super::trust::input;
use super::{CliError, Exit, settings, terminal};
use crate::cause::explain::{self, Explanation, Given, Parsed, RuledOut, Trust, TrustDocument};
use crate::cause::{Finding, Undecided, entra, trust};
use crate::domain::entra::evaluate;
use crate::domain::iam::{Provider, TrustRequest, evaluate_trust};
use crate::probe::regular_file;
use crate::remedy;

/// The longest input that is read, in bytes. Of a longer text the beginning counts: the root comes first.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Arguments of `trustline explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The error text or log; standard input where none is named
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// A file with the token that was refused; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "claims")]
    token: Option<PathBuf>,
    /// A JSON file with the claims of the token that was refused
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// The role's trust policy: the document, or the answer of `aws iam get-role`
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The application's federated credentials: one, or the answer of `az ad app federated-credential list`
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    credential: Option<PathBuf>,
    /// The identity provider's ARN; without it, made from the token's issuer and the account in the policy
    #[arg(long, value_name = "ARN", requires = "policy")]
    provider_arn: Option<String>,
    /// Use the profile of this name
    #[arg(long, value_name = "NAME", conflicts_with = "profile_file")]
    profile: Option<String>,
    /// Use the profile in this file
    #[arg(long, value_name = "FILE")]
    profile_file: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, CliError> {
    if matches!(args.output.output, OutputFormat::Junit | OutputFormat::Markdown) {
        return Err(CliError::new("`explain` prints text and json; write --output text or --output json"));
    }
    one_standard_input(args)?;
    let claims = claims(args)?;
    let trust = trust(args, claims.as_ref())?;
    let profile = match (&args.profile, &args.profile_file) {
        (None, None) => None,
        (profile, profile_file) => {
            let selector = ProfileSelector {
                profile: profile.clone(),
                profile_file: profile_file.clone(),
                ..ProfileSelector::default()
            };
            Some(settings::load_to_read(&selector)?.profile)
        }
    };
    let error_text = error_text(args)?;
    let given = Given { claims: claims.as_ref(), trust: trust.as_ref(), profile: profile.as_ref() };
    let explanation = remedy::explained(&error_text, &given);
    let undecided = undecided::undecided(args, &explanation, &given);
    terminal::print(&match args.output.output {
        OutputFormat::Json => format!("{:#}\n", document(&explanation, undecided.as_ref())),
        _ => text::render(&explanation, undecided.as_ref(), terminal::paint(&args.output)),
    })?;
    Ok(if explanation.causes.is_empty() { Exit::Failed } else { Exit::Passed })
}

fn one_standard_input(args: &ExplainArgs) -> Result<(), CliError> {
    let named = [&args.file, &args.token, &args.claims, &args.policy, &args.credential];
    let piped = named.into_iter().flatten().filter(|path| input::is_stdin(path)).count();
    if piped + usize::from(args.file.is_none()) > 1 {
        return Err(CliError::new("there is one standard input: name files for the rest")
            .with_hint("the error text comes from standard input too, where no file is named for it"));
    }
    Ok(())
}

fn claims(args: &ExplainArgs) -> Result<Option<Map<String, Value>>, CliError> {
    match (&args.token, &args.claims) {
        (Some(token), _) => input::token(token).map(Some),
        (None, Some(claims)) => input::claims(claims).map(Some),
        (None, None) => Ok(None),
    }
}

/// What the trust at hand says to the token.
fn trust(args: &ExplainArgs, claims: Option<&Map<String, Value>>) -> Result<Option<Trust>, CliError> {
    let Some(claims) = claims else {
        return match (&args.policy, &args.credential) {
            (None, None) => Ok(None),
            _ => Err(CliError::new("a trust alone decides nothing")
                .with_hint("give the token too, with --token or --claims")),
        };
    };
    match (&args.policy, &args.credential) {
        (Some(path), _) => by_policy(args, path, claims).map(Some),
        (None, Some(path)) => {
            let evaluation = evaluate(&input::credentials(path)?, claims);
            let findings = entra::of_credentials(&evaluation, "explain");
            Ok(Some(Trust { document: TrustDocument::Credentials, decision: evaluation.decision, findings }))
        }
        (None, None) => Ok(None),
    }
}

fn by_policy(args: &ExplainArgs, path: &Path, claims: &Map<String, Value>) -> Result<Trust, CliError> {
    let policy = input::policy(path)?;
    let provider = match &args.provider_arn {
        Some(arn) => arn.clone(),
        None => Provider::of(claims, &policy, None).arn,
    };
    let request = TrustRequest { role_arn: policy.role_arn.as_deref(), ..TrustRequest::new(claims, &provider) };
    let evaluation = evaluate_trust(&policy, &request);
    let findings = trust::findings("explain", &evaluation);
    Ok(Trust { document: TrustDocument::Policy, decision: evaluation.decision, findings })
}

fn error_text(args: &ExplainArgs) -> Result<String, CliError> {
    let text = match &args.file {
        Some(path) if !input::is_stdin(path) => {
            regular_file::open(path).and_then(read).map_err(|e| CliError::new(format!("{}: {e}", path.display())))?
        }
        _ => {
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                terminal::note("Paste the error text and end it with Ctrl-D.");
            }
            read(stdin.lock()).map_err(|e| CliError::new(format!("standard input: {e}")))?
        }
    };
    if text.trim().is_empty() {
        return Err(CliError::new("there is no error text")
            .with_hint("name a file, or pipe the text in: trustline explain < error.txt"));
    }
    Ok(text)
}

/// Reads text. Logs are cut and mixed, so what is not UTF-8 does not stop it.
fn read(input: impl Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    input.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// `trustline.explain/1`.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    parsed: &'a Parsed,
    causes: &'a [Finding],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ruled_out: &'a [RuledOut],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    decide: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    undecided: Option<&'a Undecided>,
}

fn document(explanation: &Explanation, undecided: Option<&Undecided>) -> Value {
    serde_json::json!(Document {
        schema: "trustline.explain/1",
        provider: explanation.provider.map(explain::Provider::id),
        code: explanation.code.as_deref(),
        parsed: &explanation.parsed,
        causes: &explanation.causes,
        ruled_out: &explanation.ruled_out,
        decide: &explanation.decide,
        undecided,
    })
}
