//! Why no token could be read. No message ever holds what the source gave.

use std::time::Duration;

use crate::check::facts::network::NetworkFailure;
use crate::check::facts::token::{AbsenceKind, TokenAbsence};
use crate::domain::text::visible;

/// Why no token could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenSourceError {
    #[error("variable {name} is not set; set it, or name another source under [token]")]
    EnvNotSet { name: String },
    #[error("{what} is empty")]
    Empty { what: String },
    #[error("{what} is not there; check the path and whether the token has been written yet")]
    NotFound { what: String },
    #[error("{what} is a directory; name the token's file inside it")]
    Directory { what: String },
    #[error("{what} is not a regular file; for a pipe use standard input (`-`)")]
    NotAFile { what: String },
    #[error("{what} cannot be read: {why}{owner}")]
    Denied { what: String, why: String, owner: String },
    #[error("{what} cannot be read: {why}")]
    Unreadable { what: String, why: String },
    #[error("{what} was not read: this machine has no descriptor or memory left ({why})")]
    Shortage { what: String, why: String },
    #[error("{what} holds more than 1 MiB; a token has a few kilobytes")]
    TooLarge { what: String },
    #[error("{what} is not text (byte {at} is not UTF-8)")]
    NotText { what: String, at: usize },
    #[error("the token's command is empty; write the program and its arguments, such as [\"gcloud\", \"auth\"]")]
    NoProgram,
    #[error("program {program} cannot be started: {why}")]
    NotStarted { program: String, why: String },
    #[error("program {program} ended with {status}{said}")]
    CommandFailed { program: String, status: String, said: String },
    #[error("program {program} printed nothing{said}")]
    CommandSilent { program: String, said: String },
    #[error("program {program} did not end within {} s and was stopped", .after.as_secs_f64())]
    CommandTimedOut { program: String, after: Duration },
    #[error(
        "variable {name} is not set: outside GitHub Actions it never is; inside, the job needs `permissions: id-token: \
         write`, and jobs of forks and of Dependabot do not get it"
    )]
    RequestNotOffered { name: &'static str },
    #[error("the address in ACTIONS_ID_TOKEN_REQUEST_URL cannot be used: {why}")]
    RequestAddress { why: String },
    #[error("the token request was refused with HTTP status {status}; the job needs `permissions: id-token: write`")]
    RequestRefused { status: u16 },
    #[error(
        "the value of ACTIONS_ID_TOKEN_REQUEST_TOKEN cannot be sent: it holds a line break or another control character"
    )]
    RequestTokenUnfit,
    #[error("the token request got no answer: {failure}")]
    RequestUnanswered { failure: Box<NetworkFailure> },
    #[error("a token request needs the network, and this command was given no way to it")]
    NoClient,
    #[error("the answer to the token request has HTTP status {status}")]
    RequestStatus { status: u16 },
    #[error("the answer to the token request is not a JSON object with a `value`")]
    RequestAnswer,
    #[error("reading the token was interrupted")]
    Interrupted,
}

impl TokenSourceError {
    /// The fact that stands for it.
    pub fn absence(&self) -> TokenAbsence {
        let failure = match self {
            TokenSourceError::RequestUnanswered { failure } => Some((**failure).clone()),
            _ => None,
        };
        TokenAbsence { kind: self.kind(), message: self.to_string(), failure, around: None }
    }

    fn kind(&self) -> AbsenceKind {
        use TokenSourceError::*;
        match self {
            EnvNotSet { .. } | Empty { .. } | NotFound { .. } | NoProgram => AbsenceKind::NotSet,
            Denied { .. } => AbsenceKind::Denied,
            Directory { .. } | NotAFile { .. } | Unreadable { .. } | TooLarge { .. } | NotText { .. } | Interrupted => {
                AbsenceKind::Unreadable
            }
            Shortage { .. } => AbsenceKind::Shortage,
            NotStarted { .. } | CommandFailed { .. } | CommandSilent { .. } | CommandTimedOut { .. } => {
                AbsenceKind::CommandFailed
            }
            RequestNotOffered { .. } | RequestRefused { .. } => AbsenceKind::NotPermitted,
            RequestAddress { .. }
            | RequestTokenUnfit
            | RequestUnanswered { .. }
            | RequestStatus { .. }
            | RequestAnswer
            | NoClient => AbsenceKind::RequestFailed,
        }
    }
}

/// What a program said on standard error, for the end of a sentence: its last lines, made safe, and without
/// anything that looks like a token.
pub(super) fn said(stderr: &[u8]) -> String {
    const SHOWN: usize = 300;
    let text = String::from_utf8_lossy(stderr);
    let words = text.split_whitespace().map(|word| if word.contains("eyJ") { "(masked)" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return String::new();
    }
    let skipped = line.chars().count().saturating_sub(SHOWN);
    let tail: String = line.chars().skip(skipped).collect();
    format!("; it said: {}{}", if skipped > 0 { "…" } else { "" }, visible(&tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_said_is_short_safe_and_masked() {
        assert_eq!(said(b" \n"), "");
        assert_eq!(said(b"no\x1b[2J login\neyJhbGciOi.e30.c2ln"), "; it said: no\\u{1b}[2J login (masked)");
        assert_eq!(said(&b"x".repeat(5000)).chars().count(), "; it said: …".chars().count() + 300);
    }
}
