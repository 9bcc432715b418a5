//! The names of Google's things in a profile: project, provider, location, universe, service account, version.

use super::address::web_fault;
use super::setting::{Fault, quoted};
use crate::domain::pool_name::ProviderName;

/// How a provider's name is written.
const PROVIDER_FORM: &str = "write projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, as `gcloud iam \
     workload-identity-pools providers describe` prints it under `name`";
/// Prints a project's number.
const NUMBER: &str = "gcloud projects describe";

/// What is wrong with a project: 6 to 30 lower-case letters, digits and hyphens, or its number
/// (<https://cloud.google.com/resource-manager/docs/creating-managing-projects>).
pub fn project_fault(text: &str) -> Option<Fault> {
    if let Some(id) = text.strip_prefix("projects/") {
        let id = id.split('/').next().unwrap_or_default();
        return Some(Fault::new("is a resource's name, not a project's id", format!("write {}", quoted(id))));
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    // Projects of a domain, which are no longer made.
    let id = text.split_once(':').map_or(text, |(_, id)| id);
    let fits = (6..=30).contains(&id.len())
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !id.ends_with('-');
    if is_number || fits {
        return None;
    }
    let wrong = format!("{} is no project's id", quoted(text));
    let lower = text.to_lowercase();
    if lower != text && project_fault(&lower).is_none() {
        return Some(Fault::new(
            format!("{wrong}: ids are in lower case, names of display are not"),
            "write the id (`gcloud projects list --format='value(projectId)'` lists yours)",
        ));
    }
    Some(Fault::new(
        format!("{wrong}: those have 6 to 30 lower-case letters, digits and hyphens"),
        "write the project's id, such as `my-project` (`gcloud projects list` lists yours)",
    ))
}

/// What is wrong with a provider's full name.
pub fn provider_fault(text: &str) -> Option<Fault> {
    for before in ["https://iam.googleapis.com/v1/", "https://iam.googleapis.com/", "//iam.googleapis.com/"] {
        if let Some(name) = text.strip_prefix(before) {
            let wrong = format!("begins with `{before}`, which is how an audience or address names it");
            return Some(Fault::new(wrong, format!("write {}", quoted(name))));
        }
    }
    if text.starts_with("principal://") || text.starts_with("principalSet://") {
        return Some(Fault::new("is a member of a binding, not a provider", PROVIDER_FORM));
    }
    let parts: Vec<&str> = text.split('/').collect();
    let Some(name) = ProviderName::parse(text) else {
        let wrong = match parts.as_slice() {
            ["projects", _, "locations", "global", "workloadIdentityPools", _] => {
                "is a pool's name; the provider is behind it".to_owned()
            }
            ["projects", _, "locations", location, "workloadIdentityPools", ..] if *location != "global" => {
                format!("has the location {}; pools are global", quoted(location))
            }
            ["locations", ..] => "is without its project".to_owned(),
            [_] => format!("{} is the last part of a provider's name alone", quoted(text)),
            _ => format!("{} is no provider's full name", quoted(text)),
        };
        let instead = match parts.as_slice() {
            ["projects", _, "locations", "global", "workloadIdentityPools", _] => {
                format!("write {}", quoted(&format!("{text}/providers/PROVIDER")))
            }
            _ => PROVIDER_FORM.to_owned(),
        };
        return Some(Fault::new(wrong, instead));
    };
    if !name.has_number() {
        let wrong = format!("names the project by its id, {}, and STS wants its number", quoted(&name.project));
        let instead =
            format!("write projects/NUMBER/…; `{NUMBER} {} --format='value(projectNumber)'` prints it", name.project);
        return Some(Fault::new(wrong, instead));
    }
    None
}

/// What is wrong with the location of regional secrets.
pub fn location_fault(text: &str) -> Option<Fault> {
    if text == "global" {
        return Some(Fault::new("is where secrets are without a location", "remove the key"));
    }
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    let is_numbered =
        |part: &str| part.ends_with(|c: char| c.is_ascii_digit()) && part.starts_with(|c: char| c.is_ascii_lowercase());
    match parts.as_slice() {
        [area, place] if is_word(area) && is_numbered(place) => None,
        // Of another universe: `u-europe-west1`.
        [_, area, place] if is_word(area) && is_numbered(place) => None,
        [area, place, zone] if is_numbered(place) && zone.len() == 1 => {
            Some(Fault::new(format!("{} is a zone", quoted(text)), format!("write its region, `{area}-{place}`")))
        }
        _ => Some(Fault::new(
            format!("{} is no location", quoted(text)),
            "write a region such as `europe-west3` (`gcloud secrets locations list` lists them)",
        )),
    }
}

/// What is wrong with a universe's domain.
pub fn universe_fault(text: &str) -> Option<Fault> {
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/');
    if bare != text {
        return Some(Fault::new("is a URL, not a domain", format!("write {}", quoted(bare))));
    }
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let fits = text.contains('.') && text.split('.').all(is_label);
    (!fits).then(|| {
        let wrong = format!("{} is no domain", quoted(text));
        Fault::new(wrong, "write the universe's domain, `googleapis.com` where there is no other")
    })
}

/// What is wrong with a service account's address.
pub fn service_account_fault(text: &str) -> Option<Fault> {
    const FORM: &str = "write its address, such as `reader@my-project.iam.gserviceaccount.com`";
    for before in ["serviceAccount:", "projects/-/serviceAccounts/"] {
        if let Some(address) = text.strip_prefix(before) {
            let wrong = format!("begins with `{before}`, as members and resources do");
            return Some(Fault::new(wrong, format!("write {}", quoted(address))));
        }
    }
    let wrong = match text.split_once('@') {
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => "is the account's unique id".to_owned(),
        None => format!("{} is no service account's address", quoted(text)),
        Some((name, host)) if name.is_empty() || text.contains(char::is_whitespace) || host.contains('@') => {
            format!("{} is no service account's address", quoted(text))
        }
        Some((_, host)) if !host.ends_with(".gserviceaccount.com") => {
            format!("{} is the address of a person or a group; only service accounts are impersonated", quoted(text))
        }
        Some(_) => return None,
    };
    Some(Fault::new(wrong, FORM))
}

/// What is wrong with a version: a number, `latest`, or an alias of up to 63 letters, digits, hyphens and underscores that
/// begins with a letter (Secret Manager API, `Secret.versionAliases`).
pub fn version_fault(text: &str) -> Option<Fault> {
    if let Some((_, version)) = text.rsplit_once("/versions/") {
        return Some(Fault::new("is a version's whole name", format!("write {}", quoted(version))));
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_alias = text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    (!is_number && !is_alias).then(|| {
        Fault::new(format!("{} is no version", quoted(text)), "write a version's number, an alias, or `latest`")
    })
}

/// What is wrong with the endpoint of one of Google's services. The API's version belongs to the requests.
pub fn endpoint_fault(text: &str) -> Option<Fault> {
    let base = text.trim_end_matches('/');
    for version in ["/v1/token", "/v1", "/v1beta1", "/v3"] {
        if let Some(host) = base.strip_suffix(version) {
            let wrong = format!("ends in `{version}`, which the requests add themselves");
            return Some(Fault::new(wrong, format!("write {}", quoted(host))));
        }
    }
    web_fault(text, "https://127.0.0.1:4566")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVIDER: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool/providers/ci";

    #[test]
    fn takes_what_is_right() {
        for (fault, texts) in [
            (project_fault as fn(&str) -> Option<Fault>, &["my-project", "example.com:my-project", "123456789012"][..]),
            (provider_fault, &[PROVIDER]),
            (location_fault, &["europe-west3", "us-central1", "northamerica-northeast2", "u-france-east1"]),
            (universe_fault, &["googleapis.com", "s3nsapis.fr"]),
            (service_account_fault, &["reader@my-project.iam.gserviceaccount.com"]),
            (version_fault, &["latest", "7", "prod_blue"]),
            (endpoint_fault, &["https://127.0.0.1:1/", "https://sts.googleapis.com"]),
        ] {
            for text in texts {
                assert_eq!(fault(text), None, "{text}");
            }
        }
    }

    #[test]
    fn refuses_with_what_would_be_right() {
        let by_id = PROVIDER.replace("123456789012", "my-project");
        let pool = PROVIDER.strip_suffix("/providers/ci").unwrap();
        let (audience, url) =
            (format!("//iam.googleapis.com/{PROVIDER}"), format!("https://iam.googleapis.com/{PROVIDER}"));
        let member = format!("principalSet://iam.googleapis.com/{pool}/*");
        let elsewhere = PROVIDER.replace("global", "europe-west3");
        for (fault, text, wrong, instead) in [
            (
                project_fault as fn(&str) -> Option<Fault>,
                "projects/p-roject/secrets/s",
                "resource's name",
                "`p-roject`",
            ),
            (project_fault, "My-Project", "lower case", "gcloud projects list"),
            (project_fault, "my project", "6 to 30", "`my-project`"),
            (provider_fault, &by_id, "by its id, `my-project`", "gcloud projects describe my-project"),
            (provider_fault, &audience, "`//iam.googleapis.com/`", "write `projects/1234"),
            (provider_fault, &url, "`https://iam.googleapis.com/`", "write `projects/1234"),
            (provider_fault, pool, "pool's name", "/pool/providers/PROVIDER`"),
            (provider_fault, &member, "member of a binding", "/providers/PROVIDER"),
            (provider_fault, &elsewhere, "pools are global", "locations/global"),
            (provider_fault, "ci", "last part", "/providers/PROVIDER"),
            (location_fault, "global", "without a location", "remove"),
            (location_fault, "europe-west3-a", "a zone", "`europe-west3`"),
            (location_fault, "Frankfurt", "no location", "`europe-west3`"),
            (universe_fault, "https://googleapis.com/", "a URL", "`googleapis.com`"),
            (universe_fault, "google", "no domain", "googleapis.com"),
            (service_account_fault, "serviceAccount:a@p.iam.gserviceaccount.com", "as members", "`a@p."),
            (service_account_fault, "me@example.com", "a person", "reader@"),
            (service_account_fault, "12345", "unique id", "reader@"),
            (version_fault, "projects/p/secrets/s/versions/4", "whole name", "`4`"),
            (version_fault, "4 ", "no version", "`latest`"),
            (endpoint_fault, "https://sts.googleapis.com/v1/token", "`/v1/token`", "`https://sts.googleapis.com`"),
            (endpoint_fault, "http://sts.googleapis.com", "plain http", "https://"),
        ] {
            let fault = fault(text).unwrap_or_else(|| panic!("{text}"));
            assert!(fault.wrong.contains(wrong), "{text}: {}", fault.wrong);
            assert!(fault.instead.contains(instead), "{text}: {}", fault.instead);
        }
    }
}
