//! `client.credentials`: which credentials the client takes here, of everything that it would look at.

use super::afterwards;
use super::fault::{Fault, Remedy, Weight, verdict};
use super::google;
use crate::cause::Cause;
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Verdict};
use crate::domain::client::aws_choice::{self, AwsSource, Because};
use crate::domain::client::entra_choice::{self, AzureBecause, AzureSource};
use crate::domain::client::{AwsBehaviour, AzureBehaviour, SharedProfile, Surroundings};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;

const ID: CheckId = CheckId::ClientCredentials;

/// The client takes the exchanged token, and nothing before it.
pub const CHECK: Check = Check {
    id: ID,
    title: "the client takes the web identity",
    docs: "https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html",
    link: Link::Token,
    needs: &[],
    rules_out: &[],
    step: |_| Some(Step::Client),
    traffic: Traffic::None,
    waits: Waits::If(|_, profile| !profile.clients.is_empty()),
    facts: |facts| as_json(facts.client.as_ref()),
    verdict: credentials,
    reproduction: Reproduction::JudgedHere,
};

fn credentials(facts: &Facts, profile: &Profile) -> Verdict {
    verdict(ID, facts, profile, |client, facts, profile| {
        let Some(around) = facts.client.as_ref().map(|fact| &fact.around) else { return Vec::new() };
        // What comes later is told of a client that somebody named: of all common ones it would be too much.
        let is_named = !profile.clients.is_empty();
        if let (Cloud::Gcp, Some(behaviour)) = (profile.guide.cloud(), &client.google) {
            let later = google::afterwards(behaviour, facts).filter(|_| is_named);
            return google::credentials(behaviour, around).into_iter().chain(later).collect();
        }
        match (profile.guide.cloud(), &client.aws, &client.azure) {
            (Cloud::Aws, Some(aws), _) if is_named => {
                [at_aws(aws, around), afterwards::at_aws(aws, facts, profile)].concat()
            }
            (Cloud::Azure, _, Some(azure)) if is_named => {
                [at_azure(azure, around), afterwards::at_azure(azure, facts, profile)].concat()
            }
            (Cloud::Aws, Some(aws), _) => at_aws(aws, around),
            (Cloud::Azure, _, Some(azure)) => at_azure(azure, around),
            _ => Vec::new(),
        }
    })
}

const KEYS: &str = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
const UNSET_KEYS: &str = "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN";
const WEB_IDENTITY: &str = "the token of AWS_WEB_IDENTITY_TOKEN_FILE";

fn at_aws(client: &AwsBehaviour, around: &Surroundings) -> Vec<Fault> {
    let choice = aws_choice::choose(client, around);
    let found = choice.because.and_then(|because| {
        let instead = of_source(choice.source, client);
        let conflict = |said: String, actual: &str, fix| Fault {
            cause: Cause::EnvConflict,
            said,
            expected: WEB_IDENTITY.to_owned(),
            actual: actual.to_owned(),
            fix,
            weight: Weight::Breaks,
        };
        let unset = |name: &str| Fault {
            cause: Cause::EnvNotSet,
            said: format!("{name} is not set: {instead}"),
            expected: format!("{name} is set"),
            actual: "not set".to_owned(),
            fix: None,
            weight: Weight::Breaks,
        };
        Some(match because {
            Because::VariableKeys => conflict(
                "keys of the environment go first, and STS is never asked".to_owned(),
                KEYS,
                Remedy::run(
                    "Take the keys out of the program's environment, in the shell or job that starts it.",
                    UNSET_KEYS,
                ),
            ),
            Because::EmptyKeys => conflict(
                format!("{KEYS} are set and empty, and {instead}"),
                "empty keys",
                Remedy::run("Unset the empty variables: a CI secret that is not defined leaves them so.", UNSET_KEYS),
            ),
            Because::ProfileKeys(SharedProfile::Named) => conflict(
                "the keys of the profile that AWS_PROFILE names go first".to_owned(),
                "AWS_PROFILE",
                Remedy::run("Take the profile's name out of the program's environment.", "unset AWS_PROFILE"),
            ),
            Because::ProfileKeys(SharedProfile::Default) => conflict(
                "the keys of the shared files' default profile go first, and no variable shows it".to_owned(),
                "the [default] profile",
                Remedy::run(
                    "Let the program read no shared files, or take the default profile's keys out of them.",
                    "export AWS_SHARED_CREDENTIALS_FILE=/dev/null",
                ),
            ),
            Because::UnknownProfile => conflict(
                "AWS_PROFILE names a profile that the shared files do not have, and that ends the program".to_owned(),
                "AWS_PROFILE",
                Remedy::run("Take the profile's name out of the program's environment.", "unset AWS_PROFILE"),
            ),
            Because::TokenFileNotSet => unset("AWS_WEB_IDENTITY_TOKEN_FILE"),
            Because::RoleNotSet => unset("AWS_ROLE_ARN"),
            // Told by the other checks of the client.
            Because::TokenFileMissing
            | Because::TokenFileDenied
            | Because::TokenFileEmpty
            | Because::NoRegion
            | Because::Endpoint(_) => return None,
        })
    });
    found.into_iter().chain(kept(client, around)).collect()
}

/// A session that the client goes on with, whatever STS would say now.
fn kept(client: &AwsBehaviour, around: &Surroundings) -> Option<Fault> {
    let folder =
        client.caches.iter().find(|folder| around.kept_sessions.get(*folder).is_some_and(|count| *count > 0))?;
    Some(Fault {
        cause: Cause::ClientSessionCached,
        said: format!("a session of this role lives on in {folder}, so STS is not asked before it ends"),
        expected: "STS is asked".to_owned(),
        actual: format!("a kept session in {folder}"),
        fix: Remedy::run(
            "Remove the kept sessions, so that the next command asks STS.",
            format!("rm -f {folder}/*.json"),
        ),
        weight: Weight::MayBreak,
    })
}

fn of_source(source: AwsSource, client: &AwsBehaviour) -> String {
    let on_a_machine = match source.without_machine(client) {
        AwsSource::Anonymous => "requests go out unsigned",
        _ => "the program ends with an error",
    };
    match source {
        AwsSource::Machine => format!("the machine's role is taken and nothing said; without one {on_a_machine}"),
        AwsSource::Container => "the container's credentials are taken".to_owned(),
        AwsSource::ProfileKeys(_) => "the shared files' keys are taken".to_owned(),
        AwsSource::EmptyKeys => "requests are signed with them".to_owned(),
        AwsSource::Unfit => "STS is asked nevertheless, and refuses".to_owned(),
        AwsSource::Anonymous => "requests go out unsigned".to_owned(),
        AwsSource::VariableKeys | AwsSource::WebIdentity | AwsSource::Error => {
            "the program ends with an error".to_owned()
        }
    }
}

fn at_azure(client: &AzureBehaviour, around: &Surroundings) -> Vec<Fault> {
    let choice = entra_choice::choose(client, around);
    let instead = match choice.source {
        AzureSource::Machine => "the machine's identity is asked for",
        AzureSource::Developer => "a developer's tools are asked",
        AzureSource::Environment => "the variables' secret is sent, and not the token",
        AzureSource::WorkloadIdentity | AzureSource::Unfit | AzureSource::Error => "the program ends with an error",
    };
    let fault = |cause, said: String, actual: &str, fix| Fault {
        cause,
        said,
        expected: "the token of AZURE_FEDERATED_TOKEN_FILE".to_owned(),
        actual: actual.to_owned(),
        fix,
        weight: Weight::Breaks,
    };
    choice
        .because
        .and_then(|because| {
            Some(match because {
                AzureBecause::NoWorkloadIdentity => fault(
                    Cause::ClientSettingIgnored,
                    format!("this version exchanges no federated token: {instead}"),
                    "AZURE_FEDERATED_TOKEN_FILE is not read",
                    Remedy::advice("Take a version or a program that exchanges federated tokens; `trustline clients` says which do."),
                ),
                AzureBecause::Secret(variable) => fault(
                    Cause::EnvConflict,
                    format!("{variable} is set, and EnvironmentCredential goes first: {instead}"),
                    variable,
                    Remedy::run(
                        "Take the secret out of the program's environment, in the shell or job that starts it.",
                        "unset AZURE_CLIENT_SECRET AZURE_CLIENT_CERTIFICATE_PATH AZURE_USERNAME AZURE_PASSWORD",
                    ),
                ),
                AzureBecause::Narrowed => fault(
                    Cause::ClientSettingIgnored,
                    format!("AZURE_TOKEN_CREDENTIALS leaves WorkloadIdentityCredential out of the chain: {instead}"),
                    "AZURE_TOKEN_CREDENTIALS",
                    Remedy::run(
                        "Name the credential that is meant.",
                        "export AZURE_TOKEN_CREDENTIALS=WorkloadIdentityCredential",
                    ),
                ),
                AzureBecause::NotSet(variable) => Fault {
                    expected: format!("{variable} is set"),
                    ..fault(Cause::EnvNotSet, format!("{variable} is not set: {instead}"), "not set", None)
                },
                AzureBecause::TokenFileMissing
                | AzureBecause::TokenFileDenied
                | AzureBecause::TokenFileEmpty
                | AzureBecause::NoAuthority
                | AzureBecause::TenantInAuthority
                | AzureBecause::PlainHttp
                | AzureBecause::NoScheme => return None,
            })
        })
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;
    use crate::check::facts::client::ClientFact;
    use crate::domain::client::{Client, ProfileKeys};
    use crate::domain::guide::Guide;

    fn seen(set: &[(&str, &str)]) -> Surroundings {
        Surroundings::of_variables(&|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    fn judge(guide: Guide, clients: &[&str], around: Surroundings) -> Verdict {
        let facts = Facts { client: Some(ClientFact::new(around)), ..Facts::default() };
        let clients = clients.iter().filter_map(|name| Client::named(name)).collect();
        credentials(&facts, &Profile { clients, ..Profile::bare("p", guide) })
    }

    #[test]
    fn what_is_taken_before_the_token_has_its_cause() {
        let aws = [("AWS_ROLE_ARN", "r"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_REGION", "eu-west-1")];
        let with = |set: &[(&'static str, &'static str)]| seen(&[&aws, set].concat());
        let keys = with(&[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")]);
        let empty = with(&[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")]);
        let named = Surroundings { named_profile: ProfileKeys::Keys, ..with(&[("AWS_PROFILE", "x")]) };
        let default = Surroundings { default_profile: ProfileKeys::Keys, ..with(&[]) };
        for (around, client, cause) in [
            (keys, "boto3", Cause::EnvConflict),
            (empty, "obstore", Cause::EnvConflict),
            (named, "js-v3", Cause::EnvConflict),
            (default, "js-v3", Cause::EnvConflict),
            (with(&[("AWS_PROFILE", "nosuch")]), "boto3", Cause::EnvConflict),
            (seen(&aws[1..]), "pyarrow", Cause::EnvNotSet),
            (seen(&aws[..1]), "js-v3", Cause::EnvNotSet),
        ] {
            let asked = judge(Guide::AwsWorkloadIdentity, &[client], around.clone());
            assert_eq!((asked.outcome, asked.findings[0].cause), (Outcome::Fail, cause), "{client}");
            let unasked = judge(Guide::AwsWorkloadIdentity, &[], around);
            assert_eq!((unasked.outcome, unasked.findings[0].cause), (Outcome::Warn, cause), "{client}");
        }
        assert_eq!(judge(Guide::AwsWorkloadIdentity, &["boto3", "js-v3"], with(&[])), Verdict::pass());
    }

    #[test]
    fn a_kept_session_is_a_warning_for_who_keeps_sessions() {
        let aws = [("AWS_ROLE_ARN", "r"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_DEFAULT_REGION", "eu-west-1")];
        let kept = || Surroundings { kept_sessions: [("~/.aws/cli/cache".to_owned(), 1)].into(), ..seen(&aws) };
        let verdict = judge(Guide::AwsWorkloadIdentity, &["aws-cli-v2"], kept());
        assert_eq!((verdict.outcome, verdict.findings[0].cause), (Outcome::Warn, Cause::ClientSessionCached));
        assert_eq!(judge(Guide::AwsWorkloadIdentity, &["boto3"], kept()).outcome, Outcome::Pass);
    }

    #[test]
    fn at_azure_a_secret_goes_first_and_a_chain_can_leave_the_token_out() {
        let azure = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_FEDERATED_TOKEN_FILE", "/t")];
        let with = |set: &[(&'static str, &'static str)]| seen(&[&azure, set].concat());
        for (set, client, cause) in [
            (&[("AZURE_CLIENT_SECRET", "s")][..], "azure-python", Cause::EnvConflict),
            (&[("AZURE_USERNAME", "u"), ("AZURE_PASSWORD", "p")], "azure-js", Cause::EnvConflict),
            (&[("AZURE_TOKEN_CREDENTIALS", "dev")], "azure-python", Cause::ClientSettingIgnored),
            (&[("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")], "azure-js", Cause::ClientSettingIgnored),
        ] {
            let verdict = judge(Guide::AzureWorkloadIdentity, &[client], with(set));
            assert_eq!((verdict.outcome, verdict.findings[0].cause), (Outcome::Fail, cause), "{set:?}");
            assert_eq!(judge(Guide::AzureWorkloadIdentity, &[], with(set)).outcome, Outcome::Warn);
            assert_eq!(judge(Guide::AzureWorkloadIdentity, &["azure-rust"], with(set)), Verdict::pass());
        }
    }
}
