//! What an automation reports to prove a rotation: the fingerprint of its variable's value, and never the value.

use super::super::values::Filling;
use crate::domain::profile::key::Key;

/// The variable of the platform's own example, for a profile that names none.
const USUAL: &str = "API_KEY";

/// Python for the automation. It reads the variable when it is called, so that a process that lives on reports what it
/// has now.
pub(super) fn python(filling: &mut Filling<'_>) -> String {
    let variable = variable(filling);
    format!(
        r#""""Reports a fingerprint of {variable}, never its value.

Call report() where the automation uses the variable, and let its last task's output end with the line.
"""
import hashlib
import os

VARIABLE = "{variable}"


def report() -> str:
    value = os.environ.get(VARIABLE, "")
    if not value:
        return f"ERROR: {{VARIABLE}} env var is not set."
    digest = hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()
    return f"credential.fingerprint=sha256:{{digest[:12]}}"


if __name__ == "__main__":
    print(report())
"#
    )
}

/// The same for a POSIX shell; `printf` is the shell's own, so the value is in no list of processes.
pub(super) fn shell(filling: &mut Filling<'_>) -> String {
    let variable = variable(filling);
    format!(
        r#"# Reports a fingerprint of {variable}, never its value.
if [ -z "${{{variable}-}}" ]; then
  echo 'ERROR: {variable} env var is not set.'
elif command -v sha256sum >/dev/null; then
  echo "credential.fingerprint=sha256:$(printf %s "${variable}" | sha256sum | cut -c1-12)"
else
  echo "credential.fingerprint=sha256:$(printf %s "${variable}" | shasum -a 256 | cut -c1-12)"
fi
"#
    )
}

fn variable(filling: &mut Filling<'_>) -> String {
    filling.note("the line is what `trustline rotate` looks for in the automation's answer or log");
    if let Some(variable) = filling.known(Key::DeploymentVariable) {
        return variable.to_owned();
    }
    filling
        .note(format!("{USUAL} stands for the variable's name; set {} to have yours", Key::DeploymentVariable.path()));
    USUAL.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::Guide;
    use crate::domain::profile::document::parse_flag;
    use crate::guide::values::Values;

    #[test]
    fn the_profiles_variable_is_read() {
        let settings = [parse_flag("deployment.variable=DB_PASSWORD").unwrap()];
        let values = Values::of(Guide::AwsWorkloadIdentity, &settings);
        for text in [python(&mut Filling::new(&values)), shell(&mut Filling::new(&values))] {
            assert!(text.contains("DB_PASSWORD") && !text.contains("<deployment"), "{text}");
        }
        let lacking = Values::of(Guide::AwsWorkloadIdentity, &[]);
        let mut filling = Filling::new(&lacking);
        assert!(shell(&mut filling).contains("$API_KEY"));
        let (_, notes) = filling.finish();
        assert!(notes.iter().any(|note| note.contains("deployment.variable")), "{notes:?}");
    }
}
