//! The job's side in CI systems: the token goes to a file, and the AWS CLI and SDKs do the exchange by themselves.

use super::super::form::yaml::{Yaml, document};
use super::super::values::Filling;
use crate::domain::profile::key::Key;

/// Puts the token where the AWS CLI and SDKs look for it. They exchange it, and renew the session, without any
/// credential being written down.
fn token_to_file(variable: &str) -> String {
    format!(
        "umask 077\n\
         AWS_WEB_IDENTITY_TOKEN_FILE=$(mktemp)\n\
         export AWS_WEB_IDENTITY_TOKEN_FILE\n\
         printf %s \"${variable}\" >\"$AWS_WEB_IDENTITY_TOKEN_FILE\"\n"
    )
}

/// Reads the secret's version, which shows that the job may read it, and prints no value.
fn verify() -> String {
    "aws sts get-caller-identity\n\
     aws secretsmanager get-secret-value --secret-id \"$SECRET_NAME\" --query VersionId --output text\n"
        .to_owned()
}

fn variables(filling: &mut Filling<'_>) -> Vec<(&'static str, Yaml)> {
    vec![
        ("AWS_ROLE_ARN", filling.role_arn().into()),
        ("AWS_REGION", filling.region().into()),
        ("AWS_ROLE_SESSION_NAME", filling.known(Key::SessionName).unwrap_or("trustline").into()),
        ("SECRET_NAME", filling.secret_name().into()),
    ]
}

pub(super) fn gitlab(filling: &mut Filling<'_>) -> String {
    filling
        .note("the predefined variable CI_JOB_JWT_V2 is gone since GitLab 17.0; `id_tokens` is what makes the token");
    // `id_tokens` names the variable; it cannot take a name that is only known when the job runs.
    let audience = filling.audience();
    let job = Yaml::Map(vec![
        (
            "image",
            Yaml::Map(vec![("name", "amazon/aws-cli:latest".into()), ("entrypoint", Yaml::List(vec!["".into()]))]),
        ),
        ("id_tokens", Yaml::Map(vec![("GITLAB_OIDC_TOKEN", Yaml::Map(vec![("aud", audience.into())]))])),
        ("variables", Yaml::Map(variables(filling))),
        ("script", Yaml::List(vec![Yaml::Lines(token_to_file("GITLAB_OIDC_TOKEN")), Yaml::Lines(verify())])),
    ]);
    document(&Yaml::Map(vec![("read-secret", job)]))
}

pub(super) fn circleci(filling: &mut Filling<'_>) -> String {
    let variable = filling.known(Key::TokenEnv).unwrap_or("CIRCLE_OIDC_TOKEN");
    if variable == "CIRCLE_OIDC_TOKEN_V2" {
        filling.note("the subject of CIRCLE_OIDC_TOKEN_V2 goes on behind the user with the repository and ref; the policy's `user/*` covers both");
    }
    let variables = variables(filling);
    let mut steps = vec![run("Put the job's token where the AWS CLI looks for it", token_for_later_steps(variable))];
    if let Some(target) = filling.known(Key::TargetRoleArn) {
        steps.push(run("Name the sub-account's role as a second hop", second_hop(target)));
        steps.push(run("Read the secret's version", verify().replace("aws ", "aws --profile target ")));
    } else {
        steps.push(run("Read the secret's version", verify()));
    }
    let job = Yaml::Map(vec![
        ("docker", Yaml::List(vec![Yaml::Map(vec![("image", "cimg/aws:2024.03".into())])])),
        ("environment", Yaml::Map(variables)),
        ("steps", Yaml::List(steps)),
    ]);
    document(&Yaml::Map(vec![
        ("version", Yaml::Text("2.1".to_owned())),
        ("jobs", Yaml::Map(vec![("read-secret", job)])),
        (
            "workflows",
            Yaml::Map(vec![("read-secret", Yaml::Map(vec![("jobs", Yaml::List(vec!["read-secret".into()]))]))]),
        ),
    ]))
}

fn run(name: &'static str, command: String) -> Yaml {
    Yaml::Map(vec![("run", Yaml::Map(vec![("name", name.into()), ("command", Yaml::Lines(command))]))])
}

/// As [`token_to_file`]; every step of a CircleCI job has a shell of its own, and `$BASH_ENV` is what they share.
fn token_for_later_steps(variable: &str) -> String {
    format!(
        "{}printf 'export AWS_WEB_IDENTITY_TOKEN_FILE=%s\\n' \"$AWS_WEB_IDENTITY_TOKEN_FILE\" >>\"$BASH_ENV\"\n",
        token_to_file(variable)
    )
}

/// A profile that assumes the sub-account's role from the first role's session. The file names roles, and no key.
fn second_hop(target: &str) -> String {
    format!(
        "mkdir -p ~/.aws\n\
         cat >~/.aws/config <<END\n\
         [profile first]\n\
         role_arn = $AWS_ROLE_ARN\n\
         web_identity_token_file = $AWS_WEB_IDENTITY_TOKEN_FILE\n\
         [profile target]\n\
         role_arn = {target}\n\
         source_profile = first\n\
         region = $AWS_REGION\n\
         END\n"
    )
}
