//! The access key of the static guides: from the file that the console or the command line wrote, from the variables,
//! or from the files that AWS's tools share. Held in memory for one run, and reduced to what may be told.

mod file;
mod shared;

use std::path::{Path, PathBuf};

use aws_credential_types::Credentials;
use zeroize::Zeroizing;

use self::shared::Held;
use super::aws::Session;
use crate::check::facts::access_key::{AccessKeyFact, FoundKey, KeyKind, shown_id};
use crate::domain::profile::AwsSettings;

/// The most that is read of a file, in bytes.
const LIMIT: u64 = 256 * 1024;
/// How long a secret access key is.
const SECRET_LENGTH: usize = 40;
/// The name that AWS's tools give to a profile that nobody named.
const DEFAULT_PROFILE: &str = "default";

/// A key as a place gave it.
pub(super) struct Parts {
    pub id: Zeroizing<String>,
    pub secret: Zeroizing<String>,
    pub token: Option<Zeroizing<String>>,
}

/// The process's variables and home folder.
pub struct Surroundings<'a> {
    pub variables: &'a dyn Fn(&str) -> Option<String>,
}

impl Surroundings<'_> {
    fn set(&self, name: &str) -> Option<Zeroizing<String>> {
        (self.variables)(name).filter(|value| !value.is_empty()).map(Zeroizing::new)
    }

    /// One of the files that AWS's tools share: where the variable says, else in the home folder.
    fn shared(&self, variable: &str, name: &str) -> Option<PathBuf> {
        match self.set(variable) {
            Some(path) => Some(PathBuf::from(path.as_str())),
            None => Some(Path::new(self.set("HOME")?.as_str()).join(".aws").join(name)),
        }
    }
}

/// Looks for the key where the profile says: its file, then the profile of the shared files that it names; without
/// either in the variables, then in the shared files' default.
pub fn observe(settings: &AwsSettings, around: &Surroundings<'_>) -> (AccessKeyFact, Option<Session>) {
    if let Some(path) = &settings.access_keys_csv {
        let source = format!("file {}", path.display());
        return match read(path).and_then(|text| file::parts(&text)) {
            Ok(parts) => found(source, parts),
            Err(why) => (AccessKeyFact::Unusable { source, why }, None),
        };
    }
    let mut places = Vec::new();
    if settings.config_profile.is_none() {
        places.push("variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned());
        if let Some(outcome) = of_variables(around) {
            return outcome;
        }
    }
    let name = settings.config_profile.as_deref().unwrap_or(DEFAULT_PROFILE);
    let files = [
        (around.shared("AWS_SHARED_CREDENTIALS_FILE", "credentials"), shared::Form::Credentials),
        (around.shared("AWS_CONFIG_FILE", "config"), shared::Form::Config),
    ];
    let mut elsewhere = None;
    for (path, form) in files {
        let Some(path) = path else { continue };
        let source = format!("profile `{name}` of {}", path.display());
        if !path.exists() {
            places.push(source);
            continue;
        }
        match read(&path).map(|text| shared::held(&text, name, form)) {
            Ok(Held::Key(parts)) => return found(source, parts),
            Ok(Held::Other(way)) => elsewhere = Some(AccessKeyFact::Elsewhere { source, way: way.to_owned() }),
            Ok(Held::Nothing) => places.push(source),
            Err(why) => return (AccessKeyFact::Unusable { source, why }, None),
        }
    }
    (elsewhere.unwrap_or(AccessKeyFact::Absent { places }), None)
}

fn of_variables(around: &Surroundings<'_>) -> Option<(AccessKeyFact, Option<Session>)> {
    let (id, secret) = (around.set("AWS_ACCESS_KEY_ID"), around.set("AWS_SECRET_ACCESS_KEY"));
    let lonely = |there: &str, missing: &str| {
        let why = format!("{missing} is not set, and {there} alone is half a key");
        Some((AccessKeyFact::Unusable { source: format!("variable {there}"), why }, None))
    };
    match (id, secret) {
        (None, None) => None,
        (Some(_), None) => lonely("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        (None, Some(_)) => lonely("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        (Some(id), Some(secret)) => {
            let token = around.set("AWS_SESSION_TOKEN");
            Some(found("variable AWS_ACCESS_KEY_ID".to_owned(), Parts { id, secret, token }))
        }
    }
}

/// What may be told of a key, and the key, where it can be signed with.
fn found(source: String, parts: Parts) -> (AccessKeyFact, Option<Session>) {
    let (id, secret) = (parts.id.trim(), parts.secret.trim());
    let fact = FoundKey {
        source,
        id: shown_id(id),
        kind: KeyKind::of(id),
        has_session_token: parts.token.is_some(),
        had_blanks: id.len() != parts.id.len() || secret.len() != parts.secret.len(),
        odd_length: Some(secret.chars().count()).filter(|count| *count != SECRET_LENGTH),
    };
    let session = fact.is_complete().then(|| {
        let token = parts.token.as_ref().map(|token| token.trim().to_owned());
        Session::of(Credentials::new(id, secret, token, None, "access key"))
    });
    (AccessKeyFact::Found(fact), session)
}

/// A file's text, without the mark that some editors put before it.
fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let bytes = super::regular_file::read(path, LIMIT).map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() as u64 > LIMIT {
        return Err("it is larger than 256 KiB, which no such file is".to_owned());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    Ok(Zeroizing::new(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()))
}

#[cfg(test)]
mod tests {
    use secrecy::zeroize::Zeroize as _;

    use super::*;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const SECRET: &str = "planted/secret/access/key/0123456789abcd";

    fn look(settings: &AwsSettings, set: &[(&str, &str)]) -> (AccessKeyFact, bool) {
        let variables = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let (fact, session) = observe(settings, &Surroundings { variables: &variables });
        assert!(!format!("{fact:?} {session:?}").contains("planted"));
        (fact, session.is_some())
    }

    fn key(fact: AccessKeyFact) -> FoundKey {
        match fact {
            AccessKeyFact::Found(key) => key,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_consoles_file_is_read_as_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accessKeys.csv");
        let settings = AwsSettings { access_keys_csv: Some(path.clone()), ..AwsSettings::default() };
        for text in [
            format!("\u{feff}Access key ID,Secret access key\r\n{ID},{SECRET}\r\n"),
            format!(
                "User name,Password,Access key ID,Secret access key,Console login link\nme,,{ID},{SECRET},https://x\n"
            ),
            format!("\"Access key ID\",\"Secret access key\"\n\"{ID}\",\"{SECRET}\"\n"),
            format!(
                "{{\"AccessKey\": {{\"AccessKeyId\": \"{ID}\", \"SecretAccessKey\": \"{SECRET}\", \"Status\": \"Active\"}}}}"
            ),
        ] {
            std::fs::write(&path, &text).unwrap();
            let (fact, usable) = look(&settings, &[("AWS_ACCESS_KEY_ID", "AKIAANOTHERONE000000")]);
            let found = key(fact);
            assert_eq!((found.id.as_str(), found.kind, usable), ("AKIA…MPLE", KeyKind::LongTerm, true), "{text}");
            assert_eq!((found.had_blanks, found.odd_length), (false, None));
        }
        for text in [
            "",
            "Access key ID,Secret access key\r\n",
            "Name,Value\na,b\n",
            "{}",
            "Access key ID,Secret access key\na,b\nc,d\n",
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(look(&settings, &[]), (AccessKeyFact::Unusable { .. }, false)), "{text}");
        }
    }

    #[test]
    fn variables_go_before_the_default_profile_and_after_a_named_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let text = format!(
            "[default]\naws_access_key_id = AKIADEFAULT000000000\naws_secret_access_key={SECRET}\n\n[ci]\naws_access_key_id=ASIACI00000000000000\naws_secret_access_key = {SECRET} \n"
        );
        std::fs::write(&path, text).unwrap();
        let file = ("AWS_SHARED_CREDENTIALS_FILE", path.to_str().unwrap());
        let variables = [file, ("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
        let none = AwsSettings::default();
        assert_eq!(key(look(&none, &variables).0).source, "variable AWS_ACCESS_KEY_ID");
        assert!(key(look(&none, &[file]).0).source.starts_with("profile `default`"));
        let ci = AwsSettings { config_profile: Some("ci".into()), ..AwsSettings::default() };
        let (fact, usable) = look(&ci, &variables);
        // A session's key without its token cannot be signed with.
        assert_eq!((key(fact).kind, usable), (KeyKind::Temporary, false));
        let other = AwsSettings { config_profile: Some("other".into()), ..AwsSettings::default() };
        assert!(matches!(look(&other, &variables).0, AccessKeyFact::Absent { places } if places.len() == 1));
        assert!(matches!(look(&none, &variables[1..2]).0, AccessKeyFact::Unusable { .. }));
    }

    #[test]
    fn blanks_and_odd_lengths_are_told() {
        let padded = format!(" {SECRET}x\t");
        let found =
            key(look(&AwsSettings::default(), &[("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", &padded)]).0);
        assert_eq!((found.had_blanks, found.odd_length), (true, Some(41)));
        let mut padded = padded;
        padded.zeroize();
    }
}
