//! `trustline explain`: an error text in, ranked causes out.

mod log;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use self::log::Log;
use super::exit::CliError;
use super::exit::Exit;
use super::flags::OutputFormat;
use super::flags::PageOutputArgs;
use super::flags::ProfileSelector;
use super::lab_folder::LabFolder;
use super::trust::{attach, google, input};
use super::{lab, network, settings, terminal};
use crate::cause::exchange::{Judgement, Trusts};
use crate::cause::explain::{self, ExplainContext, Explanation, Parsed, PrintedBy, RuledOut, Trust, logged_exchange};
use crate::cause::{Finding, TrustDocument, Undecided, entra, gcp, trust};
use crate::domain::entra::evaluate;
use crate::domain::exchange::Exchange;
use crate::domain::gcp as gcp_domain;
use crate::domain::iam::{Decision, Provider, TrustRequest, evaluate_trust};
use crate::domain::ids::{Cloud, Finder};
use crate::domain::profile::Profile;
use crate::lab::LabOptions;
use crate::probe::regular_file;
use crate::remedy::aws::trust::At;
use crate::remedy::{self, ExplainedFiles};
use crate::report::explanation::page;

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
    /// The provider of a Google pool: the answer of `gcloud iam workload-identity-pools providers describe`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policy", "credential"])]
    provider: Option<PathBuf>,
    /// The IAM policy of the project, the secret or the service account
    #[arg(long, value_name = "FILE", requires = "provider")]
    iam_policy: Option<PathBuf>,
    /// The identity provider's ARN; without it, made from the token's issuer and the account in the policy
    #[arg(long, value_name = "ARN", requires = "policy")]
    provider_arn: Option<String>,
    #[command(flatten)]
    selector: ProfileSelector,
    #[command(flatten)]
    output: PageOutputArgs,
}

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, CliError> {
    one_standard_input(args)?;
    let claims = claims(args)?;
    let profile = profile(&args.selector)?;
    let log = error_text(args)?;
    if log.left_out > 0 {
        terminal::note(&format!(
            "The text is long: {} bytes between its beginning and its end were left out.",
            log.left_out
        ));
    }
    if log.binary {
        terminal::note("What was given is no text.");
    }
    let error_text = if log.binary { String::new() } else { log.text };
    let role = profile.as_ref().and_then(|profile| profile.aws.role_arn.as_ref()).map(ToString::to_string);
    let role = explain::only_role(&error_text).map(str::to_owned).or(role);
    let trust = match logged_exchange(&error_text).filter(|_| claims.is_none()) {
        Some(exchange) => judged(args, &exchange)?,
        None => trust(args, claims.as_ref(), profile.as_ref(), role.as_deref())?,
    };
    let given = ExplainContext { claims: claims.as_ref(), trust: trust.as_ref(), profile: profile.as_ref() };
    let explanation = remedy::explained(&error_text, &given);
    let [text, token, claims_file] = [&args.file, &args.token, &args.claims]
        .map(|path| path.as_ref().filter(|path| !input::is_stdin(path)).map(|path| path.to_string_lossy()));
    let files = ExplainedFiles { text: text.as_deref(), token: token.as_deref(), claims: claims_file.as_deref() };
    let undecided = remedy::undecided_text(&explanation, &given, files);
    terminal::print(&match args.output.output {
        OutputFormat::Json => terminal::json_text(&document(&explanation, undecided.as_ref(), log.left_out)),
        _ => terminal::rendered(&args.output, |ctx| page(&explanation, undecided.as_ref(), ctx)),
    })?;
    Ok(if explanation.causes.is_empty() { Exit::Failed } else { Exit::Passed })
}

/// The profile that is named, or the lab's, to read what is wired to what.
fn profile(selector: &ProfileSelector) -> Result<Option<Profile>, CliError> {
    let Some(scenario) = &selector.lab else {
        let named = selector.profile.is_some() || selector.profile_file.is_some() || !selector.set.is_empty();
        return named.then(|| settings::load_to_read(selector).map(|loaded| loaded.profile)).transpose();
    };
    let runtime = network::runtime()?;
    let loaded = runtime.block_on(async {
        let lab = lab::start(scenario, LabOptions::default())?;
        let folder = LabFolder::write(&lab)?;
        settings::load_alone(&folder.profile_file(), &format!("lab-{scenario}"), &selector.set)
    });
    runtime.shutdown_background();
    loaded.map(Some)
}

fn one_standard_input(args: &ExplainArgs) -> Result<(), CliError> {
    let of_google = [&args.provider, &args.iam_policy];
    let named = [&args.file, &args.token, &args.claims, &args.policy, &args.credential].into_iter().chain(of_google);
    let piped = named.flatten().filter(|path| input::is_stdin(path)).count();
    if piped + usize::from(args.file.is_none()) > 1 {
        return Err(CliError::new("there is one standard input: name files for the rest")
            .with_hint("the error text comes from standard input too, where no file is named for it"));
    }
    Ok(())
}

fn claims(args: &ExplainArgs) -> Result<Option<Map<String, Value>>, CliError> {
    match (&args.token, &args.claims) {
        (Some(token), _) => input::token(token).map(|token| token.claims),
        (None, Some(claims)) => input::claims(claims).map(Some),
        (None, None) => Ok(None),
    }
}

/// What the trust at hand says to the token, for the role where it is known.
fn trust(
    args: &ExplainArgs,
    claims: Option<&Map<String, Value>>,
    profile: Option<&Profile>,
    role: Option<&str>,
) -> Result<Option<Trust>, CliError> {
    let Some(claims) = claims else {
        return match (&args.policy, &args.credential, &args.provider) {
            (None, None, None) => Ok(None),
            _ => Err(CliError::new("a trust alone decides nothing")
                .with_hint("give the token too, with --token or --claims")),
        };
    };
    match (&args.policy, &args.credential, &args.provider) {
        (Some(path), ..) => by_policy(args, path, claims, profile, role).map(Some),
        (None, None, Some(path)) => by_provider(args, path, claims).map(Some),
        (None, Some(path), _) => {
            let evaluation = evaluate(&input::credentials(path)?, claims);
            let findings = entra::of_credentials(&evaluation, Finder::Explain.into());
            Ok(Some(Trust { document: TrustDocument::Credentials, decision: evaluation.decision, findings }))
        }
        (None, None, None) => Ok(None),
    }
}

/// What the trust at hand says to an exchange that the text has as a cloud's log tells it: the log keeps whose token it was.
fn judged(args: &ExplainArgs, exchange: &Exchange) -> Result<Option<Trust>, CliError> {
    let mut trusts = Trusts::default();
    let document = match (&args.policy, &args.credential, &args.provider) {
        (None, None, None) => return Ok(None),
        (None, None, Some(path)) => {
            trusts.set_provider(google::provider(path)?);
            if let Some(path) = &args.iam_policy {
                trusts.set_bindings(google::iam_policy(path)?);
            }
            TrustDocument::Provider
        }
        (Some(path), ..) => {
            trusts.add_policy(input::policy(path)?.0, None);
            TrustDocument::Policy
        }
        (None, Some(path), _) => {
            trusts.set_credentials(input::credentials(path)?);
            TrustDocument::Credentials
        }
    };
    let Judgement { verdict: decision, causes: findings, .. } = trusts.judge(exchange, 1);
    Ok(Some(Trust { document, decision, findings }))
}

fn by_provider(args: &ExplainArgs, path: &Path, claims: &Map<String, Value>) -> Result<Trust, CliError> {
    let provider = google::provider(path)?;
    let bindings = args.iam_policy.as_deref().map(google::iam_policy).transpose()?;
    let subject = gcp_domain::Subject { claims, unknown: &[] };
    let evaluation = gcp_domain::evaluate(&provider, bindings.as_deref(), subject);
    let findings = gcp::refused(Finder::Explain.into(), &evaluation);
    Ok(Trust { document: TrustDocument::Provider, decision: evaluation.decision, findings })
}

fn by_policy(
    args: &ExplainArgs,
    path: &Path,
    claims: &Map<String, Value>,
    profile: Option<&Profile>,
    role: Option<&str>,
) -> Result<Trust, CliError> {
    let (policy, text) = input::policy(path)?;
    if let (Some(own), Some(told)) = (policy.role_arn.as_deref(), role)
        && own != told
    {
        terminal::note(&format!("The policy is that of {own}, and this is about {told}: it decides nothing here."));
        return Ok(Trust { document: TrustDocument::Policy, decision: Decision::Unknown, findings: Vec::new() });
    }
    let role = policy.role_arn.as_deref().or(role);
    let provider = match &args.provider_arn {
        Some(arn) => arn.clone(),
        None => Provider::of(claims, &policy, role).arn,
    };
    let request = TrustRequest { role_arn: role, ..TrustRequest::new(claims, &provider) };
    let evaluation = evaluate_trust(&policy, &request);
    let mut findings = trust::findings(Finder::Explain.into(), &evaluation);
    attach(&mut findings, profile, claims, &text, At { role, provider: args.provider_arn.as_deref() });
    Ok(Trust { document: TrustDocument::Policy, decision: evaluation.decision, findings })
}

fn error_text(args: &ExplainArgs) -> Result<Log, CliError> {
    let log = match &args.file {
        Some(path) if !input::is_stdin(path) => regular_file::open(path)
            .and_then(Log::read)
            .map_err(|e| CliError::new(format!("{}: {e}", path.display())))?,
        _ => {
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                terminal::note("Paste the error text and end it with Ctrl-D.");
            }
            Log::read(stdin.lock()).map_err(|e| CliError::new(format!("standard input: {e}")))?
        }
    };
    if log.text.trim().is_empty() {
        return Err(CliError::new("there is no error text")
            .with_hint("name a file, or pipe the text in: trustline explain < error.txt"));
    }
    Ok(log)
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
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a PrintedBy>,
    causes: &'a [Finding],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ruled_out: &'a [RuledOut],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    decide: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    undecided: Option<&'a Undecided>,
    /// Bytes of a long text that were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out_bytes: Option<u64>,
}

fn document(explanation: &Explanation, undecided: Option<&Undecided>, left_out: u64) -> Value {
    serde_json::json!(Document {
        schema: "trustline.explain/1",
        provider: explanation.cloud.map(Cloud::id),
        code: explanation.code.as_deref(),
        parsed: &explanation.parsed,
        client: explanation.client.as_ref(),
        causes: &explanation.causes,
        ruled_out: &explanation.ruled_out,
        decide: &explanation.decide,
        undecided,
        left_out_bytes: (left_out > 0).then_some(left_out),
    })
}
