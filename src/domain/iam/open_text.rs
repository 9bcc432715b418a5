//! Texts with open parts: what code takes from a value that is not at hand stands in its documents as `${unknown:NAME}`. A
//! comparison with such a text is unknown, unless what is written around the open parts decides it.

use super::pattern::{Effort, like};
use super::truth::Truth;

/// How an open part begins; no service of AWS has a variable of this name.
pub const OPEN: &str = "${unknown:";

/// The open part that stands for a reference.
pub fn open_part(reference: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' };
    format!("{OPEN}{}}}", reference.chars().map(plain).collect::<String>())
}

/// Whether a text has an open part.
pub fn is_open(text: &str) -> bool {
    text.contains(OPEN)
}

/// The references of a text's open parts, in their order.
pub fn open_references(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(OPEN) {
        let rest = text.get(at + OPEN.len()..).unwrap_or_default();
        if let Some((name, _)) = rest.split_once('}')
            && !found.contains(&name)
        {
            found.push(name);
        }
    }
    found
}

/// Why a comparison with such a text is unknown.
pub fn why_open(text: &str) -> String {
    format!("depends on {}, which has no value here", open_references(text).join(", "))
}

/// What a comparison with such a text comes to: false where it does not fit whatever the open parts are, else unknown. Its own `*`
/// and `?` are taken for wildcards, also where they are none: that leaves more unknown, and nothing is false that may be true.
pub fn match_open(pattern: &str, actual: &str) -> Truth {
    let mut widest = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once(OPEN) {
        widest.push_str(before);
        widest.push('*');
        rest = behind.split_once('}').map_or("", |(_, rest)| rest);
    }
    widest.push_str(rest);
    match like(&widest, actual, &Effort::full()) {
        Truth::False => Truth::False,
        Truth::True | Truth::Unknown => Truth::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_what_it_leaves_open() {
        let text = format!("repo:{}/{}:{}", open_part("var.owner"), open_part("data.x[0]"), open_part("var.owner"));
        assert_eq!(text, "repo:${unknown:var.owner}/${unknown:data.x-0-}:${unknown:var.owner}");
        assert_eq!(open_references(&text), ["var.owner", "data.x-0-"]);
        assert_eq!(why_open(&text), "depends on var.owner, data.x-0-, which has no value here");
        assert!(is_open(&text) && !is_open("${aws:PrincipalTag/x}") && open_references("${unknown:").is_empty());
    }

    #[test]
    fn what_is_written_around_an_open_part_decides_where_it_can() {
        let text = "repo:${unknown:var.owner}/app:ref:refs/heads/main";
        for (actual, result) in [
            ("repo:octo/app:ref:refs/heads/main", Truth::Unknown),
            ("repo:octo/api:ref:refs/heads/main", Truth::False),
            ("repo:octo/app:ref:refs/heads/dev", Truth::False),
            ("", Truth::False),
        ] {
            assert_eq!(match_open(text, actual), result, "{actual}");
        }
        assert_eq!(match_open("${unknown:var.subject}", "anything"), Truth::Unknown);
    }
}
