//! The names that GitHub, Terraform and Kubernetes give to what their tokens are about.

use super::setting::{Fault, quoted};

/// `owner/repository`, as GitHub's subjects have it.
pub fn repository_fault(text: &str) -> Option<Fault> {
    const EXAMPLE: &str = "write `owner/repository`, such as `octo-org/octo-repo`";
    if let Some((_, path)) = text.split_once("://").and_then(|(_, rest)| rest.split_once('/')) {
        let path = path.trim_end_matches('/').trim_end_matches(".git");
        return Some(Fault::new("is the repository's address, not its name", format!("write {}", quoted(path))));
    }
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    let fits = text.split_once('/').is_some_and(|(owner, repository)| is_name(owner) && is_name(repository));
    (!fits).then(|| Fault::new(format!("{} is no repository", quoted(text)), EXAMPLE))
}

/// A branch or tag with its whole name: what stands behind `ref:` in GitHub's subjects.
pub fn full_ref_fault(text: &str) -> Option<Fault> {
    let name = text.strip_prefix("refs/heads/").or_else(|| text.strip_prefix("refs/tags/"));
    match name {
        Some(name) if !name.is_empty() && !name.contains(char::is_whitespace) => None,
        None if text.starts_with("refs/pull/") => Some(Fault::new(
            "is the ref of a pull request, whose subject has no ref in it",
            "write the branch or tag that deploys, such as `refs/heads/main`",
        )),
        _ => Some(Fault::new(
            format!("{} is no full ref", quoted(text)),
            format!("write `refs/heads/{}` for a branch, `refs/tags/…` for a tag", text.trim_matches('/')),
        )),
    }
}

/// An environment of a GitHub repository: any text of at most 255 characters without a control character. A colon
/// is `%3A` in the subject (<https://docs.github.com/en/actions/reference/security/oidc>).
pub fn environment_fault(text: &str) -> Option<Fault> {
    let fits = text.chars().count() <= 255 && !text.contains(|c: char| c.is_control() || c == ':');
    (!fits).then(|| {
        Fault::new(
            format!("{} is no environment as subjects have it", quoted(text)),
            "write its name, a colon as `%3A`",
        )
    })
}

/// A Terraform organization, project or workspace. Projects may have blanks in their names.
pub fn terraform_fault(text: &str) -> Option<Fault> {
    let fits = text.len() <= 90 && text.chars().all(|c| c.is_ascii_alphanumeric() || "_- ".contains(c));
    (!fits).then(|| {
        Fault::new(format!("{} is no name that Terraform takes", quoted(text)), "write its name, as the UI shows it")
    })
}

/// `plan` or `apply`.
pub fn run_phase_fault(text: &str) -> Option<Fault> {
    (!matches!(text, "plan" | "apply"))
        .then(|| Fault::new(format!("{} is no phase of a run", quoted(text)), "write `plan` or `apply`"))
}

/// A namespace or service account: lower-case letters, digits, hyphens and dots, beginning and ending in a letter or
/// digit (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>).
pub fn kubernetes_fault(text: &str) -> Option<Fault> {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = text.len() <= 253
        && text.starts_with(is_end)
        && text.ends_with(is_end)
        && text.chars().all(|c| is_end(c) || c == '-' || c == '.');
    (!fits).then(|| {
        let lower = text.to_lowercase();
        let instead = match kubernetes_fault_of_case(text, &lower) {
            true => format!("write {}", quoted(&lower)),
            false => "write its name, as `kubectl get serviceaccounts --all-namespaces` prints it".to_owned(),
        };
        Fault::new(format!("{} is no name that Kubernetes takes", quoted(text)), instead)
    })
}

/// Whether letter case is all that is wrong.
fn kubernetes_fault_of_case(text: &str, lower: &str) -> bool {
    text != lower && kubernetes_fault(lower).is_none()
}

#[cfg(test)]
mod tests {
    use crate::domain::profile::key::Key;
    use crate::domain::profile::value::text_fault;

    #[test]
    fn takes_what_the_issuers_have() {
        for (key, text) in [
            (Key::GithubRepository, "octo-org/octo.repo"),
            (Key::GithubRef, "refs/heads/feature/x"),
            (Key::GithubRef, "refs/tags/v1"),
            (Key::GithubEnvironment, "prod eu"),
            (Key::TerraformProject, "Default Project"),
            (Key::TerraformRunPhase, "apply"),
            (Key::KubernetesNamespace, "ns-1"),
            (Key::KubernetesServiceAccount, "reader.v2"),
        ] {
            assert_eq!(text_fault(key, text), None, "{key:?} {text}");
        }
    }

    #[test]
    fn refuses_with_what_would_be_right() {
        for (key, text, wrong, instead) in [
            (Key::GithubRepository, "https://github.com/o/r.git", "address", "`o/r`"),
            (Key::GithubRepository, "octo-org", "no repository", "owner/repository"),
            (Key::GithubRepository, "o/*", "no repository", "owner/repository"),
            (Key::GithubRef, "main", "no full ref", "`refs/heads/main`"),
            (Key::GithubRef, "refs/pull/1/merge", "pull request", "refs/heads/main"),
            (Key::GithubEnvironment, "a:b", "no environment", "%3A"),
            (Key::TerraformWorkspace, "a:b", "no name", "name"),
            (Key::TerraformRunPhase, "destroy", "no phase", "`apply`"),
            (Key::KubernetesNamespace, "Prod", "no name", "`prod`"),
            (Key::KubernetesServiceAccount, "a/b", "no name", "kubectl"),
        ] {
            let fault = text_fault(key, text).unwrap_or_else(|| panic!("{key:?} {text}"));
            assert!(fault.wrong.contains(wrong), "{text}: {}", fault.wrong);
            assert!(fault.instead.contains(instead), "{text}: {}", fault.instead);
        }
    }
}
