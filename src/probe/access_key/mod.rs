//! The access key of the static guides: from the file that the console or the command line wrote, from the variables,
//! or from the files that AWS's tools share. KeysOfProfile in memory for one run, and reduced to what may be told.

mod operator;

pub use self::operator::place_of_operator_key;

use std::path::{Path, PathBuf};

use aws_credential_types::Credentials;
use serde_json::Value;
use zeroize::Zeroizing;

use super::aws::Session;
use crate::check::facts::aws::{AccessKeyFact, FoundKey, KeyKind, shown_id};
use crate::domain::client::ProfileKeys;
use crate::domain::profile::AwsSettings;

/// The most that is read of a file, in bytes.
const LIMIT: u64 = 256 * 1024;
/// How long a secret access key is.
const SECRET_LENGTH: usize = 40;
/// What a key of the variables is said to come from.
pub(super) const VARIABLES: &str = "variable AWS_ACCESS_KEY_ID";
/// The name that AWS's tools give to a profile that nobody named.
pub(super) const DEFAULT_PROFILE: &str = "default";

/// A key as a place gave it.
pub(super) struct Parts {
    pub id: Zeroizing<String>,
    pub secret: Zeroizing<String>,
    pub token: Option<Zeroizing<String>>,
}

/// The process's variables and home folder.
pub struct Surroundings<'a> {
    pub variables: &'a dyn Fn(&str) -> Option<String>,
    /// A place whose key is somebody else's: it is passed over.
    pub taken: Option<String>,
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
        return match read(path).and_then(|text| key_parts(&text)) {
            Ok(parts) => found(source, parts),
            Err(why) => (AccessKeyFact::Unusable { source, why }, None),
        };
    }
    let mut places = Vec::new();
    if settings.config_profile.is_none() {
        let variables = "variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
        if around.taken.as_deref() == Some(VARIABLES) {
            places.push(format!("{variables} (the operator's)"));
        } else {
            places.push(variables.to_owned());
            if let Some(outcome) = of_variables(around) {
                return outcome;
            }
        }
    }
    let name = settings.config_profile.as_deref().unwrap_or(DEFAULT_PROFILE);
    let files = [
        (around.shared("AWS_SHARED_CREDENTIALS_FILE", "credentials"), Form::Credentials),
        (around.shared("AWS_CONFIG_FILE", "config"), Form::Config),
    ];
    let mut elsewhere = None;
    for (path, form) in files {
        let Some(path) = path else { continue };
        let source = format!("profile `{name}` of {}", path.display());
        if around.taken.as_deref() == Some(&source) {
            places.push(format!("{source} (the operator's)"));
            continue;
        }
        if !path.exists() {
            places.push(source);
            continue;
        }
        match read(&path).map(|text| keys_of_profile(&text, name, form)) {
            Ok(KeysOfProfile::Key(parts)) => return found(source, parts),
            Ok(KeysOfProfile::Other(way)) => elsewhere = Some(AccessKeyFact::Elsewhere { source, way: way.to_owned() }),
            Ok(KeysOfProfile::Nothing) => places.push(source),
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
            Some(found(VARIABLES.to_owned(), Parts { id, secret, token }))
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

const ID: &str = "access key id";
const SECRET: &str = "secret access key";

/// The key in the file's text.
///
/// # Errors
/// Says what the file lacks, and nothing of what it holds.
fn key_parts(text: &str) -> Result<Parts, String> {
    if text.trim_start().starts_with('{') { parts_of_json(text) } else { parts_of_csv(text) }
}

fn parts_of_csv(text: &str) -> Result<Parts, String> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let header = lines.next().ok_or("it is empty; download the key's .csv file again, or make a new key")?;
    let names: Vec<String> = header.split(',').map(|name| field(name).to_lowercase()).collect();
    let column = |wanted: &str| {
        names.iter().position(|name| name == wanted).ok_or_else(|| {
            format!("its first line has no column `{wanted}`; give the .csv file that the console offers for the key")
        })
    };
    let (id, secret) = (column(ID)?, column(SECRET)?);
    let row = lines.next().ok_or("it has no line below its header, so no key")?;
    if lines.next().is_some() {
        return Err("it holds more than one key; leave the line of the one that is meant".to_owned());
    }
    let at = |index: usize| row.split(',').nth(index).map(field).filter(|text| !text.is_empty());
    match (at(id), at(secret)) {
        (Some(id), Some(secret)) => Ok(whole_parts(id, secret)),
        _ => Err("its key is not complete; the secret half is shown only once, so make a new key".to_owned()),
    }
}

/// A field without the quotes that spreadsheets put around it.
fn field(text: &str) -> &str {
    text.trim().trim_matches('"')
}

fn parts_of_json(text: &str) -> Result<Parts, String> {
    let mut answer: Value = serde_json::from_str(text).map_err(|_| "it begins like JSON and is none".to_owned())?;
    let key = answer.get("AccessKey").unwrap_or(&answer);
    let member = |name: &str| key.get(name).and_then(Value::as_str);
    let parts = match (member("AccessKeyId"), member("SecretAccessKey")) {
        (Some(id), Some(secret)) => Ok(whole_parts(id, secret)),
        _ => Err("it has no AccessKeyId and SecretAccessKey; give what `aws iam create-access-key` printed".to_owned()),
    };
    wipe(&mut answer);
    parts
}

fn whole_parts(id: &str, secret: &str) -> Parts {
    Parts { id: Zeroizing::new(id.to_owned()), secret: Zeroizing::new(secret.to_owned()), token: None }
}

/// Overwrites every text in a parsed value.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => drop(Zeroizing::new(std::mem::take(text))),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

/// Which of the two files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Credentials,
    /// Where every profile but the default has the word `profile` before its name.
    Config,
}

/// What a profile holds.
enum KeysOfProfile {
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
fn keys_of_profile(text: &str, profile: &str, form: Form) -> KeysOfProfile {
    let mut inside = false;
    let (mut id, mut secret, mut token, mut way) = (None, None, None, None);
    for line in text.lines() {
        let line = line.trim_end();
        if let Some(header) = line.trim_start().strip_prefix('[') {
            inside = header.split(']').next().is_some_and(|header| names_profile(header, profile, form));
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
        (Some(id), Some(secret), _) => KeysOfProfile::Key(Parts { id, secret, token }),
        (_, _, Some(way)) => KeysOfProfile::Other(way),
        (_, _, None) => KeysOfProfile::Nothing,
    }
}

/// Whether AWS's shared files have a profile of this name, and keys in it. One whose keys are somebody else's has none.
pub fn profile_of_shared_files(around: &Surroundings<'_>, name: &str) -> ProfileKeys {
    let files = [
        (around.shared("AWS_SHARED_CREDENTIALS_FILE", "credentials"), Form::Credentials),
        (around.shared("AWS_CONFIG_FILE", "config"), Form::Config),
    ];
    let mut seen = ProfileKeys::NoProfile;
    for (path, form) in files {
        let Some(path) = path else { continue };
        let Ok(text) = read(&path) else { continue };
        let is_taken = around.taken.as_deref() == Some(&format!("profile `{name}` of {}", path.display()));
        match keys_of_profile(&text, name, form) {
            KeysOfProfile::Key(_) if !is_taken => return ProfileKeys::Keys,
            _ if text.lines().filter_map(header_of).any(|header| names_profile(header, name, form)) => {
                seen = ProfileKeys::None;
            }
            _ => {}
        }
    }
    seen
}

/// What stands between the brackets of a profile's first line.
fn header_of(line: &str) -> Option<&str> {
    line.trim().strip_prefix('[')?.split(']').next()
}

fn names_profile(header: &str, profile: &str, form: Form) -> bool {
    let words: Vec<&str> = header.split_whitespace().collect();
    match (form, words.as_slice()) {
        (Form::Config, ["profile", rest @ ..]) => rest.join(" ") == profile,
        (Form::Config, _) => header.trim() == profile && profile == DEFAULT_PROFILE,
        (Form::Credentials, _) => header.trim() == profile,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::zeroize::Zeroize as _;

    use super::*;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const SECRET: &str = "planted/secret/access/key/0123456789abcd";

    fn look(settings: &AwsSettings, set: &[(&str, &str)]) -> (AccessKeyFact, bool) {
        let variables = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let (fact, session) = observe(settings, &Surroundings { variables: &variables, taken: None });
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
    fn the_operators_place_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        std::fs::write(&path, format!("[default]\naws_access_key_id={ID}\naws_secret_access_key={SECRET}\n")).unwrap();
        let set = [
            ("AWS_SHARED_CREDENTIALS_FILE", path.to_str().unwrap()),
            ("AWS_ACCESS_KEY_ID", "AKIAOPERATOR00000000"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ];
        let without = |taken: &str| {
            let variables = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            let around = Surroundings { variables: &variables, taken: Some(taken.to_owned()) };
            observe(&AwsSettings::default(), &around).0
        };
        let default = format!("profile `default` of {}", path.display());
        assert_eq!(key(without(VARIABLES)).source, default);
        assert_eq!(key(without(&default)).source, VARIABLES);
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

#[cfg(test)]
mod shared_tests {
    use super::*;

    fn id(text: &str, profile: &str, form: Form) -> Option<String> {
        match keys_of_profile(text, profile, form) {
            KeysOfProfile::Key(parts) => Some(parts.id.to_string()),
            KeysOfProfile::Other(_) | KeysOfProfile::Nothing => None,
        }
    }

    #[test]
    fn profiles_are_told_apart() {
        let config = "[default]\nregion = x\naws_access_key_id = A\naws_secret_access_key = s\n[profile ci]\n# a note\naws_access_key_id=B\naws_secret_access_key=s\naws_session_token=t\n[ci]\naws_access_key_id=C\naws_secret_access_key=s\n[profile sso]\nsso_session = x\n";
        assert_eq!(id(config, "default", Form::Config).as_deref(), Some("A"));
        assert_eq!(id(config, "ci", Form::Config).as_deref(), Some("B"));
        assert_eq!(id(config, "ci", Form::Credentials).as_deref(), Some("C"));
        assert_eq!(id(config, "sso", Form::Config), None);
        assert!(
            matches!(keys_of_profile(config, "ci", Form::Config), KeysOfProfile::Key(parts) if parts.token.is_some())
        );
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
            match (keys_of_profile(&text, "ci", Form::Config), told) {
                (KeysOfProfile::Other(way), Some(expected)) => assert_eq!(way, expected),
                (KeysOfProfile::Nothing, None) => {}
                _ => panic!("{setting}"),
            }
        }
    }
}
