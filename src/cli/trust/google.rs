//! `trustline trust --provider`: would this provider of a workload identity pool exchange this token, and would a binding
//! of the IAM policy grant it a role?

use std::path::Path;

use serde_json::{Value, json};

use super::{CHECK, Judged, Subject, TrustArgs, TrustReport, input, print, refusal};
use crate::audit::code::DeclaredTrust;
use crate::cause::{Finding, gcp};
use crate::cli::exit::{CliError, Exit};
use crate::domain::gcp::{
    self as domain, Binding, PoolProvider, ProviderEvaluation, bindings, evaluate, foreign, room_for_ref, whole_pool,
};
use crate::domain::iam::Decision;
use crate::domain::ids::Cloud;
use crate::remedy::{Values, advised};
use crate::report::trust;

/// The set-up that findings lead to.
const GUIDE: Option<&str> = Some("gcp-workload-identity");

/// What the provider says.
type Answer<'a> = TrustReport<&'a PoolProvider, ProviderEvaluation>;

/// Reads, evaluates, prints, and yields the exit status.
pub(super) fn run(args: &TrustArgs, path: &Path, subject: Subject) -> Result<Exit, CliError> {
    let provider = provider(path)?;
    let bindings = args.iam_policy.as_deref().map(iam_policy).transpose()?;
    let bindings = bindings.as_deref();
    let is_alone = matches!(subject, Subject::Nobody);
    let judged = judged(&provider, bindings, subject);
    let lint = (args.lint || is_alone).then(|| weaknesses(&provider, bindings, judged.as_ref()));
    let answer = Answer { trust: &provider, judged, lint };
    print(args, path, &answer, document, trust::provider)?;
    let decision = answer.judged.map(|judged| judged.evaluation.decision);
    Ok(args.threshold.exit(decision, answer.lint.as_deref().unwrap_or_default()))
}

/// A provider's file, or standard input.
///
/// # Errors
/// It cannot be read, or holds no provider.
pub(in crate::cli) fn provider(path: &Path) -> Result<PoolProvider, CliError> {
    let is_provider = |what: &DeclaredTrust| matches!(what, DeclaredTrust::Provider(_));
    PoolProvider::parse(&input::in_code(path, input::read(path)?, is_provider)?)
        .map_err(|error| CliError::new(format!("{}: {error}", input::name(path))).with_hint(error.hint()))
}

/// The bindings of a file, or of standard input.
///
/// # Errors
/// It cannot be read, or holds no IAM policy.
pub(in crate::cli) fn iam_policy(path: &Path) -> Result<Vec<Binding>, CliError> {
    bindings(&input::read(path)?).map_err(|error| {
        CliError::new(format!("{}: {error}", input::name(path)))
            .with_hint("save the answer of `gcloud secrets get-iam-policy SECRET --format=json`, or of a project or service account")
    })
}

fn judged(
    provider: &PoolProvider,
    bindings: Option<&[Binding]>,
    subject: Subject,
) -> Option<Judged<ProviderEvaluation>> {
    let cloud = subject.judged_by(Cloud::Gcp);
    let (claims, unknown, predicted) = match subject {
        Subject::Nobody => return None,
        Subject::Token(token) => (token.claims?, Vec::new(), None),
        Subject::Claims(claims) => (claims, Vec::new(), None),
        Subject::Predicted(predicted) => {
            (predicted.claims.clone(), predicted.unknown.clone(), Some(predicted.subject().to_owned()))
        }
    };
    let mut evaluation = evaluate(provider, bindings, domain::Subject { claims: &claims, unknown: &unknown });
    let values = Values { claims: Some(&claims), ..Values::default() };
    let found = gcp::refused(CHECK, &evaluation).into_iter().map(|finding| advised(finding, GUIDE, &values));
    let mut findings: Vec<Finding> = match &predicted {
        Some(subject) => found.map(|finding| finding.as_predicted(subject)).collect(),
        None => found.collect(),
    };
    let refused = cloud.as_ref().and_then(|cloud| refusal(cloud, GUIDE));
    if let Some(finding) = refused.filter(|_| evaluation.decision != Decision::Deny) {
        evaluation.decision = Decision::Deny;
        findings.insert(0, finding);
    }
    Some(Judged { claims, evaluation, findings, predicted: predicted.is_some(), accepts_only: None, cloud })
}

/// What is too wide or soon too long.
fn weaknesses(
    provider: &PoolProvider,
    bindings: Option<&[Binding]>,
    judged: Option<&Judged<ProviderEvaluation>>,
) -> Vec<Finding> {
    let claims = judged.map(|judged| &judged.claims);
    let expressions = provider.mapping.iter().map(|mapping| &mapping.expression).chain(&provider.condition);
    let read: Vec<String> = expressions.flat_map(|expression| expression.claims()).map(str::to_owned).collect();
    let wide: Vec<(&str, &str)> = bindings.map(|bindings| whole_pool(bindings).collect()).unwrap_or_default();
    let room = claims.and_then(|claims| room_for_ref(provider, claims));
    let mut found: Vec<Finding> =
        gcp::strangers(CHECK, &foreign(provider, bindings, claims), &read).into_iter().collect();
    if found.is_empty() && bindings.is_some() {
        found.extend(gcp::strangers_without_a_role(CHECK, &foreign(provider, None, claims)));
    }
    found.extend(gcp::weak(CHECK, &wide, room));
    found
}

fn document(answer: &Answer<'_>) -> Value {
    let mut document = match &answer.judged {
        Some(judged) => json!({
            "decision": judged.evaluation.decision,
            "issuer": judged.claims.get("iss"),
            "subject": judged.claims.get("sub"),
            "attributes": judged.evaluation.attributes,
            "principal": judged.evaluation.principal,
            "statements": judged.evaluation.statements,
            "findings": judged.findings,
        }),
        None => json!({ "decision": Decision::Unknown, "statements": [], "findings": [] }),
    };
    document["schema"] = super::SCHEMA.into();
    document["provider"] = json!(answer.trust.name.as_ref().map(ToString::to_string));
    document["lint"] = json!(answer.lint.as_deref().unwrap_or_default());
    document["problems"] = json!(answer.trust.problems);
    if let Some(judged) = answer.judged.as_ref().filter(|judged| judged.predicted) {
        document["predicted"] = true.into();
        document["claims"] = json!(judged.claims);
    }
    document
}
