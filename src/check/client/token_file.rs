//! `client.token-file`: whether the client sends the token alone, or with what stands around it in its file.

use super::fault::{Fault, Remedy, Weight, enumeration, judged, verdict};
use crate::cause::Cause;
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::Facts;
use crate::check::facts::token::{TokenFact, TokenReading};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::client::aws_choice::{self, Because};
use crate::domain::client::entra_choice::{self, AzureBecause};
use crate::domain::client::{Client, Surroundings, TokenFile, TokenSent};
use crate::domain::ids::Cloud;
use crate::domain::profile::{Profile, TokenSource};
use crate::domain::text::quote;
use crate::domain::token::Cleaning;
use serde_json::json;

const ID: CheckId = CheckId::ClientTokenFile;

/// What the client reads from the token's file is a token.
pub const CHECK: Check = Check {
    id: ID,
    title: "the client sends the token as the cloud wants it",
    docs: "https://datatracker.ietf.org/doc/html/rfc7515#section-3.1",
    link: Link::Token,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::Client),
    traffic: Traffic::None,
    waits: Waits::If(|_, _| true),
    facts: |facts| facts.token.as_ref().map(|token| json!({ "source": token.source })),
    verdict: token_file,
    reproduction: Reproduction::JudgedHere,
};

fn token_file(facts: &Facts, profile: &Profile) -> Verdict {
    let mut verdict = verdict(ID, facts, profile, |client, facts, profile| {
        let Some(around) = facts.client.as_ref().map(|fact| &fact.around) else { return Vec::new() };
        let cleaned = stripped(facts.token.as_ref());
        not_read(client, around, profile).or_else(|| not_bare(client, cleaned, profile)).into_iter().collect()
    });
    // Who trims is told beside who does not.
    let trimming: Vec<&str> = judged(profile)
        .into_iter()
        .filter(|client| client.sends_token(profile.guide.cloud()) == TokenSent::Trimmed)
        .map(|c| c.name.as_str())
        .collect();
    if !trimming.is_empty() {
        for finding in verdict.findings.iter_mut().filter(|finding| finding.cause == Cause::TokenNotBare) {
            finding.evidence.push(format!("{}: the token is trimmed", enumeration(&trimming)));
        }
    }
    verdict
}

fn stripped(token: Option<&TokenFact>) -> &[Cleaning] {
    match token.map(|fact| &fact.reading) {
        Some(TokenReading::Read(read)) => &read.cleaned,
        _ => &[],
    }
}

fn not_bare(client: &Client, cleaned: &[Cleaning], profile: &Profile) -> Option<Fault> {
    let Some(TokenSource::File(path)) = &profile.token else { return None };
    let sent = cleaned.iter().filter(|cleaning| match client.sends_token(profile.guide.cloud()) {
        TokenSent::AsIs => true,
        TokenSent::Trimmed => cleaning.harms_other_readers(),
    });
    let sent: Vec<String> = sent.map(ToString::to_string).collect();
    if sent.is_empty() {
        return None;
    }
    let file = quote(&path.to_string_lossy());
    Some(Fault {
        cause: Cause::TokenNotBare,
        said: format!("the token's file is sent as it is, with {}", sent.join(", ")),
        expected: "the token alone".to_owned(),
        actual: sent.join(", "),
        fix: Some(Remedy {
            text: "Write the token without anything around it, where its file is made (`printf %s` in place of `echo`). This puts the file right once.".to_owned(),
            command: Some(format!("bare=$(tr -d '[:space:]' < {file}) && printf %s \"$bare\" > {file}")),
        })
        .filter(|_| cleaned.iter().all(|cleaning| !cleaning.harms_other_readers())),
        weight: Weight::Breaks,
    })
}

/// The file that the client cannot read, and what follows.
fn not_read(client: &Client, around: &Surroundings, profile: &Profile) -> Option<Fault> {
    let Some(TokenSource::File(path)) = &profile.token else { return None };
    let path = path.to_string_lossy();
    let concerns_the_file = match (profile.guide.cloud(), &client.aws, &client.azure) {
        (Cloud::Aws, Some(aws), _) => {
            let because = aws_choice::choose(aws, around).because;
            matches!(because, Some(Because::TokenFileMissing | Because::TokenFileDenied | Because::TokenFileEmpty))
        }
        (Cloud::Azure, _, Some(azure)) => {
            let because = entra_choice::choose(azure, around).because;
            matches!(
                because,
                Some(AzureBecause::TokenFileMissing | AzureBecause::TokenFileDenied | AzureBecause::TokenFileEmpty)
            )
        }
        _ => false,
    };
    let fault = |cause, said: &str, actual: &str| Fault {
        cause,
        said: format!("{said} ({path})"),
        expected: "a file that the program can read".to_owned(),
        actual: actual.to_owned(),
        fix: None,
        weight: Weight::Breaks,
    };
    match around.token_file {
        _ if !concerns_the_file => None,
        TokenFile::Full => None,
        TokenFile::Missing => Some(fault(Cause::EnvNotSet, "the token's file is missing", "no such file")),
        TokenFile::Empty => Some(fault(Cause::EnvNotSet, "the token's file is empty", "an empty file")),
        TokenFile::Denied => {
            Some(fault(Cause::TokenFileUnreadable, "the token's file may not be read", "permission denied"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::client::ClientFact;
    use crate::domain::guide::Guide;
    use crate::domain::token::RawToken;

    fn judge(guide: Guide, clients: &[&str], cleaned: Vec<Cleaning>, file: TokenFile) -> Verdict {
        let set = ["AWS_ROLE_ARN", "AWS_REGION", "AWS_WEB_IDENTITY_TOKEN_FILE", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"];
        let around = Surroundings::of_variables(&|name| {
            (set.contains(&name) || name == "AZURE_FEDERATED_TOKEN_FILE").then(|| "x".to_owned())
        });
        let (raw, _) = RawToken::clean("eyJhbGciOiJSUzI1NiJ9.e30.c2ln");
        let facts = Facts {
            client: Some(ClientFact::new(Surroundings { token_file: file, ..around })),
            token: Some(TokenFact::read("file /t", &raw, cleaned)),
            ..Facts::default()
        };
        let clients = clients.iter().filter_map(|name| Client::named(name)).collect();
        let token = Some(TokenSource::File("/t".into()));
        token_file(&facts, &Profile { clients, token, ..Profile::bare("p", guide) })
    }

    #[test]
    fn a_line_feed_breaks_who_sends_it_and_nobody_who_trims() {
        let aws = Guide::AwsWorkloadIdentity;
        for (guide, client, outcome) in [
            (aws, "boto3", Outcome::Fail),
            (aws, "js-v3", Outcome::Fail),
            (aws, "gdal", Outcome::Pass),
            (aws, "opendal", Outcome::Pass),
            (Guide::AzureWorkloadIdentity, "azure-python", Outcome::Fail),
            (Guide::AzureWorkloadIdentity, "azure-rust", Outcome::Fail),
            (Guide::AzureWorkloadIdentity, "azure-js", Outcome::Pass),
        ] {
            let verdict = judge(guide, &[client], vec![Cleaning::Surrounding], TokenFile::Full);
            assert_eq!(verdict.outcome, outcome, "{client}");
            let is_told = verdict.findings.iter().all(|finding| finding.cause == Cause::TokenNotBare);
            assert!(is_told, "{client}");
            assert_eq!(judge(guide, &[client], Vec::new(), TokenFile::Full), Verdict::pass(), "{client}");
        }
    }

    #[test]
    fn what_is_no_blank_breaks_who_trims_too() {
        let verdict = judge(Guide::AwsWorkloadIdentity, &["gdal"], vec![Cleaning::Quotes], TokenFile::Full);
        assert_eq!((verdict.outcome, verdict.findings[0].cause), (Outcome::Fail, Cause::TokenNotBare));
        assert_eq!(verdict.findings[0].fixes, [], "taking blanks away would not put quotes right");
    }

    #[test]
    fn those_that_trim_are_named_beside_those_that_do_not() {
        let verdict =
            judge(Guide::AwsWorkloadIdentity, &["boto3", "gdal"], vec![Cleaning::Surrounding], TokenFile::Full);
        let finding = &verdict.findings[0];
        assert!(finding.summary.starts_with("boto3: "), "{}", finding.summary);
        assert!(finding.evidence.iter().any(|line| line.starts_with("GDAL")), "{:?}", finding.evidence);
    }

    #[test]
    fn a_file_that_is_not_read_has_its_own_causes() {
        for (file, cause) in [
            (TokenFile::Denied, Cause::TokenFileUnreadable),
            (TokenFile::Missing, Cause::EnvNotSet),
            (TokenFile::Empty, Cause::EnvNotSet),
        ] {
            for (guide, client) in [(Guide::AwsWorkloadIdentity, "boto3"), (Guide::AzureWorkloadIdentity, "azure-js")] {
                let verdict = judge(guide, &[client], Vec::new(), file);
                assert_eq!((verdict.outcome, verdict.findings[0].cause), (Outcome::Fail, cause), "{client} {file:?}");
            }
        }
    }
}
