//! Issuers whose end is announced: a trust that names one works until that day and admits nobody afterwards.

use super::condition_key_prefix;

/// An issuer with an announced end.
#[derive(Debug, PartialEq, Eq)]
pub struct Retiring {
    host: &'static str,
    /// The last day on which its tokens are made, as RFC 3339 writes it.
    pub on: &'static str,
    /// What takes its place.
    pub instead: &'static str,
    pub docs: &'static str,
}

const RETIRING: &[Retiring] = &[Retiring {
    host: "vstoken.dev.azure.com",
    on: "2027-07-01",
    instead: "Azure DevOps signs service connections by Microsoft Entra's own issuer since 2026-07: convert the connection, \
              and trust the issuer and subject that it shows then",
    docs: "https://learn.microsoft.com/azure/devops/pipelines/library/connect-to-azure",
}];

/// The announced end of an issuer, given by its URL or as condition keys name it.
pub fn retiring(issuer: &str) -> Option<&'static Retiring> {
    let host = condition_key_prefix(issuer).split('/').next().unwrap_or_default();
    RETIRING.iter().find(|known| known.host.eq_ignore_ascii_case(host))
}

/// Whether a subject has the form of GitHub's immutable ones as they were announced, with `-` before the numbers. They came
/// with `@` on 2026-07-15, so no token has this one, unless the names themselves end so.
pub fn is_announced_github_form(subject: &str) -> bool {
    const FEWEST_DIGITS: usize = 4;
    let numbered = |name: &str| {
        name.rsplit_once('-').is_some_and(|(head, id)| {
            !head.is_empty() && id.len() >= FEWEST_DIGITS && id.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let repository = subject.strip_prefix("repo:").and_then(|rest| rest.split(':').next());
    repository.and_then(|path| path.split_once('/')).is_some_and(|(owner, name)| numbered(owner) && numbered(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::parse_rfc3339;

    #[test]
    fn an_end_is_found_by_url_and_by_key() {
        for issuer in
            ["https://vstoken.dev.azure.com/0000", "vstoken.dev.azure.com/0000", "https://VSTOKEN.dev.azure.com/x"]
        {
            assert_eq!(retiring(issuer).map(|end| end.on), Some("2027-07-01"), "{issuer}");
        }
        for issuer in ["https://login.microsoftonline.com/t/v2.0", "https://vstoken.dev.azure.com.example.com", ""] {
            assert_eq!(retiring(issuer), None, "{issuer}");
        }
        for end in RETIRING {
            assert!(parse_rfc3339(&format!("{}T00:00:00Z", end.on)).is_some() && end.docs.starts_with("https://"));
        }
    }

    #[test]
    fn the_announced_form_has_numbers_behind_both_names() {
        for (subject, is_announced) in [
            ("repo:octo-123456/app-987654:ref:refs/heads/main", true),
            ("repo:octo-123456/app-987654:*", true),
            ("repo:octo@123456/app@987654:ref:refs/heads/main", false),
            ("repo:octo-123456/app:ref:refs/heads/main", false),
            ("repo:team-1/site-2:*", false),
            ("project_path:a-123456/b-123456:*", false),
        ] {
            assert_eq!(is_announced_github_form(subject), is_announced, "{subject}");
        }
    }
}
