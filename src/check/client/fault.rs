//! What goes wrong for a client where trustline's own exchange goes well, told once for all clients that it goes wrong for.

use crate::cause::{Actor, Cause, Certainty, Finding, Fix};
use crate::check::facts::Facts;
use crate::check::{CheckId, Verdict};
use crate::domain::client::Client;
use crate::domain::profile::Profile;

/// One fault, as it is for one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub cause: Cause,
    /// What happens, behind the clients' names and a colon.
    pub said: String,
    pub expected: String,
    pub actual: String,
    pub fix: Option<Remedy>,
    pub weight: Weight,
}

/// Whether the client fails by it, or only may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Breaks,
    MayBreak,
}

/// What to do about it, on the client's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remedy {
    pub text: String,
    pub command: Option<String>,
}

impl Remedy {
    pub(super) fn run(text: &str, command: impl Into<String>) -> Option<Remedy> {
        Some(Remedy { text: text.to_owned(), command: Some(command.into()) })
    }

    pub(super) fn advice(text: impl Into<String>) -> Option<Remedy> {
        Some(Remedy { text: text.into(), command: None })
    }
}

/// The clients that are judged: those that the profile names, else the common ones of its cloud.
pub(super) fn judged(profile: &Profile) -> Vec<&'static Client> {
    if profile.clients.is_empty() {
        Client::common().filter(|client| client.is_of(profile.guide.cloud())).collect()
    } else {
        profile.clients.clone()
    }
}

/// The verdict on each client's faults. Where nobody said which client runs, no fault is more than a warning.
pub(super) fn verdict(
    id: CheckId,
    facts: &Facts,
    profile: &Profile,
    faults_of: impl Fn(&Client, &Facts, &Profile) -> Vec<Fault>,
) -> Verdict {
    if facts.client.is_none() {
        return Verdict::skipped("the client's surroundings were not read");
    }
    let mut grouped: Vec<(Fault, Vec<&str>)> = Vec::new();
    for client in judged(profile) {
        for fault in faults_of(client, facts, profile) {
            match grouped.iter_mut().find(|(known, _)| *known == fault) {
                Some((_, clients)) => clients.push(&client.name),
                None => grouped.push((fault, vec![&client.name])),
            }
        }
    }
    let is_named = !profile.clients.is_empty();
    let certainty = |weight| match (is_named, weight) {
        (true, Weight::Breaks) => Certainty::Proven,
        _ => Certainty::Likely,
    };
    grouped.sort_by_key(|(fault, _)| certainty(fault.weight));
    let breaks = is_named && grouped.iter().any(|(fault, _)| fault.weight == Weight::Breaks);
    let findings: Vec<Finding> =
        grouped.iter().map(|(fault, clients)| fault.finding(id, certainty(fault.weight), clients)).collect();
    match findings.first().map(|first| first.summary.clone()) {
        None => Verdict::pass(),
        Some(reason) if breaks => Verdict::fail(reason, findings),
        Some(reason) => Verdict::warn(reason, findings),
    }
}

impl Fault {
    fn finding(&self, id: CheckId, certainty: Certainty, clients: &[&str]) -> Finding {
        let summary = format!("{}: {}", enumeration(clients), self.said);
        let mut finding =
            Finding::new(self.cause, id, certainty, summary).with_difference(&self.expected, &self.actual);
        if let Some(remedy) = &self.fix {
            finding.fixes.push(Fix {
                text: remedy.text.clone(),
                actor: Actor::You,
                command: remedy.command.clone(),
                ..Fix::default()
            });
        }
        finding
    }
}

/// Names in a row, as a sentence has them.
pub(super) fn enumeration(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::client::ClientFact;
    use crate::domain::client::Surroundings;
    use crate::domain::guide::Guide;

    fn fault(weight: Weight) -> Fault {
        let text = |text: &str| text.to_owned();
        Fault { cause: Cause::EnvConflict, said: text("s"), expected: text("e"), actual: text("a"), fix: None, weight }
    }

    #[test]
    fn what_goes_wrong_alike_is_told_once_and_fails_only_a_client_that_is_named() {
        let facts = Facts { client: Some(ClientFact::new(Surroundings::default())), ..Facts::default() };
        let unnamed = Profile::bare("p", Guide::AwsWorkloadIdentity);
        let clients = ["boto3", "aws-cli-v2", "js-v3"].into_iter().filter_map(Client::named).collect();
        let named = Profile { clients, ..unnamed.clone() };
        let of_aws = |weight: Weight| {
            move |client: &Client, _: &Facts, _: &Profile| match client.id {
                "js-v3" => Vec::new(),
                _ => vec![fault(weight)],
            }
        };
        for (profile, weight, outcome) in [
            (&named, Weight::Breaks, Outcome::Fail),
            (&named, Weight::MayBreak, Outcome::Warn),
            (&unnamed, Weight::Breaks, Outcome::Warn),
        ] {
            let verdict = verdict(CheckId::ClientCredentials, &facts, profile, of_aws(weight));
            assert_eq!((verdict.outcome, verdict.findings.len()), (outcome, 1));
        }
        let told = verdict(CheckId::ClientCredentials, &facts, &named, of_aws(Weight::Breaks));
        assert_eq!(told.reason.as_deref(), Some("boto3 and the AWS CLI v2: s"));
        let none = verdict(CheckId::ClientCredentials, &facts, &named, |_, _, _| Vec::new());
        assert_eq!(none, Verdict::pass());
    }

    #[test]
    fn names_stand_in_a_row() {
        assert_eq!(enumeration(&["a"]), "a");
        assert_eq!(enumeration(&["a", "b", "c"]), "a, b and c");
    }
}
