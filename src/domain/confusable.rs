//! Characters that look like ASCII and are not: the ones that end up in policies by copying or by malice.
//!
//! A small part of the Unicode confusables table (<https://www.unicode.org/reports/tr39/>).

/// The ASCII character that `c` is easily taken for.
pub fn looks_like(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    Some(match c {
        // Cyrillic
        'а' => 'a',
        'с' => 'c',
        'ԁ' => 'd',
        'е' => 'e',
        'һ' => 'h',
        'і' => 'i',
        'ј' => 'j',
        'ӏ' => 'l',
        'о' => 'o',
        'р' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'ԝ' => 'w',
        'х' => 'x',
        'у' => 'y',
        'А' => 'A',
        'В' => 'B',
        'С' => 'C',
        'Е' => 'E',
        'Н' => 'H',
        'І' => 'I',
        'К' => 'K',
        'М' => 'M',
        'О' => 'O',
        'Р' => 'P',
        'Ѕ' => 'S',
        'Т' => 'T',
        'Ј' => 'J',
        'У' => 'Y',
        'Х' => 'X',
        // Greek
        'α' => 'a',
        'ι' => 'i',
        'κ' => 'k',
        'ν' => 'v',
        'ο' => 'o',
        'ρ' => 'p',
        'τ' => 't',
        'υ' => 'u',
        'χ' => 'x',
        'Α' => 'A',
        'Β' => 'B',
        'Ε' => 'E',
        'Ζ' => 'Z',
        'Η' => 'H',
        'Ι' => 'I',
        'Κ' => 'K',
        'Μ' => 'M',
        'Ν' => 'N',
        'Ο' => 'O',
        'Ρ' => 'P',
        'Τ' => 'T',
        'Υ' => 'Y',
        'Χ' => 'X',
        // Latin that is not ASCII
        'ı' => 'i',
        'ſ' => 's',
        'ɡ' => 'g',
        // Punctuation that word processors put in
        '‐' | '‑' | '‒' | '–' | '—' | '−' => '-',
        '∕' | '⁄' => '/',
        '∶' => ':',
        '∗' => '*',
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        '․' => '.',
        _ => return fullwidth(c),
    })
}

/// The ASCII character whose fullwidth form `c` is.
fn fullwidth(c: char) -> Option<char> {
    u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).filter(char::is_ascii_graphic)
}

/// `text` with every such character replaced by what it looks like; `None` where there is none.
pub fn as_ascii(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let replaced: String = text.chars().map(|c| looks_like(c).unwrap_or(c)).collect();
    (replaced != text).then_some(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_look_alikes_only() {
        assert_eq!(as_ascii("оrganization–1").as_deref(), Some("organization-1"));
        assert_eq!(as_ascii("ｏrganization：1").as_deref(), Some("organization:1"));
        assert_eq!(as_ascii("organization-1"), None);
        assert_eq!(as_ascii("Zürich"), None);
    }
}
