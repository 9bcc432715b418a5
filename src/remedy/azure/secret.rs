//! The secret itself: its name, its state, its field. A value is never printed, overwritten or passed as an argument.

use super::names::{Names, WORK};
use crate::cause::{Finding, Fix};
use crate::check::facts::secret::FieldState;
use crate::domain::keyvault::SecretName;
use crate::domain::profile::key::Key;
use crate::domain::secret_ref::SecretRef;
use crate::remedy::profile_set;
use crate::remedy::variable;

/// The value of a new secret: from `$VALUE_FILE`, else typed without being shown.
const VALUE: &str = "\
VALUE_FILE=${VALUE_FILE:-}
if [ -z \"$VALUE_FILE\" ]; then
  VALUE_FILE=$work/value
  trap 'stty echo </dev/tty 2>/dev/null || :; rm -rf \"$work\"' EXIT
  trap 'exit 130' INT TERM
  printf 'the value of the secret, which is not shown: ' >/dev/tty
  stty -echo </dev/tty
  IFS= read -r value </dev/tty
  stty echo </dev/tty
  echo >/dev/tty
  printf %s \"$value\" >\"$VALUE_FILE\"
fi
[ -s \"$VALUE_FILE\" ] || stop 'the value is empty; nothing was stored'
";

/// The nearest name that the vault has, or the secret that is missing.
pub(super) fn not_found(finding: &Finding, names: &Names<'_>) -> Vec<Fix> {
    let Some(secret) = &names.profile().secret else { return Vec::new() };
    let near = finding.actual.as_ref().map(|name| renamed(names, secret, name));
    near.into_iter().chain(created(names, secret)).collect()
}

/// The name as a vault takes it.
pub(super) fn name(names: &Names<'_>) -> Vec<Fix> {
    let Some(secret) = &names.profile().secret else { return Vec::new() };
    let fitting: String = secret.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    match SecretName::of(&fitting) {
        Ok(_) => vec![renamed(names, secret, &fitting)],
        Err(_) => Vec::new(),
    }
}

/// The field that the secret has.
pub(super) fn field(names: &Names<'_>) -> Vec<Fix> {
    let Some(secret) = &names.profile().secret else { return Vec::new() };
    let read = names.context.facts.azure.read();
    let state = read.and_then(|secret| secret.read.field.as_ref()).map(|field| &field.state);
    let json_key = match state {
        Some(FieldState::Missing { nearest: Some(nearest) }) => Some(nearest.clone()),
        // The value is no object: the whole of it is what there is to read.
        Some(FieldState::NotAnObject | FieldState::NotJson) => None,
        _ => return Vec::new(),
    };
    let reference = SecretRef { name: secret.name.clone(), json_key };
    vec![profile_set(names.profile(), &[(Key::SecretName, reference.to_string())])]
}

fn renamed(names: &Names<'_>, secret: &SecretRef, name: &str) -> Fix {
    let reference = SecretRef { name: name.to_owned(), json_key: secret.json_key.clone() };
    profile_set(names.profile(), &[(Key::SecretName, reference.to_string())])
}

fn created(names: &Names<'_>, secret: &SecretRef) -> Option<Fix> {
    let start = start(names, secret)?;
    let (subscription, mut command) = (names.subscription(), start.clone());
    command += WORK;
    command += VALUE;
    command += &format!(
        "az keyvault secret set --vault-name \"$VAULT_NAME\"{subscription} --name \"$SECRET_NAME\" --file \"$VALUE_FILE\" --encoding utf-8 --output none\n"
    );
    let shape = match &secret.json_key {
        Some(key) => format!(" Its value is a JSON object with the field `{key}`."),
        None => String::new(),
    };
    Some(Fix {
        text: format!(
            "Store the secret. The value is read from $VALUE_FILE, or typed without being shown; it is no argument of any command.{shape}"
        ),
        command: Some(command),
        undo: Some(format!(
            "{start}az keyvault secret delete --vault-name \"$VAULT_NAME\"{subscription} --name \"$SECRET_NAME\" --output none\n"
        )),
        verify: Some(names.check()),
        ..Fix::default()
    })
}

pub(super) fn recover(names: &Names<'_>) -> Vec<Fix> {
    let act = |what: &str| command(names, what);
    let Some(recover) = act("recover") else { return Vec::new() };
    vec![Fix {
        text: "Recover the secret, with all its versions.".to_owned(),
        command: Some(recover),
        undo: act("delete"),
        verify: Some(names.check_after(60)),
        ..Fix::default()
    }]
}

pub(super) fn enable(names: &Names<'_>) -> Vec<Fix> {
    let Some(enable) = command(names, "set-attributes --enabled true") else { return Vec::new() };
    vec![Fix {
        text: "Enable the secret's current version, unless somebody disabled it on purpose: then store a new one."
            .to_owned(),
        command: Some(enable),
        undo: command(names, "set-attributes --enabled false"),
        verify: Some(names.check()),
        ..Fix::default()
    }]
}

/// One command about the secret.
fn command(names: &Names<'_>, what: &str) -> Option<String> {
    let start = start(names, names.profile().secret.as_ref()?)?;
    let subscription = names.subscription();
    Some(format!(
        "{start}az keyvault secret {what} --vault-name \"$VAULT_NAME\"{subscription} --name \"$SECRET_NAME\" --output none\n"
    ))
}

fn start(names: &Names<'_>, secret: &SecretRef) -> Option<String> {
    let name = SecretName::of(&secret.name).ok()?;
    Some(names.head() + &names.vault_name() + &variable("SECRET_NAME", Some(&name.name), ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{Cause, Certainty};
    use crate::domain::ids::CheckId;
    use crate::remedy::azure::tests::Case;

    fn fixes(reference: &str, cause: Cause, actual: Option<&str>) -> Vec<Fix> {
        let mut case = Case::bare();
        case.profile.secret = SecretRef::parse(reference).ok();
        let mut finding = Finding::new(cause, CheckId::AzureGetSecret, Certainty::Proven, "x");
        finding.actual = actual.map(str::to_owned);
        crate::remedy::azure::fixes(&finding, case.context())
    }

    #[test]
    fn a_near_name_is_the_profiles_mistake_first() {
        let fixes = fixes("db-pasword#user", Cause::SecretNotFound, Some("db-password"));
        let commands: Vec<&str> = fixes.iter().filter_map(|fix| fix.command.as_deref()).collect();
        assert!(commands[0].contains("db-password#user"), "{}", commands[0]);
        assert!(commands[1].contains("az keyvault secret set") && commands[1].contains("--file \"$VALUE_FILE\""));
    }

    #[test]
    fn a_name_that_no_vault_takes_gets_hyphens() {
        let fix = fixes("crewai.test/key", Cause::SecretNameInvalid, None).remove(0);
        assert!(fix.command.unwrap().contains("crewai-test-key"));
    }

    #[test]
    fn an_empty_value_is_refused_before_anything_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let value = folder.path().join("value");
        std::fs::write(&value, "").unwrap();
        let command = fixes("x", Cause::SecretNotFound, None).remove(0).command.unwrap();
        let run = std::process::Command::new("sh").args(["-c", &command]).env("VALUE_FILE", &value).output().unwrap();
        assert!(!run.status.success());
        assert!(String::from_utf8_lossy(&run.stderr).contains("empty; nothing was stored"));
    }
}
