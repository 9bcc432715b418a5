//! `trust --endpoint-policy`: whether an exchange gets through the VPC endpoint on its way to STS, and whether the client takes that way.

use std::path::Path;

use super::CHECK;
use super::input::{name, read};
use crate::cause::{Cause, Certainty, Finding};
use crate::cli::exit::CliError;
use crate::domain::client::aws_choice::{self, Sts};
use crate::domain::client::{Client, Surroundings};
use crate::domain::iam::{AccessEvaluation, Decision, Effect, StsEndpoint, Truth};
use crate::remedy::{Values, advised};

/// What the endpoint's policy decides for the role, and why where it is in the way.
pub(super) struct AtEndpoint {
    pub evaluation: AccessEvaluation,
    pub findings: Vec<Finding>,
}

/// Reads the policy, and evaluates the exchange of this client for the role.
///
/// # Errors
/// The file is no policy, has no endpoint of STS, or nothing says which role is asked for.
pub(super) fn judged(path: &Path, role: Option<&str>, client: Option<&Client>) -> Result<AtEndpoint, CliError> {
    let refused = |why: String| CliError::new(format!("{}: {why}", name(path)));
    let endpoint = StsEndpoint::read(&read(path)?)
        .map_err(|error| refused(error.what).with_hint(error.instead))?
        .ok_or_else(|| refused("no endpoint of STS is in it".to_owned()))?;
    let role = role.ok_or_else(|| {
        CliError::new("an endpoint's policy can be about the role, and nothing says which is asked for")
            .with_hint("give the trust as the answer of `aws iam get-role`, or a profile with aws.role-arn")
    })?;
    let agent = client.and_then(|client| client.aws.as_ref()?.user_agent.as_deref());
    let evaluation = endpoint.evaluate(role, agent);
    let denied = (evaluation.decision == Decision::Deny).then(|| refusal(&endpoint, &evaluation));
    let passed_by = client.and_then(|client| goes_elsewhere(&endpoint, client));
    Ok(AtEndpoint { evaluation, findings: denied.into_iter().chain(passed_by).collect() })
}

fn refusal(endpoint: &StsEndpoint, evaluation: &AccessEvaluation) -> Finding {
    let denies = |effect: Effect, matches: Truth| effect == Effect::Deny && matches == Truth::True;
    let by = evaluation.statements.iter().find(|statement| denies(statement.effect, statement.matches));
    let (cause, how) = match by {
        Some(_) => (Cause::ExplicitDeny, "denies"),
        None => (Cause::VpcEndpointPolicy, "does not allow"),
    };
    let summary = format!("the policy of {} {how} {} on {}", endpoint.name(), evaluation.action, evaluation.resource);
    let mut finding = Finding::new(cause, CHECK, Certainty::Proven, summary);
    if by.is_none() && endpoint.names_callers() {
        finding = finding
            .with_evidence("an exchange is not signed: a statement that names accounts or roles is not about it");
    }
    advised(finding, None, &Values::default())
}

/// A client that asks the global STS, which the endpoint of a region does not lead to.
fn goes_elsewhere(endpoint: &StsEndpoint, client: &Client) -> Option<Finding> {
    let region = endpoint.region.as_deref()?;
    let regions = |name: &str| ["AWS_REGION", "AWS_DEFAULT_REGION"].contains(&name).then(|| region.to_owned());
    let Sts::Host(host) = aws_choice::choose(client.aws.as_ref()?, &Surroundings::of_variables(&regions)).sts else {
        return None;
    };
    let own = format!("sts.{region}.");
    (!host.starts_with(&own)).then(|| {
        let summary = format!("{} asks {host}, which {} does not serve", client.name, endpoint.name());
        let finding = Finding::new(Cause::StsUnreachable, CHECK, Certainty::Likely, summary);
        advised(finding.with_difference(format!("{own}amazonaws.com"), host.as_str()), None, &Values::default())
    })
}
