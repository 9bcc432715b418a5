//! The names that clouds and CI systems give to what a guide sets up: accounts, keys, groups, projects, branches.

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
