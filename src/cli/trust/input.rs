//! Reading the policy, and the token or its claims.

use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{CHECK, Subject, TrustArgs, print, refusal};
use crate::audit::code::{self, Around, Configuration, DeclaredTrust, Module, is_terraform};
use crate::cause::{Finding, entra};
use crate::cli::exit::{CliError, Exit};
use crate::cli::terraform::{declared_in, is_configuration};
use crate::domain::entra::{CredentialEvaluation, CredentialSet, evaluate, evaluate_predicted};
use crate::domain::iam::open_text::open_part;
use crate::domain::iam::{Decision, Policy, WEB_IDENTITY};
use crate::domain::ids::Cloud;
use crate::domain::profile::expected::Predicted;
use crate::domain::token::{DecodedToken, RawToken, decode};
use crate::probe::regular_file;
use crate::remedy::{Values, advised};
use crate::report::trust;
use crate::report::trust::{Judged, TrustReport};

/// No policy that IAM takes and no token that STS takes comes near this many bytes.
const LONGEST: u64 = 128 << 10;

pub(in crate::cli) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// How a person knows the input.
pub(super) fn name(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// The trust policy, and the text that it was read from.
///
/// # Errors
/// Names the file, line and column of what is wrong, and what to write instead.
pub(in crate::cli) fn policy(path: &Path) -> Result<(Policy, String), CliError> {
    let text = in_code(path, read(path)?, |what| matches!(what, DeclaredTrust::Role { .. }))?;
    let policy = Policy::parse(&text).map_err(|error| {
        CliError::new(format!("{}, line {}, column {}: {}", name(path), error.line, error.column, error.what))
            .with_flaw(path, error.line as u64, format!("{}; {}", error.what, error.instead))
            .with_hint(error.instead)
    })?;
    Ok((policy, text))
}

/// What Terraform's configuration, its plan or a template declares, as the JSON that it comes to; another text as it is. What it
/// leaves open is named in place of its value.
pub(super) fn in_code(path: &Path, text: String, is_meant: fn(&DeclaredTrust) -> bool) -> Result<String, CliError> {
    let Some(mut configuration) = configuration(path, &text) else { return Ok(text) };
    configuration.declared.retain(|declared| is_meant(&declared.what));
    // Beside a trust that was read there may be what cannot be.
    if let Some(broken) = configuration.not_known.first().filter(|_| configuration.declared.is_empty()) {
        return Err(CliError::new(format!("{}, line {}: {}: {}", broken.file, broken.line, broken.what, broken.why)));
    }
    let trust = match configuration.declared.as_slice() {
        [] => return Err(CliError::new(format!("{} declares no trust", name(path)))),
        [one] => one,
        several => {
            let addresses: Vec<&str> = several.iter().map(|declared| declared.address.as_str()).collect();
            return Err(CliError::new(format!("{} declares several trusts: {}", name(path), addresses.join(", ")))
                .with_hint("`trustline audit` judges all of them; for one token give a file with one"));
        }
    };
    let unknowns = &configuration.unknowns;
    let text = match &trust.what {
        DeclaredTrust::Role { trust, .. } if unknowns.is_all(trust) => stand_in(trust),
        DeclaredTrust::Role { trust, .. } => trust.clone(),
        DeclaredTrust::Credential(json) | DeclaredTrust::Provider(json) | DeclaredTrust::Binding(json) => {
            json.to_string()
        }
    };
    Ok(unknowns.replaced(&text, open_part))
}

/// A policy for one that the code takes whole from elsewhere: who is trusted, and under what condition, is open.
fn stand_in(reference: &str) -> String {
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Federated": reference },
        "Action": WEB_IDENTITY,
        "Condition": { "StringEquals": { reference: reference } },
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

/// What a text declares, where it is code.
fn configuration(path: &Path, text: &str) -> Option<Configuration> {
    let file = name(path);
    if is_terraform(text) {
        // A file of another name is no part of the module in its folder.
        return Some(match is_configuration(path) {
            true => declared_in(path),
            false => code::read(&Module { files: vec![(file, text.to_owned())], ..Module::default() }, Around::NOTHING),
        });
    }
    if text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']) {
        return code::read_json(text, &file, 1);
    }
    // A text that is not whole YAML is told by whoever reads it as JSON.
    let is_yaml = text.lines().any(|line| line.trim_end().ends_with(':'));
    code::read_yaml(text, &file).into_iter().next().filter(|_| is_yaml)
}

/// The federated credentials.
///
/// # Errors
/// Names the file, what is wrong, and what to save instead.
pub(in crate::cli) fn credentials(path: &Path) -> Result<CredentialSet, CliError> {
    CredentialSet::parse(&in_code(path, read(path)?, |what| matches!(what, DeclaredTrust::Credential(_)))?)
        .map_err(|error| CliError::new(format!("{}: {error}", name(path))))
}

/// The claims of the token in a file.
pub(in crate::cli) fn token(path: &Path) -> Result<DecodedToken, CliError> {
    let text = zeroize::Zeroizing::new(read(path)?);
    let (raw, _) = RawToken::clean(&text);
    let decoded = decode(&raw);
    if decoded.claims.is_none() {
        let error = CliError::new(format!("{}: the token's claims cannot be read", name(path)));
        return Err(match decoded.problems.first() {
            Some(problem) => error.with_hint(problem.to_string()),
            None => error.with_hint("`trustline token` shows what can be read of it"),
        });
    }
    Ok(decoded)
}

/// The claims in a JSON file: the object itself, or the answer of `trustline token --output json`.
pub(in crate::cli) fn claims(path: &Path) -> Result<Map<String, Value>, CliError> {
    let text = read(path)?;
    if text.trim_start().starts_with("eyJ") {
        return Err(
            CliError::new(format!("{} holds a token, not claims", name(path))).with_hint("give it with --token")
        );
    }
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        let what = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let what = what.strip_suffix(&place).unwrap_or(&what);
        CliError::new(format!("{}, line {}, column {}: {what}", name(path), error.line(), error.column()))
            .with_flaw(path, error.line() as u64, what)
            .with_hint(
                "give the claims as one JSON object, such as {\"iss\": \"https://…\", \"aud\": \"…\", \"sub\": \"…\"}",
            )
    })?;
    match value {
        Value::Object(object) if ["Statement", "Role"].iter().any(|member| object.contains_key(*member)) => {
            Err(CliError::new(format!("{} holds a policy, not claims", name(path))).with_hint("give it with --policy"))
        }
        Value::Object(mut object) if object.contains_key("schema") => match object.remove("claims") {
            Some(Value::Object(claims)) => Ok(claims),
            _ => Err(CliError::new(format!("{}: the document has no claims", name(path)))
                .with_hint("give the claims, or the whole answer of `trustline token --output json`")),
        },
        Value::Object(object) => Ok(object),
        _ => Err(CliError::new(format!("{}: the claims are no JSON object", name(path)))
            .with_hint("give them as {\"iss\": \"https://…\", \"aud\": \"…\", \"sub\": \"…\"}")),
    }
}

pub(super) fn read(path: &Path) -> Result<String, CliError> {
    let failed = |error: std::io::Error| CliError::new(format!("{} cannot be read: {error}", name(path)));
    let mut bytes = Vec::new();
    if is_stdin(path) {
        std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        regular_file::open(path).map_err(failed)?.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    }
    if bytes.len() as u64 > LONGEST {
        return Err(CliError::new(format!("{} is longer than 128 KiB", name(path))).with_hint(
            "IAM takes policies of up to 10 240 characters, and STS tokens of up to 20 000: give the file of one role or token",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..valid].iter().filter(|b| **b == b'\n').count();
        CliError::new(format!("{}, line {line}: not UTF-8", name(path)))
            .with_flaw(path, line as u64, "not UTF-8")
            .with_hint("save the file as UTF-8")
    })
}

/// What the credentials say.
type Answer<'a> = TrustReport<&'a CredentialSet, CredentialEvaluation>;

/// Evaluates, prints, and yields the exit status.
pub(super) fn run(
    args: &TrustArgs,
    path: &Path,
    credentials: &CredentialSet,
    subject: Subject,
) -> Result<Exit, CliError> {
    let is_alone = matches!(subject, Subject::Nobody);
    let answer = Answer {
        trust: credentials,
        judged: judged(credentials, subject),
        lint: (args.lint || is_alone).then(|| looked_over(credentials)),
    };
    print(args, path, &answer, document, trust::credentials)?;
    let decision = answer.judged.map(|judged| judged.evaluation.decision);
    Ok(args.threshold.exit(decision, answer.lint.as_deref().unwrap_or_default()))
}

/// Who gets in beside those whom the credentials name, and what Entra or Graph do not take.
fn looked_over(credentials: &CredentialSet) -> Vec<Finding> {
    entra::strangers(credentials, CHECK).into_iter().chain(entra::flaws(credentials, CHECK)).collect()
}

fn judged(credentials: &CredentialSet, subject: Subject) -> Option<Judged<CredentialEvaluation>> {
    let causes = |evaluation: &CredentialEvaluation, claims: &Map<String, Value>| {
        let values = Values { claims: Some(claims), ..Values::default() };
        let complete = |finding| advised(finding, Some("azure-workload-identity"), &values);
        entra::of_credentials(evaluation, CHECK).into_iter().map(complete).collect::<Vec<Finding>>()
    };
    let cloud = subject.judged_by(Cloud::Azure);
    match subject {
        Subject::Nobody => None,
        Subject::Token(token) => {
            let claims = token.claims?;
            let mut evaluation = evaluate(credentials, &claims);
            let mut findings = causes(&evaluation, &claims);
            let refused = cloud.as_ref().and_then(|cloud| refusal(cloud, Some("azure-workload-identity")));
            if let Some(finding) = refused.filter(|_| evaluation.decision != Decision::Deny) {
                evaluation.decision = Decision::Deny;
                findings.insert(0, finding);
            }
            Some(Judged { claims, evaluation, findings, predicted: false, accepts_only: None, cloud })
        }
        Subject::Claims(claims) => {
            let evaluation = evaluate(credentials, &claims);
            let findings = causes(&evaluation, &claims);
            Some(Judged { claims, evaluation, findings, predicted: false, accepts_only: None, cloud })
        }
        Subject::Predicted(predicted) => {
            let Predicted { evaluation, accepts_only } = evaluate_predicted(credentials, &predicted);
            let expected = predicted.subject();
            let found = causes(&evaluation, &predicted.claims);
            let findings = found.into_iter().map(|finding| finding.as_predicted(expected)).collect();
            Some(Judged { claims: predicted.claims, evaluation, findings, predicted: true, accepts_only, cloud })
        }
    }
}

fn document(answer: &Answer<'_>) -> Value {
    let problems: Vec<Value> = answer
        .trust
        .problems
        .iter()
        .map(|problem| json!({ "what": problem.to_string(), "problem": problem }))
        .collect();
    let mut document = match &answer.judged {
        Some(judged) => json!({
            "decision": judged.evaluation.decision,
            "issuer": judged.claims.get("iss"),
            "subject": judged.claims.get("sub"),
            "statements": judged.evaluation.statements,
            "findings": judged.findings,
        }),
        None => json!({ "decision": Decision::Unknown, "statements": [], "findings": [] }),
    };
    document["schema"] = super::SCHEMA.into();
    document["lint"] = json!(answer.lint.as_deref().unwrap_or_default());
    document["problems"] = problems.into();
    if let Some(cloud) = answer.judged.as_ref().and_then(|judged| judged.cloud.as_ref()) {
        document["cloud"] = json!(cloud);
    }
    if let Some(judged) = answer.judged.as_ref().filter(|judged| judged.predicted) {
        document["predicted"] = true.into();
        document["claims"] = json!(judged.claims);
        if let Some(only) = &judged.accepts_only {
            document["accepts_only"] = only.as_str().into();
        }
    }
    document
}
