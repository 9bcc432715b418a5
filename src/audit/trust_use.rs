//! What a cloud's log says of one trust: how often it let somebody in, when last, whom; and how far the log reaches.

use serde::{Deserialize, Serialize};

/// What a log says of one trust.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustUse {
    pub granted: u64,
    pub refused: u64,
    /// RFC 3339 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_granted: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_refused: Option<String>,
    /// Who was let in, as far as the log says, some of many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// The first and the last exchange of the trust's account in the log; nothing where it has none, and so says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<[String; 2]>,
}

/// A trust and its use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UseOf {
    pub resource: String,
    #[serde(flatten)]
    pub used: TrustUse,
}

impl TrustUse {
    /// Whether the log would have it, and has not.
    pub const fn is_unseen(&self) -> bool {
        self.reach.is_some() && self.granted == 0
    }

    /// What the log says, in a sentence.
    pub fn sentence(&self) -> String {
        let Some([from, to]) = &self.reach else {
            return "unknown: these events hold no exchange of its account".to_owned();
        };
        let last = |at: &Option<String>| at.as_ref().map(|at| format!(", last {at}")).unwrap_or_default();
        let mut text = match self.granted {
            0 => format!("not seen in these events, from {from} to {to}"),
            count => format!("{}{}", times(count), last(&self.last_granted)),
        };
        match self.subjects.as_slice() {
            [] => {}
            [only] => text.push_str(&format!(", by `{only}`")),
            [first, others @ ..] => {
                let subjects = if others.len() == 1 { "subject" } else { "subjects" };
                text.push_str(&format!(", by `{first}` and {} other {subjects}", others.len()));
            }
        }
        if self.refused > 0 {
            text.push_str(&format!("; refused {}{}", times(self.refused), last(&self.last_refused)));
        }
        text
    }
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_the_log_says_and_no_more() {
        let at = |day: u8| Some(format!("2026-11-{day:02}T00:00:00Z"));
        let reach = Some(["2026-11-01T00:00:00Z".to_owned(), "2026-11-30T00:00:00Z".to_owned()]);
        let unseen = TrustUse { reach, ..TrustUse::default() };
        let subjects = |count: u8| (0..count).map(|at| format!("repo:o/{at}")).collect::<Vec<_>>();
        for (used, sentence) in [
            (TrustUse::default(), "unknown: these events hold no exchange of its account"),
            (unseen.clone(), "not seen in these events, from 2026-11-01T00:00:00Z to 2026-11-30T00:00:00Z"),
            (TrustUse { granted: 1, last_granted: at(7), ..unseen.clone() }, "once, last 2026-11-07T00:00:00Z"),
            (
                TrustUse { granted: 9, last_granted: at(7), subjects: subjects(2), ..unseen.clone() },
                "9 times, last 2026-11-07T00:00:00Z, by `repo:o/0` and 1 other subject",
            ),
            (
                TrustUse { granted: 9, subjects: subjects(3), refused: 2, last_refused: at(8), ..unseen },
                "9 times, by `repo:o/0` and 2 other subjects; refused 2 times, last 2026-11-08T00:00:00Z",
            ),
        ] {
            assert_eq!(used.sentence(), sentence);
        }
    }
}
