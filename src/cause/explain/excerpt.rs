//! Pieces of a text found by what stands before and behind them.

/// The longest piece that is kept, in bytes.
pub(super) const LONGEST: usize = 2_048;

/// What follows the first of these marks in the text.
pub(super) fn after<'t>(text: &'t str, marks: &[&str]) -> Option<&'t str> {
    marks.iter().find_map(|mark| text.split_once(mark)).map(|(_, rest)| rest)
}

pub(super) fn word_after(text: &str, marks: &[&str]) -> Option<String> {
    let word = after(text, marks)?.split([' ', '"', '\'', ',', '<', ')']).next()?;
    kept(word.trim_end_matches(['.', ';', ':']))
}

pub(super) fn quoted_after(text: &str, marks: &[&str]) -> Option<String> {
    marks.iter().find_map(|mark| {
        let rest = after(text, &[mark])?;
        let inner = rest.strip_prefix('\'').or_else(|| rest.strip_prefix('"'))?;
        kept(&inner[..inner.find(['\'', '"'])?])
    })
}

pub(super) fn between(text: &str, left: &str, right: &str) -> Option<String> {
    let rest = after(text, &[left])?;
    kept(&rest[..rest.find(right)?])
}

pub(super) fn parameter(text: &str, name: &str) -> Option<String> {
    kept(after(text, &[name])?.split([';', '\'', '"', ' ', ',']).next()?)
}

pub(super) fn identifier(text: &str, marks: &[&str]) -> Option<String> {
    let id: String = after(text, marks)?.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    kept(&id)
}

pub(super) fn first_part(text: &str) -> String {
    text.split(';').next().unwrap_or(text).to_owned()
}

pub(super) fn as_issuer(text: String) -> String {
    if text.starts_with("://") { format!("https{text}") } else { text }
}

pub(super) fn kept(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= LONGEST).then(|| text.to_owned())
}
