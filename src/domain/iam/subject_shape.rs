//! Subjects that no token of their issuer has, by the grammar that the issuer writes them in: a repository without its context, a
//! branch without `refs/heads/`, a service account behind a slash. What a pattern leaves open fits.

use crate::domain::issuer::IssuerKind;

/// What keeps every token of the issuer from having a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeFault {
    /// A clause about the subject.
    pub why: String,
    /// How the issuer writes it.
    pub written: &'static str,
    /// Where the issuer's customers may choose another form of subjects: how.
    pub unless: Option<&'static str>,
}

const GITHUB: &str = "repo:OWNER/REPOSITORY:ref:refs/heads/BRANCH, …:environment:NAME or …:pull_request";
const GITHUB_UNLESS: &str = "unless the repository or its owner customizes the subject";
const GITLAB: &str = "project_path:GROUP/PROJECT:ref_type:branch:ref:BRANCH";
const GITLAB_UNLESS: &str = "unless the project chooses other components of the subject";
const KUBERNETES: &str = "system:serviceaccount:NAMESPACE:SERVICE-ACCOUNT";
const TERRAFORM: &str = "organization:ORGANIZATION:project:PROJECT:workspace:WORKSPACE:run_phase:PHASE";
const CIRCLECI: &str = "org/ORGANIZATION-ID/project/PROJECT-ID/user/USER-ID";

/// A subject, or a pattern of subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'t> {
    /// What stands before the first wildcard.
    literal: &'t str,
    /// Whether a wildcard follows.
    is_open: bool,
}

impl<'t> Written<'t> {
    /// A value under an operator that knows wildcards.
    pub fn pattern(text: &'t str) -> Self {
        let end = text.find(['*', '?']);
        Written { literal: text.get(..end.unwrap_or(text.len())).unwrap_or_default(), is_open: end.is_some() }
    }

    /// A value that is compared whole.
    pub const fn literal(text: &'t str) -> Self {
        Written { literal: text, is_open: false }
    }

    /// What stands behind `prefix`; nothing where no subject with it fits, and the rest may be anything where it is left open.
    fn behind(self, prefix: &str) -> Behind<'t> {
        match self.literal.strip_prefix(prefix) {
            Some(rest) => Behind::Rest(Written { literal: rest, ..self }),
            None if self.is_open && prefix.starts_with(self.literal) => Behind::Anything,
            None => Behind::Other,
        }
    }
}

enum Behind<'t> {
    Rest(Written<'t>),
    Anything,
    Other,
}

/// Why no token of an issuer of this kind has the subject. `url` is the issuer's, without scheme.
pub fn shape_fault(kind: IssuerKind, url: &str, subject: Written<'_>) -> Option<ShapeFault> {
    // What a person has to fill in, and what a variable brings, may be anything.
    if subject.literal.contains(['<', '{', '$']) {
        return None;
    }
    let (why, written, unless) = match kind {
        IssuerKind::GithubActions | IssuerKind::GithubEnterpriseServer => {
            (github(subject)?, GITHUB, Some(GITHUB_UNLESS))
        }
        IssuerKind::GitlabCom | IssuerKind::GitlabSelfManaged => (gitlab(subject)?, GITLAB, Some(GITLAB_UNLESS)),
        IssuerKind::Eks | IssuerKind::Kubernetes => (kubernetes(subject)?, KUBERNETES, None),
        IssuerKind::TerraformCloud => (terraform(subject)?, TERRAFORM, None),
        IssuerKind::CircleCi => (circleci(url, subject)?, CIRCLECI, None),
        _ => return None,
    };
    Some(ShapeFault { why, written, unless })
}

/// Whether a text without its prefix is a path all the same: `owner/name:…`.
fn is_path(literal: &str) -> bool {
    literal.split(':').next().is_some_and(|first| first.contains('/'))
}

fn github(subject: Written<'_>) -> Option<String> {
    let rest = match subject.behind("repo:") {
        Behind::Rest(rest) => rest,
        Behind::Other if is_path(subject.literal) => return Some("it does not begin with `repo:`".to_owned()),
        Behind::Other | Behind::Anything => return None,
    };
    if rest.literal.contains("://") || rest.literal.starts_with("github.com/") {
        return Some("it has a URL where owner and repository stand".to_owned());
    }
    let Some((path, context)) = rest.literal.split_once(':') else {
        return (!rest.is_open).then(|| "nothing stands behind the repository".to_owned());
    };
    if path.matches('/').count() > 1 {
        return Some(format!("`{path}` is not one owner and one repository"));
    }
    let context = Written { literal: context, ..rest };
    if context.literal.starts_with("refs/") {
        return Some("`ref:` is missing before the ref".to_owned());
    }
    if let Behind::Rest(reference) = context.behind("ref:") {
        let kinds = ["refs/heads/", "refs/tags/", "refs/pull/"];
        let fits = kinds.iter().any(|kind| !matches!(reference.behind(kind), Behind::Other));
        return (!fits).then(|| format!("`{}` is no whole ref, such as refs/heads/main", reference.literal));
    }
    let word = context.literal.split(':').next().unwrap_or_default();
    let instead = match word.to_ascii_lowercase().as_str() {
        "branch" | "branches" | "heads" | "head" => "ref:refs/heads/BRANCH",
        "tag" | "tags" => "ref:refs/tags/TAG",
        "pull-request" | "pull_requests" | "pullrequest" | "pr" => "pull_request",
        "env" | "environment" if word != "environment" => "environment:NAME",
        _ => return None,
    };
    Some(format!("`{word}` is written `{instead}`"))
}

fn gitlab(subject: Written<'_>) -> Option<String> {
    let rest = match subject.behind("project_path:") {
        Behind::Rest(rest) => rest,
        Behind::Other if is_path(subject.literal) => return Some("it does not begin with `project_path:`".to_owned()),
        Behind::Other | Behind::Anything => return None,
    };
    if rest.literal.contains("://") {
        return Some("it has a URL where the project's path stands".to_owned());
    }
    let Some((_, behind)) = rest.literal.split_once(':') else {
        return (!rest.is_open).then(|| "nothing stands behind the project".to_owned());
    };
    let behind = Written { literal: behind, ..rest };
    if matches!(behind.behind("ref:"), Behind::Rest(_)) {
        return Some("`ref_type:branch` or `ref_type:tag` is missing before `ref:`".to_owned());
    }
    let reference = behind.literal.split_once(":ref:").map(|(_, reference)| reference)?;
    reference.starts_with("refs/").then(|| format!("`{reference}` is not the branch's or tag's bare name"))
}

fn kubernetes(subject: Written<'_>) -> Option<String> {
    let rest = match subject.behind("system:serviceaccount:") {
        Behind::Rest(rest) => rest,
        Behind::Anything => return None,
        Behind::Other => return Some("it does not begin with `system:serviceaccount:`".to_owned()),
    };
    let parts = rest.literal.split(':').count();
    if rest.literal.contains('/') {
        return Some("a `/` stands between namespace and service account in place of `:`".to_owned());
    }
    match (parts, rest.is_open) {
        (3.., _) => Some("it has more parts than a namespace and a service account".to_owned()),
        (1, false) => Some("it names no service account".to_owned()),
        _ => None,
    }
}

fn terraform(subject: Written<'_>) -> Option<String> {
    const NAMES: [&[&str]; 4] =
        [&["organization"], &["project"], &["workspace", "stack"], &["run_phase", "deployment"]];
    let parts: Vec<&str> = subject.literal.split(':').collect();
    for (at, names) in NAMES.iter().enumerate() {
        let Some(part) = parts.get(at * 2) else {
            return (!subject.is_open).then(|| format!("`{}:` is missing", names[0]));
        };
        let is_cut = subject.is_open && parts.len() == at * 2 + 1;
        let fits = names.iter().any(|name| if is_cut { name.starts_with(part) } else { name == part });
        if !fits {
            return Some(format!("`{part}` stands where `{}` does", names[0]));
        }
        if !subject.is_open && parts.len() == at * 2 + 1 {
            return Some(format!("nothing stands behind `{part}`"));
        }
    }
    None
}

fn circleci(url: &str, subject: Written<'_>) -> Option<String> {
    let own = url.split_once("/org/")?.1.trim_end_matches('/');
    let rest = match subject.behind("org/") {
        Behind::Rest(rest) => rest,
        Behind::Anything => return None,
        Behind::Other => return Some("it does not begin with `org/`".to_owned()),
    };
    let (organization, _) = rest.literal.split_once('/')?;
    (organization != own).then(|| "it is of another organization than the issuer".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ORGANIZATION: &str = "11111111-2222-4333-8444-555555555555";

    fn fault(kind: IssuerKind, subject: &str) -> Option<String> {
        let url = format!("oidc.circleci.com/org/{ORGANIZATION}");
        shape_fault(kind, &url, Written::pattern(subject)).map(|fault| fault.why)
    }

    #[test]
    fn what_no_token_has_is_told_by_its_part() {
        for (kind, subject, part) in [
            (IssuerKind::GithubActions, "repo:octo/app", "nothing stands behind the repository"),
            (IssuerKind::GithubActions, "octo/app:*", "does not begin with `repo:`"),
            (IssuerKind::GithubActions, "repo:https://github.com/octo/app:*", "URL"),
            (IssuerKind::GithubActions, "repo:github.com/octo/app:*", "URL"),
            (IssuerKind::GithubActions, "repo:octo/team/app:*", "not one owner"),
            (IssuerKind::GithubActions, "repo:octo/app:ref:main", "`main` is no whole ref"),
            (IssuerKind::GithubActions, "repo:octo/app:ref:heads/*", "`heads/` is no whole ref"),
            (IssuerKind::GithubActions, "repo:octo/app:refs/heads/main", "`ref:` is missing"),
            (IssuerKind::GithubActions, "repo:octo/app:branch:main", "ref:refs/heads/BRANCH"),
            (IssuerKind::GithubActions, "repo:octo/app:Environment:prod", "environment:NAME"),
            (IssuerKind::GithubActions, "repo:octo/app:pull-request", "pull_request"),
            (IssuerKind::GitlabCom, "project_path:g/p", "nothing stands behind the project"),
            (IssuerKind::GitlabCom, "g/p:*", "does not begin with `project_path:`"),
            (IssuerKind::GitlabCom, "project_path:g/p:ref:main", "ref_type:branch"),
            (IssuerKind::GitlabCom, "project_path:g/p:ref_type:branch:ref:refs/heads/main", "bare name"),
            (IssuerKind::Eks, "serviceaccount:apps:web", "does not begin with"),
            (IssuerKind::Eks, "system:serviceaccounts:apps:web", "does not begin with"),
            (IssuerKind::Kubernetes, "system:serviceaccount:apps/web", "`/`"),
            (IssuerKind::Kubernetes, "system:serviceaccount:apps", "no service account"),
            (IssuerKind::Kubernetes, "system:serviceaccount:apps:web:x", "more parts"),
            (
                IssuerKind::TerraformCloud,
                "organization:o:workspace:w:run_phase:apply",
                "`workspace` stands where `project`",
            ),
            (IssuerKind::TerraformCloud, "organization:o:project:p:workspace:w", "`run_phase:` is missing"),
            (IssuerKind::TerraformCloud, "org:o:*", "`org` stands where"),
            (IssuerKind::CircleCi, "org/99999999-2222-4333-8444-555555555555/project/*", "another organization"),
            (IssuerKind::CircleCi, "project/1", "does not begin with `org/`"),
        ] {
            let why = fault(kind, subject).unwrap_or_else(|| panic!("{subject} is taken for a subject"));
            assert!(why.contains(part), "{subject}: {why}");
        }
    }

    #[test]
    fn what_tokens_have_and_what_patterns_leave_open_is_none() {
        for (kind, subject) in [
            (IssuerKind::GithubActions, "repo:octo/app:ref:refs/heads/main"),
            (IssuerKind::GithubActions, "repo:octo@1/app@2:ref:refs/tags/v1"),
            (IssuerKind::GithubActions, "repo:octo/app:ref:refs/*"),
            (IssuerKind::GithubActions, "repo:octo/app:ref:ref*"),
            (IssuerKind::GithubActions, "repo:octo/app:*"),
            (IssuerKind::GithubActions, "repo:octo/app*"),
            (IssuerKind::GithubActions, "repo:octo/app:environment:prod"),
            (IssuerKind::GithubActions, "repo:octo/app:pull_request"),
            (
                IssuerKind::GithubActions,
                "repo:octo/app:ref:refs/heads/main:job_workflow_ref:octo/w/.github/workflows/a.yml@x",
            ),
            (IssuerKind::GithubActions, "job_workflow_ref:octo/w/.github/workflows/a.yml@refs/heads/main"),
            (IssuerKind::GithubActions, "repository_owner_id:1:repository_id:2"),
            (IssuerKind::GithubActions, "*"),
            (IssuerKind::GithubActions, "repo:<OWNER>/app"),
            (IssuerKind::GithubActions, "repo:${unknown:var.repository}"),
            (IssuerKind::GitlabCom, "project_path:g/sub/p:ref_type:branch:ref:main"),
            (IssuerKind::GitlabCom, "project_path:g/*"),
            (IssuerKind::GitlabCom, "project_path:g/p:ref_type:tag:ref:v*"),
            (IssuerKind::Eks, "system:serviceaccount:apps:web"),
            (IssuerKind::Eks, "system:*"),
            (IssuerKind::Eks, "system:serviceaccount:*:web"),
            (IssuerKind::TerraformCloud, "organization:o:project:p:workspace:w:run_phase:apply"),
            (IssuerKind::TerraformCloud, "organization:o:project:p:stack:s:deployment:d:operation:plan"),
            (IssuerKind::TerraformCloud, "organization:o:pro*"),
            (IssuerKind::CircleCi, "org/11111111-2222-4333-8444-555555555555/project/*"),
            (IssuerKind::CircleCi, "org/*"),
            (IssuerKind::Generic, "anything"),
        ] {
            assert_eq!(fault(kind, subject), None, "{subject}");
        }
    }

    proptest! {
        #[test]
        fn the_example_of_every_kind_is_a_subject_however_much_of_it_is_left_open(end in 0_usize..200) {
            for kind in [IssuerKind::GithubActions, IssuerKind::GitlabCom, IssuerKind::Eks, IssuerKind::TerraformCloud] {
                let example = kind.example();
                prop_assert_eq!(fault(kind, example), None);
                let cut = example.get(..end.min(example.len())).unwrap_or_default();
                prop_assert_eq!(fault(kind, &format!("{cut}*")), None, "{}*", cut);
            }
        }
    }
}
