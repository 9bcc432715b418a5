//! An issuer's URL as people write it, and where its discovery document is.

use url::{Host, Url};

/// What is appended to an issuer's URL (OpenID Connect Discovery 1.0 section 4).
pub const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// An issuer's URL as a person gave it, made exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerAddress {
    /// The issuer, character by character as tokens must carry it in `iss`.
    pub issuer: String,
    /// Where its discovery document is.
    pub document: Url,
    /// What was added or taken away, a sentence each.
    pub notes: Vec<String>,
}

/// Why a text is no issuer's URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("the issuer's URL is empty; write it as https://HOST or https://HOST/PATH")]
    Empty,
    #[error(
        "this looks like a token, not an issuer's URL; give a token to `trustline token` by file or standard input"
    )]
    Token,
    #[error("`{0}` is a placeholder; write the issuer's real host in its place")]
    Placeholder(String),
    #[error(
        "plain http is only asked on this machine (localhost, 127.0.0.1, ::1), as the clouds need https; write `https://{0}`"
    )]
    PlainHttp(String),
    #[error("an issuer's URL begins with https://, not with `{0}:`")]
    Scheme(String),
    #[error("an issuer's URL has no {part}; leave out `{text}`")]
    ExtraPart { part: &'static str, text: String },
    #[error("`{text}` is not a URL ({detail}); write it as https://HOST or https://HOST/PATH")]
    NotUrl { text: String, detail: String },
}

impl IssuerAddress {
    /// Reads an issuer's URL, with or without `https://`, and with or without the well-known path after it.
    ///
    /// # Errors
    /// Where the text is no URL, has a query, a fragment or credentials, or is plain http to another machine.
    pub fn clean(text: &str) -> Result<IssuerAddress, AddressError> {
        let mut notes = Vec::new();
        let trimmed = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
        if trimmed != text {
            notes.push("blanks or quotes around the URL were left out".to_owned());
        }
        if trimmed.is_empty() {
            return Err(AddressError::Empty);
        }
        if trimmed.starts_with("eyJ") && trimmed.matches('.').count() >= 2 {
            return Err(AddressError::Token);
        }
        if let Some(placeholder) = placeholder(trimmed) {
            return Err(AddressError::Placeholder(placeholder.to_owned()));
        }
        if trimmed.contains('\\') {
            let detail = "it has a backslash where a URL has a slash".to_owned();
            return Err(AddressError::NotUrl { text: trimmed.to_owned(), detail });
        }
        let mut issuer = trimmed.to_owned();
        if !trimmed.contains("://") {
            issuer = format!("https://{trimmed}");
            notes.push("`https://` was put in front".to_owned());
        }
        if let Some(before) = issuer.strip_suffix('/').unwrap_or(&issuer).strip_suffix(WELL_KNOWN) {
            issuer = before.to_owned();
            notes.push(format!("`{WELL_KNOWN}` was left out: it is not part of the issuer"));
        }
        let url = Url::parse(&issuer)
            .map_err(|e| AddressError::NotUrl { text: trimmed.to_owned(), detail: e.to_string() })?;
        if let Some(query) = url.query() {
            return Err(AddressError::ExtraPart { part: "query", text: format!("?{query}") });
        }
        if let Some(fragment) = url.fragment() {
            return Err(AddressError::ExtraPart { part: "fragment", text: format!("#{fragment}") });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::ExtraPart { part: "user name or password", text: "…@".to_owned() });
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {
                notes.push("plain http, on this machine only: the clouds need https".to_owned());
            }
            "http" => {
                let rest = issuer.split_once("://").map_or("", |(_, rest)| rest);
                return Err(AddressError::PlainHttp(rest.to_owned()));
            }
            other => return Err(AddressError::Scheme(other.to_owned())),
        }
        let document = format!("{}{WELL_KNOWN}", issuer.strip_suffix('/').unwrap_or(&issuer));
        let document = Url::parse(&document)
            .map_err(|e| AddressError::NotUrl { text: trimmed.to_owned(), detail: e.to_string() })?;
        Ok(IssuerAddress { issuer, document, notes })
    }
}

fn placeholder(text: &str) -> Option<&str> {
    [('<', '>'), ('{', '}')].into_iter().find_map(|(open, close)| {
        let from = text.find(open)?;
        let to = text.get(from..)?.find(close)?;
        text.get(from..=from + to)
    })
}

/// Whether `url` leads to this machine itself (RFC 6761 section 6.3 for `localhost`).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_cleaned_and_say_so() {
        for (text, issuer, document, notes) in [
            ("https://a.example", "https://a.example", "https://a.example/.well-known/openid-configuration", 0),
            ("https://a.example/", "https://a.example/", "https://a.example/.well-known/openid-configuration", 0),
            (
                "https://a.example/x/y",
                "https://a.example/x/y",
                "https://a.example/x/y/.well-known/openid-configuration",
                0,
            ),
            ("a.example/x", "https://a.example/x", "https://a.example/x/.well-known/openid-configuration", 1),
            (
                " https://a.example/.well-known/openid-configuration\n",
                "https://a.example",
                "https://a.example/.well-known/openid-configuration",
                2,
            ),
            ("http://127.0.0.1:80/", "http://127.0.0.1:80/", "http://127.0.0.1/.well-known/openid-configuration", 1),
            (
                "http://localhost:8080",
                "http://localhost:8080",
                "http://localhost:8080/.well-known/openid-configuration",
                1,
            ),
        ] {
            let address = IssuerAddress::clean(text).unwrap();
            assert_eq!(address.issuer, issuer, "{text}");
            assert_eq!(address.document.as_str(), document, "{text}");
            assert_eq!(address.notes.len(), notes, "{text}: {:?}", address.notes);
        }
    }

    #[test]
    fn addresses_that_are_refused() {
        for (text, part) in [
            ("", "empty"),
            ("http://a.example", "write `https://a.example`"),
            ("ftp://a.example", "not with `ftp:`"),
            ("https://a.example/?x=1", "leave out `?x=1`"),
            ("https://a.example/#f", "leave out `#f`"),
            ("https://u:p@a.example/", "user name or password"),
            ("https://<your-platform-host>", "`<your-platform-host>` is a placeholder"),
            ("https://{host}/", "`{host}` is a placeholder"),
            ("eyJhbGciOi.eyJpc3Mi.c2ln", "looks like a token"),
            ("https://", "is not a URL"),
        ] {
            let error = IssuerAddress::clean(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("u:p"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = IssuerAddress::clean(&text);
        }

        #[test]
        fn the_issuer_is_kept_as_written(host in "[a-zA-Z0-9]{1,12}(\\.[a-z]{2,5}){1,2}", path in "(/[A-Za-z0-9_-]{1,8}){0,3}/?") {
            let issuer = format!("https://{host}{path}");
            prop_assert_eq!(IssuerAddress::clean(&issuer).unwrap().issuer, issuer);
        }
    }
}
