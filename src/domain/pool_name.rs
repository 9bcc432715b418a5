//! The full names of Google's workload identity pools and providers.

use std::fmt;

/// The full name of a provider, and its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderName {
    /// The project's number, or what stands in its place.
    pub project: String,
    pub pool: String,
    pub provider: String,
}

impl ProviderName {
    /// Reads `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`, also behind
    /// `//iam.googleapis.com/` and `https://iam.googleapis.com/`.
    pub fn parse(text: &str) -> Option<Self> {
        let name = without_host(text);
        let parts: Vec<&str> = name.split('/').collect();
        let ["projects", project, "locations", "global", "workloadIdentityPools", pool, "providers", provider] =
            parts.as_slice()
        else {
            return None;
        };
        let (project, pool, provider) = (*project, *pool, *provider);
        let is_named = |part: &str| !part.is_empty();
        (is_named(project) && is_named(pool) && is_named(provider)).then(|| ProviderName {
            project: project.to_owned(),
            pool: pool.to_owned(),
            provider: provider.to_owned(),
        })
    }

    /// Whether the project stands there by its number, as members of bindings and Google's STS want it.
    pub fn has_number(&self) -> bool {
        self.project.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// The pool's name, `projects/NUMBER/locations/global/workloadIdentityPools/POOL`.
    pub fn pool_name(&self) -> String {
        format!("projects/{}/locations/global/workloadIdentityPools/{}", self.project, self.pool)
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/providers/{}", self.pool_name(), self.provider)
    }
}

/// A name without `//iam.googleapis.com/` or the same as a URL before it.
pub fn without_host(text: &str) -> &str {
    let text = text.strip_prefix("https:").unwrap_or(text);
    text.strip_prefix("//iam.googleapis.com/").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool/providers/ci";

    #[test]
    fn a_name_is_read_as_audiences_and_addresses_have_it() {
        for text in
            [NAME.to_owned(), format!("//iam.googleapis.com/{NAME}"), format!("https://iam.googleapis.com/{NAME}")]
        {
            assert_eq!(ProviderName::parse(&text).map(|name| name.to_string()).as_deref(), Some(NAME), "{text}");
        }
        for text in ["", "ci", &NAME.replace("global", "europe-west3"), &NAME.replace("/ci", "/"), &format!("{NAME}/x")]
        {
            assert_eq!(ProviderName::parse(text), None, "{text}");
        }
        let by_id = ProviderName::parse(&NAME.replace("123456789012", "my-project")).unwrap();
        assert!(!by_id.has_number() && by_id.pool_name().ends_with("/workloadIdentityPools/pool"));
    }
}
