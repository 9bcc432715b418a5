//! The fix where the profile is wrong and the cloud is right: other values in the profile.

use crate::cause::Fix;
use crate::domain::profile::Profile;
use crate::domain::profile::document::argument;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Origin;
use crate::guide::form::shell::quote;
use crate::remedy;

/// Sets values of the profile, with the way back. A value that a variable decides is exported instead: the profile's own
/// would not count.
pub fn profile_set(profile: &Profile, values: &[(Key, String)]) -> Fix {
    let mut texts = Vec::new();
    let (mut forth, mut back) = (Change::default(), Change::default());
    for (key, value) in values {
        let setting = profile.setting(*key);
        let old = setting.map(|setting| argument(&setting.value));
        texts.push(sentence(*key, old.as_deref(), value));
        match setting.map(|setting| &setting.origin) {
            Some(Origin::Variable(name)) => {
                forth.export(name, value);
                back.export(name, old.as_deref().unwrap_or_default());
            }
            Some(Origin::Flag) => {
                texts.push(format!("Leave out --set {}, which goes before the profile.", key.path()));
                forth.set(*key, value);
                back.set(*key, "");
            }
            Some(Origin::Default) | None => {
                forth.set(*key, value);
                back.set(*key, "");
            }
            Some(Origin::File { .. }) => {
                forth.set(*key, value);
                back.set(*key, old.as_deref().unwrap_or_default());
            }
        }
    }
    Fix {
        text: texts.join(" "),
        command: Some(forth.script(profile)),
        verify: Some(remedy::check(profile, None)),
        undo: Some(back.script(profile)),
        ..Fix::default()
    }
}

fn sentence(key: Key, old: Option<&str>, new: &str) -> String {
    // Whoever set an external id knows it; a report that goes round need not.
    match old.filter(|_| key != Key::ExternalId) {
        Some(old) => format!("Change {} from {old} to {new}.", key.path()),
        None => format!("Set {} to {new}.", key.path()),
    }
}

/// Values on their way into a profile or the environment.
#[derive(Default)]
struct Change {
    exports: String,
    assignments: String,
}

impl Change {
    fn export(&mut self, name: &str, value: &str) {
        self.exports.push_str(&format!("export {name}={}\n", quote(value)));
    }

    /// An empty value removes the key.
    fn set(&mut self, key: Key, value: &str) {
        self.assignments.push_str(&format!(" {}", quote(&format!("{}={value}", key.path()))));
    }

    fn script(self, profile: &Profile) -> String {
        let Change { exports, assignments } = self;
        if assignments.is_empty() {
            return exports;
        }
        // Without a file of its own, as in the lab, the profile that is meant is the reader's to name.
        let (unknown, chosen_by) = match &profile.chosen_by {
            Some(flag) => (String::new(), flag.as_str()),
            None => (remedy::variable("PROFILE", None, "the name of the profile"), "--profile \"$PROFILE\""),
        };
        format!("{}{unknown}trustline profile set {chosen_by}{assignments}\n{exports}", remedy::HEAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::resolve::resolve;
    use crate::domain::profile::setting::{Setting, Value};

    fn setting(key: Key, value: &str, origin: Origin) -> Setting {
        Setting { key, value: Value::Text(value.to_owned()), origin }
    }

    fn profile(chosen_by: Option<&str>, region: Origin) -> Profile {
        let file = [setting(Key::Region, "us-east-1", region.clone())];
        let from_variable = matches!(region, Origin::Variable(_));
        let variable = |name: &str| (from_variable && name == "AWS_REGION").then(|| "us-east-1".to_owned());
        let mut profile = resolve("p", &[], if from_variable { &[] } else { &file }, &variable).unwrap().profile;
        profile.chosen_by = chosen_by.map(str::to_owned);
        profile.selector = chosen_by.unwrap_or_default().to_owned();
        profile
    }

    fn in_file() -> Origin {
        Origin::File { path: "p.toml".into(), line: 1 }
    }

    #[test]
    fn undo_is_the_same_command_with_the_old_values() {
        let profile = profile(Some("--profile prod"), in_file());
        let fix = profile_set(&profile, &[(Key::Region, "eu-west-1".into()), (Key::ExternalId, "it's".into())]);
        let command = fix.command.unwrap();
        assert!(
            command.ends_with("trustline profile set --profile prod aws.region=eu-west-1 'aws.external-id=it'\\''s'\n"),
            "{command}"
        );
        assert!(fix.undo.unwrap().ends_with("--profile prod aws.region=us-east-1 aws.external-id=\n"));
        assert_eq!(fix.text, "Change aws.region from us-east-1 to eu-west-1. Set aws.external-id to it's.");
        assert_eq!(fix.verify.as_deref(), Some("trustline check --profile prod"));
    }

    #[test]
    fn a_variables_value_is_exported_and_an_unnamed_profile_asked_for() {
        let by_variable = profile(None, Origin::Variable("AWS_REGION".into()));
        let fix = profile_set(&by_variable, &[(Key::Region, "eu-west-1".into())]);
        assert_eq!(fix.command.as_deref(), Some("export AWS_REGION=eu-west-1\n"));
        assert_eq!(fix.undo.as_deref(), Some("export AWS_REGION=us-east-1\n"));
        let unnamed = profile_set(&profile(None, in_file()), &[(Key::Region, "eu-west-1".into())]);
        assert!(unnamed.command.unwrap().contains("${PROFILE:?"));
    }
}
