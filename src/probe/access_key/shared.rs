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

/// The key of a profile, where it has one.
pub(super) fn parts(text: &str, profile: &str, form: Form) -> Option<Parts> {
    let mut inside = false;
    let (mut id, mut secret, mut token) = (None, None, None);
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
            _ => continue,
        };
        if !value.is_empty() {
            *slot = Some(Zeroizing::new(value.to_owned()));
        }
    }
    Some(Parts { id: id?, secret: secret?, token })
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
        parts(text, profile, form).map(|parts| parts.id.to_string())
    }

    #[test]
    fn profiles_are_told_apart() {
        let config = "[default]\nregion = x\naws_access_key_id = A\naws_secret_access_key = s\n[profile ci]\n# a note\naws_access_key_id=B\naws_secret_access_key=s\naws_session_token=t\n[ci]\naws_access_key_id=C\naws_secret_access_key=s\n[profile sso]\nsso_session = x\n";
        assert_eq!(id(config, "default", Form::Config).as_deref(), Some("A"));
        assert_eq!(id(config, "ci", Form::Config).as_deref(), Some("B"));
        assert_eq!(id(config, "ci", Form::Credentials).as_deref(), Some("C"));
        assert_eq!(id(config, "sso", Form::Config), None);
        assert!(parts(config, "ci", Form::Config).unwrap().token.is_some());
    }
}
