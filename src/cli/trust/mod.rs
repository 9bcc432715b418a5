//! `trustline trust`: would this trust policy let this token have the role, or this federated credential let it stand
//! for the application? And, with or without a token: what in it is unsafe or dead? Offline, from files.

mod endpoint;
pub(super) mod google;
pub(super) mod input;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use super::ci::SourceFile;
use super::clients::client_name;
use super::exit::{CliError, Exit};
use super::flags::{CodeOutputArgs, OutputFormat, ProfileSelector, one_of};
use super::{ci, settings, terminal};
use crate::cause::{Cause, Certainty, Finding, Severity, trust};
use crate::check::facts::Facts;
use crate::check::facts::token::TokenFact;
use crate::domain::client::Client;
use crate::domain::iam::{
    Decision, KnownFrom, Policy, Provider, ProviderArn, TrustRequest, evaluate_predicted, evaluate_trust, lint,
    strangers, strangers_to_the_named,
};
use crate::domain::ids::{Cloud, Finder, FoundBy};
use crate::domain::profile::expected::{PredictedClaims, predicted_claims};
use crate::domain::profile::{Guide, Profile};
use crate::domain::relying_party::{Acceptance, Basis, CloudVerdict, Presented, RelyingParty};
use crate::domain::token::DecodedToken;
use crate::remedy::aws::trust::{At, corrected_document};
use crate::remedy::{Context, Values, advised};
use crate::report::ci::of_trust;
use crate::report::context::RenderContext;
use crate::report::page::Page;
use crate::report::trust::{Judged, PolicyEvaluation, TrustReport, policy};
use crate::run::now;

/// Arguments of `trustline trust`.
#[derive(Debug, Args)]
#[command(group = one_of("trust").args(["policy", "credential", "provider", "profile", "profile_file"]))]
#[command(group = one_of("subject").args(["token", "claims", "profile", "profile_file", "lint"]))]
pub(super) struct TrustArgs {
    /// The role's trust policy: the document, the answer of `aws iam get-role`, or Terraform's configuration of one role; `-` for
    /// standard input. Without it the file that the profile names
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// An Entra federated credential, or the answer of `az ad app federated-credential list`; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policy", "provider_arn"])]
    credential: Option<PathBuf>,
    /// A provider of a Google workload identity pool, the answer of `gcloud iam workload-identity-pools providers describe
    /// --format json`; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policy", "credential", "provider_arn"])]
    provider: Option<PathBuf>,
    /// The bindings beside the provider, the answer of `gcloud secrets get-iam-policy --format json`, or of a project or
    /// service account; `-` for standard input
    #[arg(long, value_name = "FILE", requires = "provider")]
    iam_policy: Option<PathBuf>,
    /// A file with the token; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "claims")]
    token: Option<PathBuf>,
    /// A JSON file with the token's claims; `-` for standard input
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// Predict the token's claims from the profile of this name, where no token is given
    #[arg(long, value_name = "NAME", conflicts_with = "profile_file")]
    profile: Option<String>,
    /// Predict the token's claims from the profile in this file, where no token is given
    #[arg(long, value_name = "FILE")]
    profile_file: Option<PathBuf>,
    /// The identity provider's ARN; without it, made from the token's issuer and the account in the policy
    #[arg(long, value_name = "ARN", value_parser = provider)]
    provider_arn: Option<String>,
    /// The policy of the VPC endpoint on the way to STS: the document, or the answer of `aws ec2 describe-vpc-endpoints`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["credential", "provider"])]
    endpoint_policy: Option<PathBuf>,
    /// Ask as this client does: with its session name and user agent, at the STS that it asks
    #[arg(long, value_name = "CLIENT", value_parser = client_name(), conflicts_with_all = ["credential", "provider"])]
    client: Option<&'static Client>,
    /// Also say what is unsafe or dead in the trust, and who else it lets in; needs no token
    #[arg(long)]
    lint: bool,
    #[command(flatten)]
    threshold: Threshold,
    #[command(flatten)]
    output: CodeOutputArgs,
}

/// Whose token is judged.
enum Subject {
    /// A token.
    Token(Box<DecodedToken>),
    /// The claims of one, without its header.
    Claims(Map<String, Value>),
    /// The claims that a profile makes expected.
    Predicted(PredictedClaims),
    /// Nobody's: the trust alone is looked over.
    Nobody,
}

/// What a role's trust policy says.
type Answer = TrustReport<Policy, PolicyEvaluation>;

/// The name that findings carry in place of a check's.
const CHECK: FoundBy = FoundBy::Command(Finder::Trust);

pub(super) fn run(args: &TrustArgs) -> Result<Exit, CliError> {
    judged(args).map_err(|error| ci::refused(args.output.output, error))
}

fn judged(args: &TrustArgs) -> Result<Exit, CliError> {
    let trusts = [&args.policy, &args.credential, &args.provider, &args.iam_policy];
    let inputs = trusts.into_iter().chain([&args.endpoint_policy, &args.token, &args.claims]).map(Option::as_ref);
    if inputs.flatten().filter(|path| input::is_stdin(path)).count() > 1 {
        return Err(CliError::new(
            "only one of --policy, --credential, --provider, --iam-policy, --endpoint-policy, --token and --claims can be `-`: there is one standard input",
        ));
    }
    let profile = profile(args)?;
    if let Some(path) = &args.provider {
        return google::run(args, path, subject(args, profile.as_ref())?);
    }
    let of_profile = profile.as_ref().filter(|_| args.policy.is_none());
    let credential = args.credential.as_ref().or(of_profile.and_then(|p| p.azure.federated_credential.as_ref()));
    if let Some(path) = credential {
        let credentials = input::credentials(path)?;
        return input::run(args, path, &credentials, subject(args, profile.as_ref())?);
    }
    let Some(path) = args.policy.as_ref().or(of_profile.and_then(|p| p.aws.trust_policy.as_ref())) else {
        return Err(CliError::new("the profile names no trust policy and no federated credential")
            .with_hint("give the trust with --policy or --credential"));
    };
    let (read, text) = input::policy(path)?;
    let mut answer = answer(args, read, subject(args, profile.as_ref())?);
    if let Some(claims) = answer.judged.as_ref().map(|judged| judged.claims.clone()) {
        let role = answer.trust.role_arn.clone();
        let at = At { role: role.as_deref(), provider: args.provider_arn.as_deref() };
        let correct = |findings: &mut [Finding]| attach(findings, profile.as_ref(), &claims, &text, at);
        answer.judged.iter_mut().for_each(|judged| correct(&mut judged.findings));
        answer.lint.iter_mut().for_each(|lint| correct(lint));
    }
    if let (Some(path), Some(judged)) = (&args.endpoint_policy, &mut answer.judged) {
        let of_profile = profile.as_ref().and_then(|profile| profile.aws.role_arn.as_ref()).map(ToString::to_string);
        let role = answer.trust.role_arn.as_deref().or(of_profile.as_deref());
        let endpoint::AtEndpoint { evaluation, findings } = endpoint::judged(path, role, args.client)?;
        let decision = &mut judged.evaluation.evaluation.decision;
        // Both have to let it through.
        *decision = match (*decision, evaluation.decision) {
            (Decision::Deny, _) | (_, Decision::Deny) => Decision::Deny,
            (Decision::Unknown, _) | (_, Decision::Unknown) => Decision::Unknown,
            (Decision::Allow, Decision::Allow) => Decision::Allow,
        };
        judged.findings.splice(0..0, findings);
    }
    print(args, path, &answer, render, policy)?;
    let decision = answer.judged.map(|judged| judged.evaluation.evaluation.decision);
    Ok(args.threshold.exit(decision, answer.lint.as_deref().unwrap_or_default()))
}

fn profile(args: &TrustArgs) -> Result<Option<Profile>, CliError> {
    let (profile, profile_file) = (args.profile.clone(), args.profile_file.clone());
    if profile.is_none() && profile_file.is_none() {
        return Ok(None);
    }
    let selector = ProfileSelector { profile, profile_file, ..ProfileSelector::default() };
    Ok(Some(settings::load_to_read(&selector)?.profile))
}

fn subject(args: &TrustArgs, profile: Option<&Profile>) -> Result<Subject, CliError> {
    match (&args.token, &args.claims, profile) {
        (Some(token), _, _) => input::token(token).map(Box::new).map(Subject::Token),
        (None, Some(claims), _) => input::claims(claims).map(Subject::Claims),
        (None, None, Some(profile)) => predicted_claims(profile).map(Subject::Predicted).ok_or_else(|| {
            CliError::new("the profile says too little to predict a token's claims")
                .with_hint("name who issues and for whom: issuer.url and platform.organization, or github.repository, gitlab.project-path, circleci.project, terraform.workspace, kubernetes.service-account")
                .with_hint("or give a token with --token, or its claims with --claims")
        }),
        (None, None, None) => Ok(Subject::Nobody),
    }
}

fn answer(args: &TrustArgs, policy: Policy, subject: Subject) -> Answer {
    let cloud = subject.judged_by(Cloud::Aws);
    let (claims, predicted) = match subject {
        Subject::Token(token) => (token.claims, None),
        Subject::Claims(claims) => (Some(claims), None),
        Subject::Predicted(predicted) => (Some(predicted.claims.clone()), Some(predicted)),
        Subject::Nobody => (None, None),
    };
    let Some(claims) = claims else {
        let lint = Some(looked_over(&policy));
        return Answer { trust: policy, judged: None, lint };
    };
    let provider = match &args.provider_arn {
        Some(arn) => Provider { arn: arn.clone(), known_from: KnownFrom::Given },
        None => Provider::of(&claims, &policy, None),
    };
    let session = args.client.and_then(Client::session_name);
    let request = TrustRequest {
        role_arn: policy.role_arn.as_deref(),
        session_name: session.as_deref(),
        user_agent: args.client.and_then(|client| client.aws.as_ref()?.user_agent.as_deref()),
        now: Some(now()),
        ..TrustRequest::new(&claims, &provider.arn)
    };
    let (mut evaluation, accepts_only) = match &predicted {
        Some(predicted) => {
            let found = evaluate_predicted(&policy, &request, predicted);
            (found.evaluation, found.accepts_only)
        }
        None => (evaluate_trust(&policy, &request), None),
    };
    let mut findings = trust::findings(CHECK, &evaluation);
    if accepts_only.is_some() {
        findings.clear();
    }
    if let Some(predicted) = &predicted {
        findings = findings.into_iter().map(|finding| finding.as_predicted(predicted.subject())).collect();
    }
    let refused = cloud.as_ref().and_then(|cloud| refusal(cloud, None));
    if let Some(finding) = refused.filter(|_| evaluation.decision != Decision::Deny) {
        evaluation.decision = Decision::Deny;
        findings.insert(0, finding);
    }
    let lint = args.lint.then(|| {
        let wide = trust::strangers(CHECK, &strangers(&policy, &request));
        let twice = trust::duplicates(CHECK, &policy.problems);
        twice.into_iter().chain(wide).chain(trust::smells(CHECK, &lint(&policy, &request))).collect()
    });
    let known_from = provider.known_from;
    let predicted = predicted.is_some();
    let evaluation = PolicyEvaluation { evaluation, known_from };
    Answer {
        trust: policy,
        lint,
        judged: Some(Judged { claims, evaluation, findings, predicted, accepts_only, cloud }),
    }
}

impl Subject {
    /// What a cloud says to the token itself. Its own stack on this machine takes issuers that are there.
    fn judged_by(&self, cloud: Cloud) -> Option<CloudVerdict> {
        let Subject::Token(token) = self else { return None };
        let presented = Presented { allows_this_machine: true, ..Presented::token(token) };
        Some(RelyingParty::of(cloud)?.judge(&presented))
    }
}

/// The finding of a token that the cloud refuses, with what the catalogue advises.
fn refusal(cloud: &CloudVerdict, guide: Option<&str>) -> Option<Finding> {
    let cause = cloud.cause.filter(|_| cloud.verdict == Acceptance::Refuse)?;
    let certainty = if cloud.rests_on == Basis::Measured { Certainty::Proven } else { Certainty::Likely };
    let summary = format!("{} refuses the token itself: {}", cloud.name, cloud.why);
    let finding = Finding::new(cause, CHECK, certainty, summary);
    let finding =
        cloud.error.into_iter().fold(finding, |found, code| found.with_evidence(format!("the cloud answers {code}")));
    Some(advised(finding, guide, &Values::default()))
}

/// What is unsafe or dead in the policy, and who gets in beside those whom it names.
fn looked_over(policy: &Policy) -> Vec<Finding> {
    let wide = trust::strangers(CHECK, &strangers_to_the_named(policy));
    let smells = lint(policy, &TrustRequest::new(&Map::new(), ""));
    let twice = trust::duplicates(CHECK, &policy.problems);
    twice.into_iter().chain(wide).chain(trust::smells(CHECK, &smells)).collect()
}

/// Checks the ARN of an identity provider, or the host of one that is built in.
fn provider(text: &str) -> Result<String, String> {
    let known = ProviderArn::parse(text).is_some() || crate::domain::iam::BUILT_IN_PROVIDERS.contains(&text);
    known.then(|| text.to_owned()).ok_or_else(|| {
        "write arn:aws:iam::ACCOUNT:oidc-provider/HOST, as `aws iam list-open-id-connect-providers` does".to_owned()
    })
}

/// What in a trust policy a correction of the policy mends; a token that nobody should let in is not among it.
const MENDED: &[Cause] = &[
    Cause::SubMismatch,
    Cause::SubCaseMismatch,
    Cause::ImmutableSub,
    Cause::AudMismatch,
    Cause::ClaimMismatch,
    Cause::ConditionKeyWrong,
    Cause::OperatorWrong,
    Cause::PrincipalArnWrong,
    Cause::ActionMissing,
    Cause::TagSessionMissing,
    Cause::ExplicitDeny,
    Cause::TrustTooWide,
];

/// Gives the first finding that the policy can mend the policy as it has to be, for whom the profile means, or the token.
pub(in crate::cli) fn attach(
    findings: &mut [Finding],
    profile: Option<&Profile>,
    claims: &Map<String, Value>,
    policy: &str,
    at: At<'_>,
) {
    let Some(finding) = findings.iter_mut().find(|finding| MENDED.contains(&finding.cause)) else { return };
    let bare = Profile::bare("", Guide::AwsWorkloadIdentity);
    let token = DecodedToken { claims: Some(claims.clone()), ..DecodedToken::default() };
    let facts = Facts { token: Some(TokenFact::decoded("", 0, token, Vec::new())), now: now(), ..Facts::default() };
    let context = Context { profile: profile.unwrap_or(&bare), facts: &facts };
    finding.fixes = vec![corrected_document(finding.cause, context, policy, at)];
}

/// Prints an answer about the trust in a file, in the form that was asked for.
///
/// # Errors
/// Standard output cannot be written to.
fn print<T, E>(
    args: &TrustArgs,
    path: &Path,
    answer: &TrustReport<T, E>,
    document: fn(&TrustReport<T, E>) -> Value,
    page: fn(&TrustReport<T, E>, RenderContext) -> Page,
) -> Result<(), CliError> {
    let alerts = || {
        let file = SourceFile::read(path);
        let refusals = answer.judged.as_ref().map_or(&[][..], |judged| &judged.findings);
        let weaknesses = answer.lint.as_deref().unwrap_or_default();
        of_trust(refusals, weaknesses, file.as_ref().map(SourceFile::source))
    };
    terminal::print(&match args.output.output {
        OutputFormat::Json => terminal::json_text(&document(answer)),
        OutputFormat::Github => ci::annotated(&alerts(), |ctx| page(answer, ctx)),
        OutputFormat::Sarif => ci::scanned(&alerts()),
        _ => terminal::rendered(&args.output, |ctx| page(answer, ctx)),
    })
}

/// The schema's name.
const SCHEMA: &str = "trustline.trust/1";

fn render(answer: &Answer) -> Value {
    let mut document = match &answer.judged {
        Some(judged) => judged_json(judged),
        // Without a token there is nothing to decide on.
        None => json!({ "decision": Decision::Unknown, "statements": [], "findings": [] }),
    };
    document["schema"] = SCHEMA.into();
    document["lint"] = json!(answer.lint.as_deref().unwrap_or_default());
    document["problems"] = json!(answer.trust.problems);
    document
}

fn judged_json(judged: &Judged<PolicyEvaluation>) -> Value {
    let PolicyEvaluation { evaluation, known_from } = &judged.evaluation;
    let mut document = json!({
        "decision": evaluation.decision,
        "issuer": evaluation.issuer,
        "subject": judged.claims.get("sub"),
        "provider_arn": evaluation.provider_arn,
        "provider_from": known_from,
        "role_arn": evaluation.role_arn,
        "actions": evaluation.actions,
        "refusals": evaluation.refusals,
        "statements": evaluation.statements,
        "findings": judged.findings,
    });
    if let Some(cloud) = &judged.cloud {
        document["cloud"] = json!(cloud);
    }
    if judged.predicted {
        document["predicted"] = true.into();
        document["claims"] = json!(judged.claims);
    }
    if let Some(only) = &judged.accepts_only {
        document["accepts_only"] = only.as_str().into();
    }
    document
}

/// When a weakness ends the program with more than a warning.
#[derive(Debug, Default, Args)]
struct Threshold {
    /// With --lint: end with status 1 where a weakness is this severe, or more
    #[arg(long, value_name = "SEVERITY", value_parser = severity, requires = "lint")]
    fail_on: Option<Severity>,
    /// With --lint: end with status 4 where there is any weakness
    #[arg(long, requires = "lint")]
    strict: bool,
}

impl Threshold {
    /// The status: what is denied comes before what is weak, and that before what is unknown.
    fn exit(&self, decision: Option<Decision>, lint: &[Finding]) -> Exit {
        let worst = lint.iter().filter_map(|finding| finding.severity).min();
        let is_over = worst.zip(self.fail_on).is_some_and(|(worst, limit)| worst <= limit);
        match decision {
            Some(Decision::Deny) => Exit::Failed,
            _ if is_over => Exit::Failed,
            Some(Decision::Unknown) => Exit::Inconclusive,
            _ if self.strict && !lint.is_empty() => Exit::Warned,
            Some(Decision::Allow) | None => Exit::Passed,
        }
    }
}

/// One of the severities, by its name.
pub(super) fn severity(text: &str) -> Result<Severity, String> {
    let named = Severity::ALL.into_iter().find(|severity| severity.name() == text);
    named.ok_or_else(|| format!("write one of {}", Severity::ALL.map(Severity::name).join(", ")))
}

#[cfg(test)]
mod threshold_tests {
    use super::*;
    use crate::domain::ids::Finder;

    fn ends(decision: Option<Decision>, severity: Option<Severity>, fail_on: Option<Severity>, strict: bool) -> Exit {
        let found = |severity| {
            Finding::new(Cause::TrustTooWide, Finder::Trust, Certainty::Proven, "wide").with_severity(severity)
        };
        let lint: Vec<Finding> = severity.map(found).into_iter().collect();
        Threshold { fail_on, strict }.exit(decision, &lint)
    }

    #[test]
    fn the_threshold_decides_and_a_denial_before_it() {
        use Decision::{Allow, Deny, Unknown};
        use Severity::{Critical, High, Low, Medium};
        for (decision, found, fail_on, strict, exit) in [
            (Some(Allow), Some(High), None, false, Exit::Passed),
            (Some(Allow), Some(High), None, true, Exit::Warned),
            (Some(Allow), Some(High), Some(High), true, Exit::Failed),
            (Some(Allow), Some(Critical), Some(High), false, Exit::Failed),
            (Some(Allow), Some(Medium), Some(High), false, Exit::Passed),
            (Some(Allow), Some(Medium), Some(High), true, Exit::Warned),
            (Some(Deny), None, None, true, Exit::Failed),
            (Some(Unknown), Some(Low), None, true, Exit::Inconclusive),
            (Some(Unknown), Some(Low), Some(Low), false, Exit::Failed),
            (None, None, Some(Low), true, Exit::Passed),
            (None, Some(Low), Some(Low), false, Exit::Failed),
        ] {
            assert_eq!(ends(decision, found, fail_on, strict), exit, "{decision:?} {found:?} {fail_on:?} {strict}");
        }
    }

    #[test]
    fn names_the_severities_there_are() {
        assert_eq!(severity("high"), Ok(Severity::High));
        assert!(severity("HIGH").is_err_and(|error| error.contains("critical, high, medium, low")));
    }
}
