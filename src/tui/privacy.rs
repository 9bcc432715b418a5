//! Privacy mode: account ids, subjects, hosts and addresses masked, for a shared screen or a screenshot.

/// `text` with its letters and digits masked wherever a word names a person's things: it holds `:`, `/`, `.` or `@`
/// between letters or digits (addresses, hosts, ARNs, subjects, files), is a UUID, or has eight digits or more.
pub fn mask_prose(text: &str, mask: char) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| if tells(word.trim()) { mask_value(word, mask) } else { word.to_owned() })
        .collect()
}

/// `text` with every letter and digit masked.
pub fn mask_value(text: &str, mask: char) -> String {
    text.chars().map(|c| if c.is_alphanumeric() { mask } else { c }).collect()
}

fn tells(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let joined = word.char_indices().any(|(at, c)| {
        matches!(c, ':' | '/' | '.' | '@')
            && word[at + 1..].starts_with(|next: char| next.is_alphanumeric() || next == '/')
    });
    joined || digits >= 8 || (word.len() >= 32 && word.matches('-').count() >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_what_tells_and_leaves_the_sentence() {
        for (text, masked) in [
            ("role of account 123456789012 is wrong.", "role of account •••••••••••• is wrong."),
            ("https://app.example.com: refused", "•••••://•••.•••••••.•••: refused"),
            ("`organization:7f3e` differs", "`••••••••••••:••••` differs"),
            ("the trust policy does not accept it", "the trust policy does not accept it"),
            ("tenant abcdefab-cdef-abcd-efab-cdefabcdefab", "tenant ••••••••-••••-••••-••••-••••••••••••"),
            ("took 91 ms. Then", "took 91 ms. Then"),
        ] {
            assert_eq!(mask_prose(text, '•'), masked);
        }
    }
}
