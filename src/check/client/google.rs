//! What goes wrong for a client at Google: whose credentials it takes instead, and what it does once STS has answered.

use super::fault::{Fault, Remedy, Weight};
use crate::cause::Cause;
use crate::check::facts::Facts;
use crate::check::facts::token::TokenReading;
use crate::domain::client::google::{CREDENTIAL_FILE, GoogleBecause, GoogleSource, PROJECT, choose};
use crate::domain::client::{GoogleBehaviour, Next, Surroundings};

/// The longest that Google lets an access token live, in seconds.
const LONGEST_S: i64 = 3600;

/// What the client takes in place of the exchanged token.
pub(super) fn credentials(client: &GoogleBehaviour, around: &Surroundings) -> Option<Fault> {
    let (source, because) = choose(client, around);
    let instead = match source {
        GoogleSource::Machine => "the machine's service account is asked for",
        GoogleSource::Anonymous => "requests go out unsigned",
        GoogleSource::WorkloadIdentity | GoogleSource::Error => "the program ends with an error",
    };
    let fault = |cause, said: String, actual: &str, fix| Fault {
        cause,
        said,
        expected: format!("the exchange that {CREDENTIAL_FILE} describes"),
        actual: actual.to_owned(),
        fix,
        weight: Weight::Breaks,
    };
    let other_program = || {
        Remedy::advice("Take a program that reads such files; `trustline clients --on external-account` says which do.")
    };
    Some(match because? {
        GoogleBecause::NotRead => fault(
            Cause::ClientSettingIgnored,
            format!("it does not read {CREDENTIAL_FILE}: {instead}"),
            &format!("{CREDENTIAL_FILE} is not read"),
            other_program(),
        ),
        GoogleBecause::KindUnknown => fault(
            Cause::CredentialFileKind,
            format!("it does not know credential files of the kind `external_account`: {instead}"),
            "a file of a kind that it does not know",
            other_program(),
        ),
        GoogleBecause::NotSet(PROJECT) => Fault {
            expected: format!("{PROJECT} is set"),
            weight: Weight::MayBreak,
            ..fault(
                Cause::EnvNotSet,
                format!(
                    "{PROJECT} is not set, so it asks Resource Manager for the project and ends where that is refused"
                ),
                "not set",
                Remedy::advice(format!("Set {PROJECT} to the project that holds the secrets.")),
            )
        },
        GoogleBecause::NotSet(variable) => Fault {
            expected: format!("{variable} is set"),
            ..fault(Cause::EnvNotSet, format!("{variable} is not set: {instead}"), "not set", None)
        },
        GoogleBecause::CredentialFileMissing => fault(
            Cause::EnvNotSet,
            format!("{CREDENTIAL_FILE} names a file that is not there: {instead}"),
            "no such file",
            Remedy::advice("Write the file before the program starts, or name the one that is there."),
        ),
        // `client.token-file` says so.
        GoogleBecause::TokenFileMissing | GoogleBecause::TokenFileDenied | GoogleBecause::TokenFileEmpty => {
            return None;
        }
    })
}

/// What the client does after the answer that a person would not expect of it.
pub(super) fn afterwards(client: &GoogleBehaviour, facts: &Facts) -> Option<Fault> {
    match client.refused {
        Next::Machine => Some(goes_on(client)),
        _ => every_call(client, facts),
    }
}

/// It keeps a refusal to itself, and goes on as somebody else.
fn goes_on(client: &GoogleBehaviour) -> Fault {
    let times = client.attempts.as_ref().map_or(1, |attempts| attempts.after(400));
    let asked = if times > 1 { format!("STS is asked {times} times, then ") } else { String::new() };
    Fault {
        cause: Cause::EnvConflict,
        said: format!(
            "where STS refuses the token, {asked}the machine's service account is taken, where it has one, and nothing is said of the refusal"
        ),
        expected: "the program ends with the answer of STS".to_owned(),
        actual: "the machine's service account is taken".to_owned(),
        fix: Remedy::advice(
            "Hold the exchange apart from the program, in the job that starts it: `trustline check --only gcp.exchange`.",
        ),
        weight: Weight::MayBreak,
    }
}

/// An access token that is over for the client as soon as it has it: Google grants no more than the rest of the token's life.
fn every_call(client: &GoogleBehaviour, facts: &Facts) -> Option<Fault> {
    let ahead = i64::from(client.refreshes_s?);
    let lives = match facts.token.as_ref().map(|fact| &fact.reading) {
        Some(TokenReading::Read(read)) => read.lifetime_s?.min(LONGEST_S),
        _ => return None,
    };
    (0..=ahead).contains(&lives).then(|| Fault {
        cause: Cause::SessionDuration,
        said: format!(
            "it exchanges again {ahead} s before an access token ends, and one for a token of {lives} s has no more: every call exchanges"
        ),
        expected: format!("a token that lives longer than {ahead} s"),
        actual: format!("{lives} s"),
        fix: Remedy::advice("Let the issuer give tokens that live longer, or keep one client for one short piece of work."),
        weight: Weight::MayBreak,
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::check::facts::token::TokenFact;
    use crate::domain::client::{Client, TokenFile};
    use crate::domain::token::RawToken;

    fn behaviour(id: &str) -> &'static GoogleBehaviour {
        Client::named(id).and_then(|client| client.google.as_ref()).unwrap()
    }

    fn around(names: &[&str]) -> Surroundings {
        Surroundings::of_variables(&|name| names.contains(&name).then(|| "x".to_owned()))
    }

    #[test]
    fn what_is_taken_instead_has_its_cause() {
        let both = around(&[CREDENTIAL_FILE, PROJECT]);
        let missing = Surroundings { credential_file: TokenFile::Missing, ..both.clone() };
        for (id, around, cause) in [
            ("google-auth", &both, None),
            ("obstore", &both, Some(Cause::CredentialFileKind)),
            ("gcloud", &both, Some(Cause::ClientSettingIgnored)),
            ("gcsfs", &missing, Some(Cause::EnvNotSet)),
            ("google-auth", &around(&[PROJECT]), Some(Cause::EnvNotSet)),
            ("google-auth-library", &around(&[CREDENTIAL_FILE]), Some(Cause::EnvNotSet)),
        ] {
            assert_eq!(credentials(behaviour(id), around).map(|fault| fault.cause), cause, "{id}");
        }
        let quiet = credentials(behaviour("gcsfs"), &missing).unwrap();
        assert!(quiet.said.contains("machine's service account"), "{}", quiet.said);
    }

    fn with_token(lifetime: i64) -> Facts {
        let payload = URL_SAFE_NO_PAD.encode(json!({ "iat": 1000, "exp": 1000 + lifetime }).to_string());
        let (raw, _) = RawToken::clean(&format!("eyJhbGciOiJSUzI1NiJ9.{payload}.c2ln"));
        Facts { token: Some(TokenFact::read("file /t", &raw, Vec::new())), ..Facts::default() }
    }

    #[test]
    fn a_short_token_is_exchanged_for_every_call_and_a_refusal_may_be_kept_quiet() {
        let cause = |id: &str, lifetime| afterwards(behaviour(id), &with_token(lifetime)).map(|fault| fault.cause);
        assert_eq!(cause("google-auth-library", 300), Some(Cause::SessionDuration));
        assert_eq!(cause("google-auth-library", 301), None);
        assert_eq!(cause("rclone-1.75", 300), None);
        assert_eq!(cause("opendal", 3600), Some(Cause::EnvConflict));
    }
}
