//! Strangers that a provider's expressions do not keep out though they look as if they did: owners whose names only start, end or
//! read like the one that is written, and whoever chooses the branch, the environment or the actor that is all that is asked for.

use serde_json::{Map, Value};

use super::expression::Expression;
use super::provider::PoolProvider;
use crate::domain::iam::{Distance, ForeignSubject};
use crate::domain::issuer::IssuerKind;

/// What stands in the names of strangers.
const STRANGER: &str = "someone-else";
/// Claims that whoever runs a job in a repository of his own chooses.
const CHOSEN: [&str; 14] = [
    "ref",
    "ref_type",
    "ref_protected",
    "head_ref",
    "base_ref",
    "environment",
    "event_name",
    "workflow",
    "runner_environment",
    "repository_visibility",
    "pipeline_source",
    "deployment_tier",
    "actor",
    "actor_id",
];
/// Claims that say whose a job is.
const OWNED: [&str; 6] =
    ["sub", "repository", "repository_owner", "project_path", "namespace_path", "terraform_organization_name"];
/// Names that are tried at most.
const MOST: usize = 12;

/// Tokens of strangers that may get in by the provider's own words. `own` is a token of the issuer with every claim that is read.
pub(super) fn lookalikes(
    provider: &PoolProvider,
    own: &Map<String, Value>,
) -> Vec<(ForeignSubject, Map<String, Value>)> {
    let kind = IssuerKind::of(&provider.issuer, None);
    let (prefix, who) = match kind {
        IssuerKind::GithubActions | IssuerKind::GithubEnterpriseServer => ("repo:", "a repository of another owner"),
        IssuerKind::GitlabCom | IssuerKind::GitlabSelfManaged => ("project_path:", "a project of another group"),
        IssuerKind::TerraformCloud => ("organization:", "a workspace of another organization"),
        _ => return Vec::new(),
    };
    let Some(condition) = &provider.condition else { return Vec::new() };
    let wanted: Vec<(String, String)> =
        condition.wanted().into_iter().filter_map(|one| Some((claim_of(provider, &one.name)?, one.text))).collect();
    let chosen: Vec<&(String, String)> = wanted.iter().filter(|(claim, _)| CHOSEN.contains(&claim.as_str())).collect();
    let by_actor = chosen.iter().any(|(claim, _)| claim.starts_with("actor"));
    let who = if by_actor { format!("{who}, in a run that the named actor starts") } else { who.to_owned() };
    let written = wanted.iter().filter(|(claim, _)| OWNED.contains(&claim.as_str()));
    let mut names: Vec<Job> = written.flat_map(|(_, text)| Job::like(text, prefix)).take(MOST).collect();
    names.insert(0, Job { owner: STRANGER.to_owned(), name: "app".to_owned(), context: None });
    names
        .into_iter()
        .map(|job| {
            let mut claims = own.clone();
            for (claim, text) in &chosen {
                claims.insert(claim.clone(), text.as_str().into());
            }
            let subject = job.subject(prefix, chosen.iter().find(|(claim, _)| claim == "ref").map(|(_, text)| text));
            job.put(&subject, &mut claims);
            (ForeignSubject { distance: Distance::Tenant, who: who.clone(), subject }, claims)
        })
        .collect()
}

/// The claim that a name stands for: an attribute is one where the mapping takes it over as it is.
fn claim_of(provider: &PoolProvider, name: &str) -> Option<String> {
    if let Some(claim) = name.strip_prefix("assertion.") {
        return Some(claim.to_owned());
    }
    let mapping = provider.mapping.iter().find(|mapping| mapping.attribute == name)?;
    plain_claim(&mapping.expression).map(str::to_owned)
}

/// The claim that an expression is, with nothing around it.
fn plain_claim(expression: &Expression) -> Option<&str> {
    let claim = expression.text().strip_prefix("assertion.")?;
    claim.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(claim)
}

/// A job of a stranger's.
struct Job {
    owner: String,
    name: String,
    /// What stands behind the repository or project in its subject, where that is written.
    context: Option<String>,
}

impl Job {
    /// Those whose names start, end or read like a text that an expression looks for.
    fn like(text: &str, prefix: &str) -> Vec<Job> {
        let plain = text.trim_start_matches('^').trim_end_matches('$').replace(".*", "x").replace(".+", "x");
        let plain = plain.replace(['\\', '(', ')', '[', ']'], "");
        let path = plain.strip_prefix(prefix).unwrap_or(&plain);
        let (path, context) = path.split_once(':').map_or((path, None), |(path, context)| (path, Some(context)));
        let (owner, name) = path.split_once('/').unwrap_or((path, ""));
        let name = if name.is_empty() { "app" } else { name };
        let owners = match owner {
            "" => vec![STRANGER.to_owned()],
            owner => vec![format!("{owner}-{STRANGER}"), format!("{STRANGER}-{owner}")],
        };
        let job = |owner| Job { owner, name: name.to_owned(), context: context.map(str::to_owned) };
        owners.into_iter().map(job).collect()
    }

    fn subject(&self, prefix: &str, reference: Option<&String>) -> String {
        let path = match prefix {
            "organization:" => self.owner.clone(),
            _ => format!("{}/{}", self.owner, self.name),
        };
        let behind = match (prefix, &self.context) {
            (_, Some(context)) if !context.is_empty() => context.clone(),
            ("organization:", _) => "project:own:workspace:own:run_phase:apply".to_owned(),
            ("repo:", _) => format!("ref:{}", reference.map_or("refs/heads/main", String::as_str)),
            _ => format!("ref_type:branch:ref:{}", reference.map_or("main", String::as_str)),
        };
        format!("{prefix}{path}:{behind}")
    }

    /// Writes the names into the claims that say whose a job is.
    fn put(&self, subject: &str, claims: &mut Map<String, Value>) {
        let path = format!("{}/{}", self.owner, self.name);
        for (claim, text) in [
            ("sub", subject),
            ("repository", &path),
            ("repository_owner", &self.owner),
            ("project_path", &path),
            ("namespace_path", &self.owner),
            ("terraform_organization_name", &self.owner),
        ] {
            if claims.contains_key(claim) {
                claims.insert(claim.to_owned(), text.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::lint::foreign;
    use super::*;

    fn found(issuer: &str, condition: &str) -> Option<String> {
        let provider = json!({
            "oidc": {"issuerUri": issuer},
            "attributeMapping": {"google.subject": "assertion.sub", "attribute.owner": "assertion.repository_owner",
                "attribute.repository": "assertion.repository"},
            "attributeCondition": condition,
        });
        let provider = PoolProvider::parse(&provider.to_string()).unwrap();
        foreign(&provider, None, None).into_iter().next().map(|token| token.subject.subject)
    }

    #[test]
    fn an_owner_who_only_reads_like_the_one_that_is_meant_gets_in() {
        for (condition, subject) in [
            ("assertion.repository_owner.startsWith('octo')", "repo:octo-someone-else/app:ref:refs/heads/main"),
            ("assertion.repository.startsWith('octo')", "repo:octo-someone-else/app:ref:refs/heads/main"),
            ("assertion.sub.startsWith('repo:octo')", "repo:octo-someone-else/app:ref:refs/heads/main"),
            ("assertion.repository.contains('octo/app')", "repo:someone-else-octo/app:ref:refs/heads/main"),
            ("assertion.repository.endsWith('/app')", "repo:someone-else/app:ref:refs/heads/main"),
            ("assertion.repository.endsWith('/deploy')", "repo:someone-else/deploy:ref:refs/heads/main"),
            ("assertion.repository.matches('octo/.*')", "repo:someone-else-octo/x:ref:refs/heads/main"),
            ("attribute.owner.startsWith('octo')", "repo:octo-someone-else/app:ref:refs/heads/main"),
            ("assertion.sub.contains('octo/app:environment:prod')", "repo:someone-else-octo/app:environment:prod"),
            ("assertion.ref == 'refs/heads/release'", "repo:someone-else/app:ref:refs/heads/release"),
            ("assertion.environment in ['prod', 'stage']", "repo:someone-else/app:ref:refs/heads/main"),
            ("assertion.actor == 'mona'", "repo:someone-else/app:ref:refs/heads/main"),
            (
                "assertion.repository_owner.startsWith('octo') && assertion.ref == 'refs/heads/main'",
                "repo:octo-someone-else/app:ref:refs/heads/main",
            ),
        ] {
            let github = "https://token.actions.githubusercontent.com";
            assert_eq!(found(github, condition).as_deref(), Some(subject), "{condition}");
        }
        let gitlab = found("https://gitlab.com", "assertion.namespace_path.startsWith('g')");
        assert_eq!(gitlab.as_deref(), Some("project_path:g-someone-else/app:ref_type:branch:ref:main"));
        let terraform = found("https://app.terraform.io", "assertion.sub.startsWith('organization:acme')");
        let workspace = "organization:acme-someone-else:project:own:workspace:own:run_phase:apply";
        assert_eq!(terraform.as_deref(), Some(workspace));
    }

    #[test]
    fn nobody_gets_in_by_a_whole_name_or_an_id() {
        for condition in [
            "assertion.repository_owner == 'octo'",
            "assertion.repository_owner_id == '42'",
            "assertion.repository == 'octo/app' && assertion.ref == 'refs/heads/main'",
            "assertion.repository.startsWith('octo/')",
            "assertion.sub.startsWith('repo:octo/app:')",
            "assertion.repository.matches('^octo/.*$')",
            "assertion.repository in ['octo/app', 'octo/api']",
            "attribute.owner == 'octo' && assertion.actor == 'mona'",
            "assertion.sub.startsWith('repo:octo@42/')",
        ] {
            assert_eq!(found("https://token.actions.githubusercontent.com", condition), None, "{condition}");
        }
        assert_eq!(found("https://gitlab.com", "assertion.namespace_id == '7'"), None);
        let whole = "assertion.sub.startsWith('organization:acme:project:p:')";
        assert_eq!(found("https://app.terraform.io", whole), None);
        assert_eq!(found("https://issuer.example", "assertion.team.startsWith('a')"), None);
    }
}
