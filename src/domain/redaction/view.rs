//! A text read through what mail, URLs, JSON and HTML make of it, with where everything stood.

/// Bytes, and for each the part of the original text that it was read from.
pub(super) struct View {
    pub bytes: Vec<u8>,
    /// Begin and end in the original, ascending.
    pub from: Vec<(usize, usize)>,
}

/// So often a text is decoded again: JSON stands in JSON, and escapes are escaped.
const PASSES: usize = 3;

impl View {
    /// The text as it is.
    fn plain(text: &[u8]) -> View {
        View { bytes: text.to_vec(), from: (0..text.len()).map(|at| (at, at + 1)).collect() }
    }

    /// The text as it is, and as it reads decoded once, twice, …, as long as that changes anything.
    pub(super) fn all_of(text: &[u8]) -> Vec<View> {
        let mut views = vec![View::plain(text)];
        for _ in 0..PASSES {
            match views.last().and_then(View::decoded) {
                Some(view) => views.push(view),
                None => break,
            }
        }
        views
    }

    /// Only letters and digits, in lower case: what line breaks, blanks, quotes and invisible characters do not change.
    pub(super) fn skeleton(&self) -> View {
        let kept = self.bytes.iter().zip(&self.from).filter(|(byte, _)| byte.is_ascii_alphanumeric());
        let (bytes, from) = kept.map(|(byte, from)| (byte.to_ascii_lowercase(), *from)).unzip();
        View { bytes, from }
    }

    /// One pass over all escapes; `None` where there are none.
    fn decoded(&self) -> Option<View> {
        let mut view = View { bytes: Vec::with_capacity(self.bytes.len()), from: Vec::with_capacity(self.bytes.len()) };
        let mut at = 0;
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (byte, length) = escape(rest).unwrap_or((rest[0], 1));
            let (begin, end) = (self.from[at].0, self.from[at + length - 1].1);
            view.bytes.push(byte);
            view.from.push((begin, end));
            at += length;
        }
        (view.bytes.len() < self.bytes.len()).then_some(view)
    }
}

/// What stands for what is not looked for: a line break, a symbol, a letter of another alphabet.
const OTHER: u8 = b' ';

/// The byte that an escape at the beginning stands for, and the escape's length.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    match text[0] {
        // URLs, and quoted-printable.
        b'%' | b'=' => Some((hex(text.get(1..3)?)?, 3)),
        b'\\' => backslash(text),
        b'&' => entity(text),
        b'<' => tag(text),
        _ => None,
    }
}

/// `\n`, `\u002e`, `\x2e`, behind one backslash or several.
fn backslash(text: &[u8]) -> Option<(u8, usize)> {
    let slashes = text.iter().take(16).take_while(|byte| **byte == b'\\').count();
    match text.get(slashes)? {
        b'n' | b'r' | b't' | b'b' | b'f' => Some((OTHER, slashes + 1)),
        b'x' => Some((hex(text.get(slashes + 1..slashes + 3)?)?, slashes + 3)),
        b'u' => {
            let digits = text.get(slashes + 1..slashes + 5)?;
            let (high, low) = (hex(&digits[..2])?, hex(&digits[2..])?);
            Some((if high == 0 { low } else { OTHER }, slashes + 5))
        }
        _ => Some((OTHER, slashes)),
    }
}

/// `&#46;`, `&#x2e;`, `&amp;`.
fn entity(text: &[u8]) -> Option<(u8, usize)> {
    let end = text.iter().take(12).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&text[1..end]).ok()?;
    let number = name.strip_prefix('#').map(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    });
    match number {
        Some(number) => Some((u8::try_from(number.ok()?).unwrap_or(OTHER), end + 1)),
        None => name.bytes().all(|byte| byte.is_ascii_alphabetic()).then_some((OTHER, end + 1)),
    }
}

/// `<br>`, `</wbr>`: short tags that break lines.
fn tag(text: &[u8]) -> Option<(u8, usize)> {
    let end = text.iter().take(10).position(|byte| *byte == b'>')?;
    let is_tag = text[1..end].iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b' '));
    is_tag.then_some((OTHER, end + 1))
}

/// The byte of two hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let [high, low] = *digits else { return None };
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_and_their_places_kept() {
        let text = br"a%2Eb\u0063\\nd&#101;&amp;<br>f=\x67";
        let views = View::all_of(text);
        let last = views[1].skeleton();
        assert_eq!(last.bytes, b"abcdefg");
        assert_eq!(&text[last.from[2].0..last.from[2].1], br"\u0063");
        assert_eq!(&text[last.from[4].0..last.from[4].1], b"&#101;");
    }

    #[test]
    fn any_bytes_are_read() {
        for text in ["", "%", "=", "\\", "&", "<", "%4", "\\u00", "&#;", "&#999999999999;", "<a", "é%e9"] {
            for view in View::all_of(text.as_bytes()) {
                assert_eq!(view.bytes.len(), view.from.len());
            }
        }
    }
}
