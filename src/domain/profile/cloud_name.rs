//! The names that clouds, CI systems and workloads give to what a guide sets up: accounts, keys, groups, projects, branches.

use super::setting::{Fault, quoted};
use crate::domain::arn::Arn;
use crate::domain::region;

/// Twelve digits.
pub fn account_fault(text: &str) -> Option<Fault> {
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let instead = if digits.len() == 12 {
        format!("write `{digits}`")
    } else {
        "write the account's twelve digits (`aws sts get-caller-identity` prints them)".to_owned()
    };
    Some(Fault::new(format!("{} is no account", quoted(text)), instead))
}

/// The start of a secret's name: 1 to 512 letters, digits and `/_+=.@-`
/// (`Name` of the Secrets Manager API reference, `CreateSecret`).
pub fn prefix_fault(text: &str) -> Option<Fault> {
    if let Some(prefix) = text.strip_suffix('*').filter(|prefix| !prefix.is_empty()) {
        return Some(Fault::new(
            "holds the policy's `*`, which is added by itself",
            format!("write {}", quoted(prefix)),
        ));
    }
    if text.starts_with("arn:") {
        return Some(Fault::new("is an ARN, not the start of a secret's name", "write a prefix such as `crewai`"));
    }
    if text.len() > 512 {
        return Some(Fault::new("is longer than any secret's name", "write at most 512 characters"));
    }
    let (at, c) = text.chars().enumerate().find(|(_, c)| !c.is_ascii_alphanumeric() && !"/_+=.@-".contains(*c))?;
    Some(Fault::new(format!("has `{c}` at character {}", at + 1), "write letters, digits and any of `/_+=.@-`"))
}

/// `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`. An alias is refused: in a policy's `Resource` it never matches
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html>).
pub fn kms_key_fault(text: &str) -> Option<Fault> {
    const FORM: &str = "write `arn:aws:kms:REGION:ACCOUNT:key/ID` (`aws kms describe-key` prints it)";
    let refuse = |wrong: String| Some(Fault::new(wrong, FORM));
    let Some(Arn { partition, service: "kms", region: place, account, resource }) = Arn::parse(text) else {
        return refuse(format!("{} is no KMS key's ARN", quoted(text)));
    };
    if resource.starts_with("alias/") {
        return refuse("is the ARN of an alias, and a policy on an alias never matches".to_owned());
    }
    if region::partition(partition).is_none() {
        return refuse(format!("names the partition {}, which AWS does not have", quoted(partition)));
    }
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let key = resource.strip_prefix("key/").unwrap_or_default();
    let fits = is_name(place) && account_fault(account).is_none() && is_name(key);
    if fits { None } else { refuse(format!("{} is no KMS key's ARN", quoted(text))) }
}

/// 1 to 90 letters, digits, `_`, `-`, `.` and parentheses, not ending in a dot (Azure naming rules).
pub fn resource_group_fault(text: &str) -> Option<Fault> {
    let fits = text.chars().count() <= 90
        && !text.ends_with('.')
        && text.chars().all(|c| c.is_alphanumeric() || "_-.()".contains(c));
    (!fits).then(|| {
        Fault::new(
            format!("{} is no resource group's name", quoted(text)),
            "write its name (`az keyvault show --name VAULT --query resourceGroup` prints it)",
        )
    })
}

/// 3 to 24 letters, digits and single hyphens, a letter first and no hyphen last (Azure naming rules, `vaults`).
pub fn vault_name_fault(text: &str) -> Option<Fault> {
    let fits = (3..=24).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.ends_with('-')
        && !text.contains("--");
    (!fits).then(|| {
        Fault::new(
            format!("{} is no key vault's name", quoted(text)),
            "write its name (`az keyvault list --query [].name` prints those of a subscription)",
        )
    })
}

/// `group/project`, with any number of subgroups between; what GitLab's subjects call `project_path`.
pub fn project_path_fault(text: &str) -> Option<Fault> {
    const EXAMPLE: &str = "write the path such as `mygroup/myproject`";
    if let Some((_, path)) = text.split_once("://").and_then(|(_, rest)| rest.split_once('/')) {
        let path = path.trim_end_matches('/').trim_end_matches(".git");
        return Some(Fault::new("is the project's address, not its path", format!("write {}", quoted(path))));
    }
    let parts: Vec<&str> = text.split('/').collect();
    let is_part = |part: &&str| {
        !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) && !part.ends_with(".git")
    };
    if parts == ["*"] {
        return Some(Fault::new("lets every project of the instance in", EXAMPLE));
    }
    let (groups, project) = parts.split_at(parts.len() - 1);
    let fits =
        !groups.is_empty() && groups.iter().all(is_part) && project.iter().all(|part| *part == "*" || is_part(part));
    (!fits).then(|| Fault::new(format!("{} is no project's path", quoted(text)), EXAMPLE))
}

/// `branch` or `tag`, as GitLab's subjects have them.
pub fn ref_type_fault(text: &str) -> Option<Fault> {
    (!matches!(text, "branch" | "tag"))
        .then(|| Fault::new(format!("{} is no kind of ref", quoted(text)), "write `branch` or `tag`"))
}

/// A branch or tag by its short name (`git check-ref-format`); `*` may stand for a part of it.
pub fn ref_fault(text: &str) -> Option<Fault> {
    if let Some(name) = text.strip_prefix("refs/heads/").or_else(|| text.strip_prefix("refs/tags/")) {
        return Some(Fault::new(
            "is a full ref, and GitLab's subjects have the short name",
            format!("write {}", quoted(name)),
        ));
    }
    let odd = text.chars().any(|c| c.is_whitespace() || "~^:?[\\\"'".contains(c));
    let fits = !odd && !text.contains("..") && !text.starts_with('/') && !text.ends_with('/') && text.len() <= 255;
    (!fits).then(|| Fault::new(format!("{} is no branch or tag", quoted(text)), "write its name, such as `main`"))
}

/// `owner/repository`, as GitHub's subjects have it.
pub fn repository_fault(text: &str) -> Option<Fault> {
    const EXAMPLE: &str = "write `owner/repository`, such as `octo-org/octo-repo`";
    if let Some((_, path)) = text.split_once("://").and_then(|(_, rest)| rest.split_once('/')) {
        let path = path.trim_end_matches('/').trim_end_matches(".git");
        return Some(Fault::new("is the repository's address, not its name", format!("write {}", quoted(path))));
    }
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    let is_id = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // As subjects have it that carry GitHub's ids.
    let is_part = |text: &str| text.split_once('@').map_or(is_name(text), |(name, id)| is_name(name) && is_id(id));
    let fits = text.split_once('/').is_some_and(|(owner, repository)| is_part(owner) && is_part(repository));
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
    fn takes_what_is_right() {
        for (key, text) in [
            (Key::AccountId, "123456789012"),
            (Key::SecretPrefix, "crewai/"),
            (Key::KmsKeyArn, "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
            (Key::KmsKeyArn, "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1234abcd"),
            (Key::ResourceGroup, "rg-crewai.(prod)"),
            (Key::VaultName, "crewai-kv-2"),
            (Key::GitlabProject, "group/sub-group/my.project"),
            (Key::GitlabProject, "group/*"),
            (Key::GitlabRefType, "tag"),
            (Key::GitlabRef, "feature/x"),
            (Key::GitlabRef, "release-*"),
            (Key::CircleciProject, "5b1f2c9e-0000-4000-8000-0123456789ab"),
            (Key::SubscriptionId, "5b1f2c9e-0000-4000-8000-0123456789ab"),
        ] {
            assert_eq!(text_fault(key, text), None, "{key:?} {text}");
        }
    }

    #[test]
    fn refuses_with_what_would_be_right() {
        for (key, text, wrong, instead) in [
            (Key::AccountId, "1234-5678-9012", "no account", "`123456789012`"),
            (Key::AccountId, "12345", "no account", "twelve digits"),
            (Key::SecretPrefix, "crewai-*", "added by itself", "`crewai-`"),
            (Key::SecretPrefix, "my prefix", "` ` at character 3", "letters"),
            (Key::KmsKeyArn, "arn:aws:kms:us-east-1:123456789012:alias/x", "alias", "key/ID"),
            (Key::KmsKeyArn, "1234abcd-12ab", "no KMS key's ARN", "key/ID"),
            (Key::ResourceGroup, "a/b", "no resource group", "az keyvault show"),
            (Key::VaultName, "crewai.vault.azure.net", "no key vault's name", "az keyvault list"),
            (Key::VaultName, "127", "no key vault's name", "az keyvault list"),
            (Key::GitlabProject, "https://gitlab.com/a/b.git", "address", "`a/b`"),
            (Key::GitlabProject, "alone", "no project's path", "mygroup/myproject"),
            (Key::GitlabProject, "*/b", "no project's path", "mygroup/myproject"),
            (Key::GitlabRefType, "heads", "no kind of ref", "`branch` or `tag`"),
            (Key::GitlabRef, "refs/heads/main", "full ref", "`main`"),
            (Key::GitlabRef, "a b", "no branch or tag", "`main`"),
        ] {
            let fault = text_fault(key, text).unwrap_or_else(|| panic!("{key:?} {text}"));
            assert!(fault.wrong.contains(wrong), "{text}: {}", fault.wrong);
            assert!(fault.instead.contains(instead), "{text}: {}", fault.instead);
        }
    }
}

#[cfg(test)]
mod workload_name_tests {
    use crate::domain::profile::key::Key;
    use crate::domain::profile::value::text_fault;

    #[test]
    fn takes_what_the_issuers_have() {
        for (key, text) in [
            (Key::GithubRepository, "octo-org/octo.repo"),
            (Key::GithubRepository, "octo-org@65535/octo.repo@1296269"),
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
            (Key::GithubRepository, "o@x/r@1", "no repository", "owner/repository"),
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
