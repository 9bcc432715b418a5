//! What somebody else has to do, as the message to send them: who it is and what must be so, with the values at hand.

use super::Context;
use super::catalogue::{Piece, Values, pieces, what};
use crate::cause::catalogue::{CatalogueRequest, entry};
use crate::cause::{Cause, Finding, Fix};
use crate::check::Link;
use crate::domain::guide::{Flow, Workload};
use crate::domain::issuer::IssuerKind;
use crate::domain::profile::{Profile, TokenSource};

/// Stands for what was found.
const SEEN: &str = "seen";

/// The messages for a finding; none where the reader can act, or nobody knows who can.
pub fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    // Where it is this machine's clock, the finding says so itself.
    if finding.cause == Cause::ClockSkew && !finding.fixes.is_empty() {
        return Vec::new();
    }
    let requests = &entry(finding.cause).requests;
    let of = |situation: &str| -> Vec<&CatalogueRequest> {
        requests.iter().filter(|request| request.of.as_deref() == Some(situation)).collect()
    };
    let fitting = situations(finding, context).into_iter().map(of).find(|found| !found.is_empty());
    let fitting = fitting.unwrap_or_else(|| requests.iter().filter(|request| request.of.is_none()).collect());
    let values = Values::of_run(context, finding.check);
    fitting
        .into_iter()
        .map(|request| Fix { text: worded(&request.text, finding, &values), actor: request.actor, ..Fix::default() })
        .collect()
}

/// What a request may be limited to, the most telling first.
fn situations(finding: &Finding, context: Context<'_>) -> Vec<&'static str> {
    let link = finding.check.check().map(|check| check.check().link);
    let is_issuers = matches!(link, Some(Link::Issuer | Link::Keys)).then_some("issuer");
    let source = match context.profile.token {
        Some(TokenSource::Command(_)) => Some("command"),
        _ => None,
    };
    is_issuers.into_iter().chain(source).chain(maker(context)).collect()
}

/// Who makes the tokens.
fn maker(context: Context<'_>) -> Option<&'static str> {
    let Profile { guide, organization, issuer_url, .. } = context.profile;
    match guide.workload() {
        Workload::Platform if guide.flow() != Flow::TokenExchange => return None,
        Workload::Platform => {}
        workload => return Some(workload.id()),
    }
    let token = context.facts.token.as_ref().and_then(|fact| fact.token());
    let issuer = issuer_url.as_deref().or_else(|| token.and_then(|token| token.issuer())).unwrap_or_default();
    match IssuerKind::of(issuer, token.and_then(|token| token.subject())) {
        IssuerKind::GithubActions | IssuerKind::GithubEnterpriseServer => Some("github"),
        IssuerKind::GitlabCom | IssuerKind::GitlabSelfManaged => Some("gitlab"),
        IssuerKind::CircleCi => Some("circleci"),
        IssuerKind::TerraformCloud => Some("terraform"),
        IssuerKind::Eks | IssuerKind::Kubernetes => Some("kubernetes"),
        IssuerKind::AgentPlatform => Some("platform"),
        _ => organization.is_some().then_some("platform"),
    }
}

/// The text with its values; what is not known stands in brackets, for the reader to write.
fn worded(text: &str, finding: &Finding, values: &Values<'_>) -> String {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Placeholder(SEEN) => finding.summary.clone(),
            Piece::Placeholder(name) => values.of(name).unwrap_or_else(|| format!("[{}]", what(name))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{Actor, Certainty};
    use crate::check::facts::Facts;
    use crate::domain::guide::Guide;
    use crate::domain::ids::CheckId;

    fn asked(profile: &Profile, cause: Cause, check: CheckId) -> Vec<Fix> {
        let finding = Finding::new(cause, check, Certainty::Proven, "the answer was 503");
        fixes(&finding, Context { profile, facts: &Facts::default() })
    }

    fn profile() -> Profile {
        let mut profile = Profile::bare("p", Guide::AwsWorkloadIdentity);
        profile.issuer_url = Some("https://app.example.com".into());
        profile.organization = Some("6f1d2c3b-4a59-4e68-8778-96a5b4c3d2e1".into());
        profile
    }

    #[test]
    fn a_message_names_the_issuer_and_what_was_seen() {
        let message = asked(&profile(), Cause::IssuerNotConfigured, CheckId::IssuerDiscovery).remove(0);
        assert_eq!((message.actor, message.command), (Actor::Platform, None));
        assert!(message.text.contains("https://app.example.com"), "{}", message.text);
        assert!(message.text.contains("the answer was 503"), "{}", message.text);
        let mut unknown = profile();
        unknown.issuer_url = None;
        let message = asked(&unknown, Cause::IssuerNotConfigured, CheckId::IssuerDiscovery).remove(0);
        assert!(message.text.contains("[the issuer's URL]"), "{}", message.text);
    }

    #[test]
    fn whoever_made_the_token_decides_who_acts() {
        let mut profile = profile();
        let actor = |profile: &Profile| asked(profile, Cause::TokenExpired, CheckId::TokenTime).remove(0).actor;
        assert_eq!(actor(&profile), Actor::Platform);
        profile.token = Some(TokenSource::Command(vec!["mint".into()]));
        assert_eq!(actor(&profile), Actor::You);
        profile.token = None;
        profile.issuer_url = Some("https://token.actions.githubusercontent.com".into());
        assert_eq!(actor(&profile), Actor::You);
        profile.guide = Guide::AwsStatic;
        assert_eq!(asked(&profile, Cause::TokenExpired, CheckId::TokenTime), []);
    }

    #[test]
    fn a_network_failure_is_the_issuers_only_on_the_way_to_it() {
        for cause in [Cause::Dns, Cause::ConnectRefused, Cause::TlsExpired, Cause::TlsName, Cause::TlsUntrusted] {
            assert_eq!(asked(&profile(), cause, CheckId::IssuerReachable).remove(0).actor, Actor::Issuer, "{cause}");
            assert_eq!(asked(&profile(), cause, CheckId::DeploymentReachable), [], "{cause}");
        }
    }

    #[test]
    fn every_request_is_for_a_known_situation() {
        let known = ["issuer", "command", "platform", "github", "gitlab", "circleci", "terraform", "kubernetes"];
        for cause in Cause::ALL {
            for request in &entry(*cause).requests {
                assert!(request.of.as_deref().is_none_or(|of| known.contains(&of)), "{cause}: {:?}", request.of);
                assert!(request.text.ends_with(['.', '?']), "{cause}: {}", request.text);
            }
        }
    }
}
