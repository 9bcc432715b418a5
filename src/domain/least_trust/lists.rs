//! The two lists that a least trust is made of: the subjects that must get in, and those that must not; as lines, as a JSON
//! list, or out of what `trustline events --output json` printed.

use serde_json::Value;

use crate::domain::iam::Truth;
use crate::domain::iam::pattern::{Effort, like};
use crate::domain::issuer::condition_key_prefix;

/// Why no trust is made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTrust {
    #[error("no subject is to be admitted{}: a trust that names none lets in every token of the issuer", others(*left_out))]
    Nobody { left_out: usize },
    #[error("the lists contradict: `{admit}` is to be admitted, and `{refuse}`, which is to be refused, covers it")]
    Contradiction { admit: String, refuse: String },
    #[error("`{pattern}` lets in {who}: `{subject}`; name the subjects, or less of them by the pattern")]
    TooWide { pattern: String, who: String, subject: String },
    #[error("{what} cannot be said in {place}: {why}")]
    NotSaid { what: String, place: &'static str, why: String },
    #[error(
        "the trust would have {size} {unit}, and {place} takes {limit}; name fewer subjects, or put a pattern in their place"
    )]
    TooLarge { size: usize, unit: &'static str, place: &'static str, limit: usize },
    #[error("`{subject}` would not be admitted: {why}")]
    NotAdmitted { subject: String, why: String },
    #[error("`{subject}` would be admitted too")]
    Admitted { subject: String },
}

fn others(left_out: usize) -> String {
    match left_out {
        0 => String::new(),
        left_out => format!(" ({left_out} of the log are of another issuer or asked for something else)"),
    }
}

/// Which of the lists a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Admit,
    Refuse,
}

/// A subject as a list names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As tokens carry it; `*` is any run of characters, `?` any one.
    pub subject: String,
    /// What a cloud's log says beside it: the issuer, and the role, application or provider that was asked for.
    pub seen: Option<(Option<String>, Option<String>)>,
}

impl Listed {
    /// A subject that a person wrote.
    pub fn written(subject: impl Into<String>) -> Listed {
        Listed { subject: subject.into(), seen: None }
    }
}

/// Reads a list. Of a log those that were granted are for the one list, those that were refused for the other: who tried and
/// failed is not let in because he tried.
///
/// # Errors
/// In a sentence: the text is JSON, and neither a list of texts nor the events' document.
pub fn read(text: &str, side: Side) -> Result<Vec<Listed>, String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if !text.starts_with(['[', '{']) {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        return Ok(lines.map(Listed::written).collect());
    }
    let document: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    match &document {
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(Listed::written).ok_or_else(|| "the list holds more than texts".to_owned()))
            .collect(),
        Value::Object(object) if object.get("schema").and_then(Value::as_str) == Some("trustline.events/1") => {
            Ok(object
                .get("events")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|e| event(e, side))
                .collect())
        }
        _ => Err("neither a list of subjects nor what `trustline events --output json` prints".to_owned()),
    }
}

fn event(event: &Value, side: Side) -> Option<Listed> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).map(str::to_owned);
    let outcome = match side {
        Side::Admit => "granted",
        Side::Refuse => "refused",
    };
    (text("outcome")? == outcome)
        .then(|| Some(Listed { subject: text("subject")?, seen: Some((text("issuer"), text("resource"))) }))?
}

/// Both lists, without what they name twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    pub admit: Vec<String>,
    pub refuse: Vec<String>,
    /// How many of a log's subjects are another issuer's, or asked for something else.
    pub left_out: usize,
}

impl Lists {
    /// The lists of tokens of this issuer; `resource` is the role, application or provider that the trust is of, where it is
    /// known.
    ///
    /// # Errors
    /// Where nobody is to be admitted, and where somebody is to be admitted and refused.
    pub fn of(admit: Vec<Listed>, refuse: Vec<Listed>, issuer: &str, resource: Option<&str>) -> Result<Lists, NoTrust> {
        let named = admit.len() + refuse.len();
        let concerns = |listed: &Listed| match &listed.seen {
            None => true,
            Some((of, asked)) => {
                let same_issuer = of.as_deref().is_none_or(|of| host(of) == host(issuer));
                let same_resource = asked.as_deref().zip(resource).is_none_or(|(asked, own)| asked == own);
                same_issuer && same_resource
            }
        };
        let kept = |list: Vec<Listed>| -> Vec<String> {
            let mut subjects: Vec<String> = list.into_iter().filter(concerns).map(|listed| listed.subject).collect();
            subjects.sort_unstable();
            subjects
        };
        let (mut admit, mut refuse) = (kept(admit), kept(refuse));
        let left_out = named - admit.len() - refuse.len();
        admit.dedup();
        refuse.dedup();
        if admit.is_empty() {
            return Err(NoTrust::Nobody { left_out });
        }
        for subject in &admit {
            if let Some(refused) = refuse.iter().find(|refused| fits(refused, subject)) {
                return Err(NoTrust::Contradiction { admit: subject.clone(), refuse: refused.clone() });
            }
        }
        Ok(Lists { admit, refuse, left_out })
    }

    /// The subjects to admit that name one workload each.
    pub fn exact(&self) -> impl Iterator<Item = &str> {
        self.admit.iter().map(String::as_str).filter(|subject| !is_pattern(subject))
    }

    /// Those that leave a part open.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.admit.iter().map(String::as_str).filter(|subject| is_pattern(subject))
    }

    /// Those to refuse that this pattern would let in.
    pub fn within<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = &'a str> {
        self.refuse.iter().map(String::as_str).filter(move |refused| {
            fillings(refused).iter().any(|filled| fits(pattern, filled))
                || fillings(pattern).iter().any(|filled| fits(refused, filled))
        })
    }
}

fn host(issuer: &str) -> &str {
    condition_key_prefix(issuer).trim_end_matches('/')
}

/// Whether a subject of a list leaves a part open.
pub(super) fn is_pattern(subject: &str) -> bool {
    subject.contains(['*', '?'])
}

/// Whether `subject` is what the list's entry names.
pub(super) fn fits(listed: &str, subject: &str) -> bool {
    like(listed, subject, &Effort::full()) == Truth::True
}

/// Subjects that an entry stands for: itself, or its pattern with several things in the open places.
pub(super) fn fillings(listed: &str) -> Vec<String> {
    if !is_pattern(listed) {
        return vec![listed.to_owned()];
    }
    ["x", "own-1", "a/b:c"].iter().map(|filling| listed.replace('*', filling).replace('?', "x")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(subjects: &[&str]) -> Vec<Listed> {
        subjects.iter().map(|subject| Listed::written(*subject)).collect()
    }

    #[test]
    fn a_list_is_lines_or_json_or_a_log() {
        let lines = "# who deploys\nrepo:o/r:ref:refs/heads/main\n\n  repo:o/r:environment:prod \r\n";
        let two = written(&["repo:o/r:ref:refs/heads/main", "repo:o/r:environment:prod"]);
        assert_eq!(read(lines, Side::Admit).unwrap(), two);
        assert_eq!(
            read(r#"["repo:o/r:ref:refs/heads/main", "repo:o/r:environment:prod"]"#, Side::Refuse).unwrap(),
            two
        );
        let log = r#"{"schema": "trustline.events/1", "events": [
            {"subject": "a", "outcome": "granted", "issuer": "https://i.example", "resource": "arn:r"},
            {"subject": "b", "outcome": "refused", "issuer": "https://i.example"},
            {"outcome": "granted"}]}"#;
        let subjects = |side| read(log, side).unwrap().into_iter().map(|listed| listed.subject).collect::<Vec<_>>();
        assert_eq!((subjects(Side::Admit), subjects(Side::Refuse)), (vec!["a".to_owned()], vec!["b".to_owned()]));
        for text in ["[1]", "{}", "{\"a\":", r#"{"schema": "trustline.trust/1"}"#] {
            assert!(read(text, Side::Admit).is_err(), "{text}");
        }
    }

    #[test]
    fn a_log_counts_for_its_own_issuer_and_role() {
        let seen = |subject: &str, issuer: &str, resource: &str| Listed {
            subject: subject.into(),
            seen: Some((Some(issuer.into()), Some(resource.into()))),
        };
        let log = vec![
            seen("a", "i.example/", "arn:r"),
            seen("b", "https://other.example", "arn:r"),
            seen("c", "https://i.example", "arn:s"),
        ];
        let lists = Lists::of(log.clone(), Vec::new(), "https://i.example", Some("arn:r")).unwrap();
        assert_eq!((lists.admit, lists.left_out), (vec!["a".to_owned()], 2));
        assert_eq!(Lists::of(log.clone(), Vec::new(), "https://i.example", None).unwrap().admit, ["a", "c"]);
        let none = Lists::of(log, Vec::new(), "https://third.example", None);
        assert_eq!(none, Err(NoTrust::Nobody { left_out: 3 }));
    }

    #[test]
    fn lists_that_contradict_make_no_trust() {
        let of =
            |admit: &[&str], refuse: &[&str]| Lists::of(written(admit), written(refuse), "https://i.example", None);
        assert_eq!(of(&[], &["a"]), Err(NoTrust::Nobody { left_out: 0 }));
        for (admit, refuse) in [("a", "a"), ("repo:o/r:ref:x", "repo:o/*"), ("repo:o/*", "repo:*")] {
            let contradiction = NoTrust::Contradiction { admit: admit.into(), refuse: refuse.into() };
            assert_eq!(of(&[admit], &[refuse]), Err(contradiction));
        }
        let lists = of(&["repo:o/r:*", "b", "b"], &["repo:o/r:pull_request", "repo:p/q:*"]).unwrap();
        assert_eq!(lists.admit, ["b", "repo:o/r:*"]);
        assert_eq!(lists.within("repo:o/r:*").collect::<Vec<_>>(), ["repo:o/r:pull_request"]);
    }
}
