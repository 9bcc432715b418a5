//! `trustline trust`: would this trust policy let this token have the role, or this federated credential let it stand
//! for the application? Offline, from files.

mod credential;
mod document;
pub(super) mod input;
mod text;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::{Map, Value};

use super::args::{OutputArgs, OutputFormat};
use super::{CliError, Exit, terminal};
use crate::cause::{Finding, trust};
use crate::domain::iam::{
    Decision, KnownFrom, Policy, Provider, ProviderArn, TrustEvaluation, TrustRequest, evaluate_trust, lint, strangers,
};
use crate::domain::timestamp::UnixSeconds;

/// Arguments of `trustline trust`.
#[derive(Debug, Args)]
pub(super) struct TrustArgs {
    /// The role's trust policy: the document, or the answer of `aws iam get-role`; `-` for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "credential")]
    policy: Option<PathBuf>,
    /// An Entra federated credential, or the answer of `az ad app federated-credential list`; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policy", "provider_arn"])]
    credential: Option<PathBuf>,
    /// A file with the token; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "claims", required_unless_present = "claims")]
    token: Option<PathBuf>,
    /// A JSON file with the token's claims; `-` for standard input
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// The identity provider's ARN; without it, made from the token's issuer and the account in the policy
    #[arg(long, value_name = "ARN", value_parser = provider)]
    provider_arn: Option<String>,
    /// Also say what is unsafe or dead in the policy, and who else it lets in
    #[arg(long)]
    lint: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// What was found out.
struct Answer {
    policy: Policy,
    claims: Map<String, Value>,
    evaluation: TrustEvaluation,
    known_from: KnownFrom,
    /// Why the token is not let in.
    findings: Vec<Finding>,
    /// What is unsafe or dead in the policy; `None` where nobody asked.
    lint: Option<Vec<Finding>>,
}

/// The name that findings carry in place of a check's.
const CHECK: &str = "trust";

pub(super) fn run(args: &TrustArgs) -> Result<Exit, CliError> {
    if matches!(args.output.output, OutputFormat::Junit | OutputFormat::Markdown) {
        return Err(CliError::new("`trust` prints text or JSON: use --output text or --output json"));
    }
    let inputs = [args.policy.as_ref(), args.credential.as_ref(), args.token.as_ref(), args.claims.as_ref()];
    if inputs.into_iter().flatten().filter(|path| input::is_stdin(path)).count() > 1 {
        return Err(CliError::new(
            "only one of --policy, --credential, --token and --claims can be `-`: there is one standard input",
        ));
    }
    let policy = match (&args.policy, &args.credential) {
        (_, Some(path)) => {
            let credentials = input::credentials(path)?;
            return credential::run(args, &credentials, claims(args)?);
        }
        (Some(path), None) => input::policy(path)?,
        (None, None) => return Err(CliError::new("give the trust with --policy or --credential")),
    };
    let claims = claims(args)?;
    let answer = answer(args, policy, claims);
    let printed = match args.output.output {
        OutputFormat::Json => format!("{:#}\n", document::render(&answer)),
        _ => text::render(&answer, terminal::paint(&args.output)),
    };
    terminal::print(&printed)?;
    Ok(exit(answer.evaluation.decision))
}

fn claims(args: &TrustArgs) -> Result<Map<String, Value>, CliError> {
    match (&args.token, &args.claims) {
        (Some(token), _) => input::token(token),
        (None, Some(claims)) => input::claims(claims),
        (None, None) => Err(CliError::new("give the token with --token, or its claims with --claims")),
    }
}

fn exit(decision: Decision) -> Exit {
    match decision {
        Decision::Allow => Exit::Passed,
        Decision::Deny => Exit::Failed,
        Decision::Unknown => Exit::Inconclusive,
    }
}

fn answer(args: &TrustArgs, policy: Policy, claims: Map<String, Value>) -> Answer {
    let provider = match &args.provider_arn {
        Some(arn) => Provider { arn: arn.clone(), known_from: KnownFrom::Given },
        None => Provider::of(&claims, &policy, None),
    };
    let request = TrustRequest {
        role_arn: policy.role_arn.as_deref(),
        now: Some(clock()),
        ..TrustRequest::new(&claims, &provider.arn)
    };
    let evaluation = evaluate_trust(&policy, &request);
    let findings = trust::findings(CHECK, &evaluation);
    let lint = args.lint.then(|| {
        let wide = trust::strangers(CHECK, &strangers(&policy, &request));
        wide.into_iter().chain(trust::smells(CHECK, &lint(&policy, &request))).collect()
    });
    Answer { policy, claims, evaluation, known_from: provider.known_from, findings, lint }
}

fn clock() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixSeconds::try_from(since.as_secs()).unwrap_or(UnixSeconds::MAX)
}

/// Checks the ARN of an identity provider, or the host of one that is built in.
fn provider(text: &str) -> Result<String, String> {
    let known = ProviderArn::parse(text).is_some() || crate::domain::iam::BUILT_IN_PROVIDERS.contains(&text);
    known.then(|| text.to_owned()).ok_or_else(|| {
        "write arn:aws:iam::ACCOUNT:oidc-provider/HOST, as `aws iam list-open-id-connect-providers` does".to_owned()
    })
}
