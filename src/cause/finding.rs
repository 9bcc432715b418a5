//! A finding: one named cause with the proof it rests on and the way to fix it.

use serde::{Deserialize, Serialize};

use super::{Cause, TrustDocument};
use crate::domain::ids::{Finder, FoundBy};
use crate::domain::profile::key::Key;

/// How sure a finding is. Ordered: the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The facts at hand leave no other cause.
    Proven,
    /// The facts point here; something that was not seen could still differ.
    Likely,
    /// One of several causes that give the same symptom.
    Possible,
}

/// How bad a weakness of a trust is. Ordered: the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Anyone on the issuer gets in.
    Critical,
    /// Another organization, repository, namespace or project gets in.
    High,
    /// The trust is wider than its names say.
    Medium,
    /// Hygiene: dead or misleading text.
    Low,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
        }
    }
}

/// Who can carry a fix out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// Whoever reads this: the owner of the profile and of the cloud's side.
    #[default]
    You,
    /// The administrator of the platform that mints the tokens and runs the automations.
    Platform,
    /// The administrator of the token issuer.
    Issuer,
}

/// A fix for a cause, whole: a script that runs as printed, or what to send to whoever can act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What to do, in a sentence; for another actor, the text to send them.
    pub text: String,
    /// Who can carry it out.
    #[serde(default)]
    pub actor: Actor,
    /// A complete `sh` script that runs as printed. Never holds a secret value, a fragment or a `<placeholder>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The whole document that the script puts in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The command that shows that the fix worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<String>,
    /// A complete `sh` script that restores what `command` replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
}

/// A command that only looks: it changes nothing, and what it prints helps to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// What it shows.
    pub text: String,
    /// The command, complete.
    pub command: String,
}

/// A named cause and its proof.
///
/// Texts may quote what came from outside byte for byte; outputs pass them through
/// [`crate::domain::text::visible`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What must change.
    pub cause: Cause,
    /// What found it.
    pub check: FoundBy,
    /// How sure this is.
    pub certainty: Certainty,
    /// How bad it is, where it is a weakness and no failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// One sentence: what is wrong.
    pub summary: String,
    /// What had to be there, where one value decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was there instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// The facts it rests on, a sentence each.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// Ways to fix it, the best first. Only a root cause has any.
    #[serde(default)]
    pub fixes: Vec<Fix>,
    /// Commands that show more and change nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub see: Vec<Look>,
    /// The root cause that this one follows from, where it does: fixing that one fixes this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows_from: Option<Cause>,
    /// The guide this belongs to, such as `aws-workload-identity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide: Option<String>,
    /// The step of that guide, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u8>,
    /// The profile's key whose value is wrong, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// The vendor's page about it.
    pub docs: String,
}

impl Finding {
    /// A finding with nothing but its cause, place, certainty and sentence; the catalogue supplies the rest.
    pub fn new(cause: Cause, check: impl Into<FoundBy>, certainty: Certainty, summary: impl Into<String>) -> Self {
        Finding {
            cause,
            check: check.into(),
            certainty,
            severity: None,
            summary: summary.into(),
            expected: None,
            actual: None,
            evidence: Vec::new(),
            fixes: Vec::new(),
            see: Vec::new(),
            follows_from: None,
            guide: None,
            step: None,
            setting: None,
            docs: String::new(),
        }
    }

    /// What the two values of its difference are: where a policy may be the wrong side, neither is the expected one.
    pub fn sides(&self) -> (&'static str, &'static str) {
        // What a check of the token compares it with is the profile, which says what is meant.
        let compares_policies = !self.check.id().starts_with("token.") && !self.check.id().starts_with("azure.");
        if compares_policies && TrustDocument::Policy.decides().contains(&self.cause) {
            ("policy", if matches!(self.check, FoundBy::Command(Finder::Events)) { "event" } else { "token" })
        } else {
            ("expected", "actual")
        }
    }

    /// Adds what was expected and what was found.
    #[must_use]
    pub fn with_difference(mut self, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self.actual = Some(actual.into());
        self
    }

    /// Says which of the profile's values is wrong.
    #[must_use]
    pub fn about(mut self, key: Key) -> Self {
        self.setting = Some(key.path().to_owned());
        self
    }

    /// Says how bad the weakness is.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// The same finding where no token was read and `subject` is what the profile makes expected: never proven.
    #[must_use]
    pub fn as_predicted(mut self, subject: &str) -> Self {
        self.certainty = self.certainty.max(Certainty::Likely);
        self.summary = format!("predicted: {}", self.summary);
        for fact in &mut self.evidence {
            if let Some(rest) = fact.strip_prefix("the token has ") {
                *fact = format!("the expected token has {rest}");
            }
        }
        self.evidence.push(format!("predicted: no token was read; by the profile its subject is `{subject}`"));
        self
    }

    /// The same finding where a log's event says what the token had.
    #[must_use]
    pub fn as_logged(mut self) -> Self {
        for fact in &mut self.evidence {
            if let Some(rest) = fact.strip_prefix("the token has ") {
                *fact = format!("the event has {rest}");
            }
        }
        self
    }

    /// Adds a fact it rests on.
    #[must_use]
    pub fn with_evidence(mut self, fact: impl Into<String>) -> Self {
        self.evidence.push(fact.into());
        self
    }

    /// Adds a way to fix it that has no command.
    #[must_use]
    pub fn with_fix(mut self, text: impl Into<String>) -> Self {
        self.fixes.push(Fix { text: text.into(), ..Fix::default() });
        self
    }

    /// Adds a way to fix it with the command or text that does it.
    #[must_use]
    pub fn with_command(mut self, text: impl Into<String>, command: impl Into<String>) -> Self {
        self.fixes.push(Fix { text: text.into(), command: Some(command.into()), ..Fix::default() });
        self
    }

    /// Adds a fix that somebody else has to carry out: `text` is what to send them.
    #[must_use]
    pub fn with_request(mut self, actor: Actor, text: impl Into<String>) -> Self {
        self.fixes.push(Fix { text: text.into(), actor, ..Fix::default() });
        self
    }

    /// Adds a command that only looks.
    #[must_use]
    pub fn with_look(mut self, text: impl Into<String>, command: impl Into<String>) -> Self {
        self.see.push(Look { text: text.into(), command: command.into() });
        self
    }
}

/// What is refused, why it may be, and the one command that decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undecided {
    /// What met the refusal.
    pub check: FoundBy,
    /// The refusal in its own words.
    pub refused: String,
    /// The likeliest first.
    pub candidates: Vec<Suspect>,
    /// What decides.
    pub decide: Look,
}

/// One cause that would explain a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    pub cause: Cause,
    /// One sentence: what would be wrong.
    pub summary: String,
}

/// So many candidates are told in a line each; the rest by their names alone.
pub const UNFOLDED: usize = 4;
