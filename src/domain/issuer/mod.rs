//! Issuers: how IAM names them, who the well-known ones are, and what their subjects mean.

mod description;
mod platform;
mod retiring;
mod server;
mod subject;

use serde::Deserialize;

pub use description::{Description, fill};
pub use platform::{Apart, Platform, PlatformId};
pub use retiring::{is_announced_github_form, retiring};
pub use server::Server;
pub use subject::{GithubSubject, Segment, is_whole, segments};

/// What stands before the `:` of an issuer's condition keys: its URL without scheme, with its path.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html>
pub fn condition_key_prefix(issuer: &str) -> &str {
    issuer.strip_prefix("https://").or_else(|| issuer.strip_prefix("http://")).unwrap_or(issuer)
}

/// The ARN of the identity provider that an account registers for `issuer`; the bare host for one that is built in.
pub fn provider_arn(issuer: &str, partition: &str, account: &str) -> String {
    let url = condition_key_prefix(issuer);
    if crate::domain::iam::BUILT_IN_PROVIDERS.contains(&url) {
        return url.to_owned();
    }
    format!("arn:{partition}:iam::{account}:oidc-provider/{url}")
}

/// Identity providers that every account has: a statement names their host, and no provider ARN exists for them
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>).
pub const BUILT_IN_PROVIDERS: [&str; 4] =
    ["accounts.google.com", "cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com"];

/// Who issued a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssuerKind {
    /// GitHub Actions on github.com, with or without an enterprise's path, and on `ghe.com`.
    GithubActions,
    /// GitHub Actions on a GitHub Enterprise Server.
    GithubEnterpriseServer,
    /// GitLab CI on gitlab.com.
    GitlabCom,
    /// GitLab CI on an own instance.
    GitlabSelfManaged,
    CircleCi,
    /// HCP Terraform, and Terraform Enterprise by the shape of its subjects.
    TerraformCloud,
    Buildkite,
    Bitbucket,
    /// An EKS cluster.
    Eks,
    /// Any other Kubernetes cluster.
    Kubernetes,
    /// The agent platform: `organization:<uuid>`.
    AgentPlatform,
    Google,
    Cognito,
    OracleCloud,
    /// An AWS account, whose STS signs tokens about its principals since November 2025.
    Aws,
    /// One that a file describes whole.
    #[serde(skip)]
    Platform(PlatformId),
    /// Nothing is known about it.
    Generic,
}

/// Claims that every issuer's tokens bring as condition keys: `aud`, `oaud`, `sub`, `amr` and `email`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html>).
pub const DEFAULT_KEYS: [&str; 5] = ["sub", "aud", "oaud", "amr", "email"];

impl IssuerKind {
    /// Tells the issuer from the `iss` of a token, and where that says nothing, from the shape of its `sub`.
    pub fn of(issuer: &str, subject: Option<&str>) -> IssuerKind {
        let url = condition_key_prefix(issuer);
        let (host, path) = url.split_once('/').unwrap_or((url, ""));
        match host {
            "token.actions.githubusercontent.com" => return IssuerKind::GithubActions,
            "gitlab.com" => return IssuerKind::GitlabCom,
            "oidc.circleci.com" => return IssuerKind::CircleCi,
            "app.terraform.io" => return IssuerKind::TerraformCloud,
            "agent.buildkite.com" => return IssuerKind::Buildkite,
            "api.bitbucket.org" => return IssuerKind::Bitbucket,
            "accounts.google.com" => return IssuerKind::Google,
            "cognito-identity.amazonaws.com" => return IssuerKind::Cognito,
            _ if host.starts_with("token.actions.") && host.ends_with(".ghe.com") => {
                return IssuerKind::GithubActions;
            }
            _ if host.starts_with("oidc.eks.") || host.starts_with("oidc-eks.") => return IssuerKind::Eks,
            _ if host.ends_with(".oraclecloud.com") => return IssuerKind::OracleCloud,
            _ if host.ends_with(".tokens.sts.global.api.aws") => return IssuerKind::Aws,
            _ if path.trim_end_matches('/') == "_services/token" => return IssuerKind::GithubEnterpriseServer,
            _ => {}
        }
        if let Some(platform) = PlatformId::of(host, subject) {
            return IssuerKind::Platform(platform);
        }
        subject.map_or(IssuerKind::Generic, Self::of_subject)
    }

    fn of_subject(subject: &str) -> IssuerKind {
        if subject.starts_with("system:serviceaccount:") {
            IssuerKind::Kubernetes
        } else if subject.starts_with("project_path:") {
            IssuerKind::GitlabSelfManaged
        } else if subject.starts_with("repo:") {
            IssuerKind::GithubEnterpriseServer
        } else if let Some(organization) = subject.strip_prefix("organization:") {
            if organization.contains(":workspace:") {
                IssuerKind::TerraformCloud
            } else if organization.contains(':') {
                IssuerKind::Generic
            } else {
                IssuerKind::AgentPlatform
            }
        } else {
            IssuerKind::Generic
        }
    }

    /// The claims beside [`DEFAULT_KEYS`] that STS turns into condition keys for this issuer, and no others
    /// (<https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/>).
    pub const fn extra_keys(self) -> &'static [&'static str] {
        match self {
            IssuerKind::GithubActions => &[
                "actor",
                "actor_id",
                "enterprise_id",
                "environment",
                "job_workflow_ref",
                "ref",
                "repository",
                "repository_id",
                "repository_owner_id",
                "workflow",
            ],
            IssuerKind::GitlabCom => &[
                "namespace_id",
                "project_id",
                "pipeline_source",
                "ref_protected",
                "runner_environment",
                "user_access_level",
                "user_email",
                "user_id",
                "user_login",
            ],
            IssuerKind::Buildkite => &[
                "build_branch",
                "cluster_id",
                "cluster_name",
                "organization_id",
                "organization_slug",
                "pipeline_id",
                "pipeline_slug",
            ],
            IssuerKind::CircleCi => &["oidc.circleci.com/project-id"],
            IssuerKind::Google => &["google/organization_number"],
            IssuerKind::OracleCloud => &["rpst_id"],
            _ => &[],
        }
    }

    /// The condition keys that tell one owner of tokens from another.
    pub const fn tenancy_keys(self) -> &'static [&'static str] {
        match self {
            IssuerKind::GithubActions => &[
                "sub",
                "repository",
                "repository_id",
                "repository_owner_id",
                "job_workflow_ref",
                "enterprise_id",
                "actor_id",
            ],
            IssuerKind::GitlabCom => &["sub", "namespace_id", "project_id", "user_id", "user_login", "user_email"],
            IssuerKind::Buildkite => &["sub", "organization_id", "organization_slug", "pipeline_id", "cluster_id"],
            IssuerKind::CircleCi => &["sub", "oidc.circleci.com/project-id"],
            IssuerKind::Cognito => &["sub", "aud"],
            IssuerKind::Google => &["sub", "aud", "email", "google/organization_number"],
            _ => &["sub", "email"],
        }
    }

    /// Whether a file says what its tokens are like.
    pub fn is_described(self) -> bool {
        matches!(self, IssuerKind::Platform(_) | IssuerKind::Buildkite) || Description::of(self).is_some()
    }

    /// A subject of somebody's.
    pub fn example(self) -> &'static str {
        let described = match self {
            IssuerKind::Platform(id) => id.platform().map(|platform| platform.example.as_str()),
            kind => Description::of(kind).map(|description| description.example.as_str()),
        };
        described.unwrap_or(match self {
            IssuerKind::Buildkite => "organization:own:pipeline:own:ref:refs/heads/main:commit:0:step:own",
            IssuerKind::Bitbucket => "{own}:{own}",
            _ => "own",
        })
    }

    /// How a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            IssuerKind::Platform(id) => id.platform().map_or("the issuer", |platform| platform.name.as_str()),
            IssuerKind::GithubActions => "GitHub Actions",
            IssuerKind::GithubEnterpriseServer => "GitHub Enterprise Server",
            IssuerKind::GitlabCom => "gitlab.com",
            IssuerKind::GitlabSelfManaged => "GitLab",
            IssuerKind::CircleCi => "CircleCI",
            IssuerKind::TerraformCloud => "Terraform",
            IssuerKind::Buildkite => "Buildkite",
            IssuerKind::Bitbucket => "Bitbucket",
            IssuerKind::Eks => "EKS",
            IssuerKind::Kubernetes => "Kubernetes",
            IssuerKind::AgentPlatform => "the agent platform",
            IssuerKind::Google => "Google",
            IssuerKind::Cognito => "Cognito",
            IssuerKind::OracleCloud => "Oracle Cloud",
            IssuerKind::Aws => "AWS",
            IssuerKind::Generic => "the issuer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_an_issuer_as_iam_does() {
        for (issuer, prefix, arn) in [
            ("https://app.example.com", "app.example.com", "arn:aws:iam::123456789012:oidc-provider/app.example.com"),
            (
                "https://oidc.circleci.com/org/ab-cd",
                "oidc.circleci.com/org/ab-cd",
                "arn:aws:iam::123456789012:oidc-provider/oidc.circleci.com/org/ab-cd",
            ),
            (
                "https://sts.windows.net/t/",
                "sts.windows.net/t/",
                "arn:aws:iam::123456789012:oidc-provider/sts.windows.net/t/",
            ),
            ("https://accounts.google.com", "accounts.google.com", "accounts.google.com"),
            ("accounts.google.com", "accounts.google.com", "accounts.google.com"),
        ] {
            assert_eq!(condition_key_prefix(issuer), prefix);
            assert_eq!(provider_arn(issuer, "aws", "123456789012"), arn);
        }
    }
}

#[cfg(test)]
mod kind_tests {
    use super::IssuerKind;
    use super::IssuerKind::*;

    #[test]
    fn tells_issuers_by_url_then_by_subject() {
        for (issuer, subject, kind) in [
            ("https://token.actions.githubusercontent.com", None, GithubActions),
            ("https://token.actions.githubusercontent.com/octo", None, GithubActions),
            ("https://token.actions.octo.ghe.com", None, GithubActions),
            ("https://github.example.com/_services/token", None, GithubEnterpriseServer),
            ("https://gitlab.com", None, GitlabCom),
            ("https://gitlab.example.com", Some("project_path:g/p:ref_type:branch:ref:main"), GitlabSelfManaged),
            ("https://oidc.circleci.com/org/u", None, CircleCi),
            ("https://app.terraform.io", None, TerraformCloud),
            ("https://tfe.example.com", Some("organization:o:project:p:workspace:w:run_phase:plan"), TerraformCloud),
            ("https://agent.buildkite.com", None, Buildkite),
            ("https://api.bitbucket.org/2.0/workspaces/w/pipelines-config/identity/oidc", None, Bitbucket),
            ("https://oidc.eks.us-east-1.amazonaws.com/id/ABC", None, Eks),
            ("https://k8s.example.com", Some("system:serviceaccount:ns:sa"), Kubernetes),
            ("https://app.example.com", Some("organization:7f3e81c4-0000-4000-8000-9d20c1a09a1c"), AgentPlatform),
            // Buildkite has one issuer, and STS knows its keys by that alone.
            ("https://app.example.com", Some("organization:o:pipeline:p:ref:r:commit:c:step:s"), Generic),
            ("https://app.example.com", Some("anything"), Generic),
            ("https://5b1f2c9e-0000-4000-8000-0123456789ab.tokens.sts.global.api.aws", None, Aws),
            ("https://tokens.sts.global.api.aws.example.com", None, Generic),
            ("https://gitlab.com.example.com", None, Generic),
            ("", None, Generic),
        ] {
            assert_eq!(IssuerKind::of(issuer, subject), kind, "{issuer}");
        }
    }
}
