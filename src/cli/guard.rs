//! No argument takes a token, key or secret: every user of the machine can read a program's arguments.

use std::ffi::OsString;

use super::exit::CliError;
use crate::domain::redaction::looks_secret;

/// Refuses arguments that look like a secret, before anything could quote them.
///
/// # Errors
/// Names the argument's flag or place, never its value.
pub(super) fn refuse_secrets(arguments: impl Iterator<Item = OsString>) -> Result<(), CliError> {
    let mut flag_before = None;
    for (at, argument) in arguments.enumerate() {
        let argument = argument.to_string_lossy();
        let flag = argument.split('=').next().filter(|flag| flag.starts_with("--") && looks_secret(flag).is_none());
        if let Some(what) = looks_secret(&argument) {
            let place = flag
                .map(str::to_owned)
                .or(flag_before)
                .map_or_else(|| format!("argument {}", at + 1), |flag| format!("the value of {flag}"));
            return Err(CliError::new(format!("{place} looks like {what}, and no argument takes one"))
                .with_hint("every process of this machine can read arguments, and shells keep them in their history")
                .with_hint(
                    "write it to a file (`trustline token FILE`), pass it on standard input (`… | trustline token -`),",
                )
                .with_hint("or name a variable that holds it (`trustline token --env VAR`)"));
        }
        flag_before = flag.map(str::to_owned);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln";

    fn refusal(arguments: &[&str]) -> Option<String> {
        refuse_secrets(arguments.iter().map(OsString::from)).err().map(|error| error.message)
    }

    #[test]
    fn names_the_place_and_not_the_value() {
        let set = format!("--set=token.env={TOKEN}");
        let pair = format!("token.env={TOKEN}");
        for (arguments, place) in [
            (&["token", TOKEN][..], "argument 2"),
            (&["token", "--env", TOKEN], "the value of --env"),
            (&["check", &set], "the value of --set"),
            (&["check", "--set", &pair], "the value of --set"),
            (&["-----BEGIN PRIVATE KEY-----"], "argument 1"),
        ] {
            let said = refusal(arguments).unwrap_or_else(|| panic!("{arguments:?}"));
            assert!(said.starts_with(place) && !said.contains(TOKEN), "{said}");
        }
        assert_eq!(refusal(&["token", "token.jwt", "--issuer", "https://app.example.com"]), None);
    }
}
