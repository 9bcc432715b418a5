//! The files that AWS's tools share
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>).

use zeroize::Zeroizing;

use super::Parts;

/// Which of the two files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Credentials,
    /// Where every profile but the default has the word `profile` before its name.
    Config,
}

/// What a profile holds.
pub(super) enum Held {
    Key(Parts),
    /// Settings with which AWS's tools get credentials in another way, in words.
    Other(&'static str),
    Nothing,
}

/// Settings that stand for a way to credentials
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>).
const WAYS: &[(&str, &str)] = &[
    ("sso_session", "single sign-on (sso_session)"),
    ("sso_start_url", "single sign-on (sso_start_url)"),
    ("credential_process", "a program (credential_process)"),
    ("web_identity_token_file", "a web identity token (web_identity_token_file)"),
    ("role_arn", "a role that another profile assumes (role_arn)"),
    ("credential_source", "the machine's own role (credential_source)"),
    ("login_session", "the console's sign-in (login_session)"),
];

/// The key of a profile, or how else it gets credentials.
pub(super) fn held(text: &str, profile: &str, form: Form) -> Held {
    let mut inside = false;
    let (mut id, mut secret, mut token, mut way) = (None, None, None, None);
    for line in text.lines() {
        let line = line.trim_end();
        if let Some(header) = line.trim_start().strip_prefix('[') {
            inside = header.split(']').next().is_some_and(|header| names(header, profile, form));
            continue;
        }
        if !inside || line.starts_with(['#', ';']) {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        let slot = match name.trim() {
            "aws_access_key_id" => &mut id,
            "aws_secret_access_key" => &mut secret,
            "aws_session_token" => &mut token,
            name => {
                way = way.or_else(|| WAYS.iter().find(|(setting, _)| *setting == name).map(|(_, way)| *way));
                continue;
            }
        };
        if !value.is_empty() {
            *slot = Some(Zeroizing::new(value.to_owned()));
        }
    }
    match (id, secret, way) {
        (Some(id), Some(secret), _) => Held::Key(Parts { id, secret, token }),
        (_, _, Some(way)) => Held::Other(way),
        (_, _, None) => Held::Nothing,
    }
}

fn names(header: &str, profile: &str, form: Form) -> bool {
    let words: Vec<&str> = header.split_whitespace().collect();
    match (form, words.as_slice()) {
        (Form::Config, ["profile", rest @ ..]) => rest.join(" ") == profile,
        (Form::Config, _) => header.trim() == profile && profile == super::DEFAULT_PROFILE,
        (Form::Credentials, _) => header.trim() == profile,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str, profile: &str, form: Form) -> Option<String> {
        match held(text, profile, form) {
            Held::Key(parts) => Some(parts.id.to_string()),
            Held::Other(_) | Held::Nothing => None,
        }
    }

    #[test]
    fn profiles_are_told_apart() {
        let config = "[default]\nregion = x\naws_access_key_id = A\naws_secret_access_key = s\n[profile ci]\n# a note\naws_access_key_id=B\naws_secret_access_key=s\naws_session_token=t\n[ci]\naws_access_key_id=C\naws_secret_access_key=s\n[profile sso]\nsso_session = x\n";
        assert_eq!(id(config, "default", Form::Config).as_deref(), Some("A"));
        assert_eq!(id(config, "ci", Form::Config).as_deref(), Some("B"));
        assert_eq!(id(config, "ci", Form::Credentials).as_deref(), Some("C"));
        assert_eq!(id(config, "sso", Form::Config), None);
        assert!(matches!(held(config, "ci", Form::Config), Held::Key(parts) if parts.token.is_some()));
    }

    #[test]
    fn other_ways_to_credentials_are_told() {
        for (setting, told) in [
            ("sso_session = ours", Some("single sign-on (sso_session)")),
            ("credential_process = /bin/vault x", Some("a program (credential_process)")),
            (
                "role_arn = arn:aws:iam::1:role/r\nsource_profile = base",
                Some("a role that another profile assumes (role_arn)"),
            ),
            ("region = us-east-1", None),
        ] {
            let text = format!("[profile ci]\n{setting}\n[profile other]\nsso_session = x\n");
            match (held(&text, "ci", Form::Config), told) {
                (Held::Other(way), Some(expected)) => assert_eq!(way, expected),
                (Held::Nothing, None) => {}
                _ => panic!("{setting}"),
            }
        }
    }
}
