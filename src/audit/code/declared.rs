//! What code declares, whatever language it is written in: trusts in the form in which the clouds answer them, and what cannot be
//! known before the code is applied.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value as Json;

/// Stands for the account that the code is applied in.
pub const THIS_ACCOUNT: &str = "000000000000";

/// What a configuration or a template declares.
#[derive(Debug, Default)]
pub struct Configuration {
    pub declared: Vec<Declared>,
    pub not_known: Vec<NotKnown>,
    /// The identity providers that it registers at AWS: the URL without scheme, and the audiences.
    pub providers: Vec<(String, Vec<String>)>,
    pub unknowns: Unknowns,
}

/// A trust that the code declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Such as `module.ci.aws_iam_role.deploy["a"]`.
    pub address: String,
    pub file: String,
    pub line: u64,
    pub what: DeclaredTrust,
}

/// What is declared, in the form that the clouds answer it.
#[derive(Clone, Debug, PartialEq)]
pub enum DeclaredTrust {
    /// A role: its trust policy, its own policies, the ARNs of those that are attached.
    Role { trust: String, inline: Vec<String>, attached: Vec<String> },
    /// A federated credential of Entra.
    Credential(Json),
    /// A provider of a workload identity pool.
    Provider(Json),
    /// A role at Google for members of a pool: an IAM policy with this binding alone.
    Binding(Json),
}

/// Something that cannot be read or known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown {
    pub what: String,
    pub file: String,
    pub line: u64,
    pub why: String,
}

/// The references without a value that were met, by their marks. A mark is an ordinary name, so that what is around it is judged.
#[derive(Debug, Default)]
pub struct Unknowns(RefCell<BTreeMap<String, String>>);

/// What every mark ends with, so that it is a host's name too.
const MARK: &str = ".unknown";

impl Unknowns {
    /// The mark of a reference.
    pub fn mark(&self, reference: &str) -> String {
        let word: String = reference.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let mark = format!("{}{MARK}", word.trim_matches('-').to_ascii_lowercase());
        self.0.borrow_mut().insert(mark.clone(), reference.to_owned());
        mark
    }

    /// The references whose marks are in `text`.
    pub fn in_text(&self, text: &str) -> Vec<String> {
        self.marks_in(text).into_iter().map(|(_, reference)| reference).collect()
    }

    /// The marks in `text`, each with its reference.
    fn marks_in(&self, text: &str) -> Vec<(String, String)> {
        if !text.contains(MARK) {
            return Vec::new();
        }
        let known = self.0.borrow();
        let found = known.iter().filter(|(mark, _)| text.contains(mark.as_str()));
        found.map(|(mark, reference)| (mark.clone(), reference.clone())).collect()
    }

    /// Whether a text is nothing but marks, wildcards and separators: what it says is not known.
    pub fn is_all(&self, text: &str) -> bool {
        let marks = self.marks_in(text);
        let rest = self.replaced(text, |_| String::new());
        !marks.is_empty() && rest.chars().all(|c| matches!(c, '*' | '?' | ':' | '/'))
    }

    /// `text` with `instead` of each mark, made of its reference.
    pub fn replaced(&self, text: &str, instead: impl Fn(&str) -> String) -> String {
        let mut marks = self.marks_in(text);
        // One mark may end as another does.
        marks.sort_by_key(|(mark, _)| std::cmp::Reverse(mark.len()));
        marks.iter().fold(text.to_owned(), |text, (mark, reference)| text.replace(mark.as_str(), &instead(reference)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_what_it_stands_for() {
        let unknowns = Unknowns::default();
        let text = format!("repo:{}/{}:*", unknowns.mark("var.owner"), unknowns.mark("owner"));
        assert_eq!(unknowns.in_text(&text), ["owner", "var.owner"]);
        assert_eq!(unknowns.replaced(&text, |name| format!("<{name}>")), "repo:<var.owner>/<owner>:*");
        assert!(!unknowns.is_all(&text) && unknowns.is_all(&unknowns.mark("var.owner")));
        assert!(!unknowns.is_all("*") && unknowns.in_text("owner.example").is_empty());
    }
}
