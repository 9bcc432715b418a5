//! What secrets look like, so that one in the wrong place is refused, and not quoted while being refused.

/// How access tokens of code hosts begin.
const TOKEN_PREFIXES: &[&str] = &["ghp_", "gho_", "ghu_", "ghs_", "github_pat_", "glpat-"];
/// How AWS access key ids begin (IAM user guide, "Unique identifiers").
const KEY_PREFIXES: &[&str] = &["AKIA", "ASIA"];
/// Matches looked at, so that no input makes this slow.
const MOST_MATCHES: usize = 64;

/// What kind of secret a text holds, with its article, if it looks as if it did.
pub fn looks_secret(text: &str) -> Option<&'static str> {
    let is_token = |start| {
        let run = run(text, start, |c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        run.len() > 20 && run.contains('.')
    };
    let is_key_id = |start| run(text, start, |c| c.is_ascii_uppercase() || c.is_ascii_digit()).len() >= 20;
    let is_access_token = |start| run(text, start, |c| c.is_ascii_alphanumeric() || "-_".contains(c)).len() >= 24;
    let any = |prefix: &str, fits: &dyn Fn(usize) -> bool| {
        text.match_indices(prefix).take(MOST_MATCHES).any(|(start, _)| fits(start))
    };
    if any("eyJ", &is_token) {
        Some("a token")
    } else if text.contains("-----BEGIN") {
        Some("a private key or certificate")
    } else if KEY_PREFIXES.iter().any(|prefix| any(prefix, &is_key_id)) {
        Some("an access key")
    } else if TOKEN_PREFIXES.iter().any(|prefix| any(prefix, &is_access_token)) {
        Some("an access token")
    } else {
        None
    }
}

/// The characters from `start` on that fit, a few hundred at most.
fn run(text: &str, start: usize, fits: impl Fn(char) -> bool) -> &str {
    let rest = &text[start..];
    let length = rest.chars().take(400).take_while(|c| fits(*c)).map(char::len_utf8).sum();
    &rest[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_seen_wherever_they_stand() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln";
        for text in [
            token.to_owned(),
            format!("Bearer {token}"),
            "eyJhbGciOiJub25lIn0.e30.".to_owned(),
            format!("token.env={token}"),
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            "-----BEGIN PRIVATE KEY-----".to_owned(),
            "glpat-0123456789abcdefghij".to_owned(),
        ] {
            assert!(looks_secret(&text).is_some(), "{text}");
        }
    }

    #[test]
    fn names_and_paths_are_not() {
        for text in
            ["eyJ", "token.jwt", "/tmp/ghs_notes.txt", "AKIA", "arn:aws:iam::123456789012:role/r", "GITHUB_TOKEN", "é…"]
        {
            assert_eq!(looks_secret(text), None, "{text}");
        }
    }
}
