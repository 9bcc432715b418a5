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

/// The least letters and digits of such a run: a P-256 signature has 86; a UUID 32, a SHA-256 digest 64.
const LEAST: usize = 72;
/// The least of a piece, where blanks divide it.
const LEAST_PIECE: usize = 8;
/// The least pieces of one length in a row.
const LEAST_PIECES: usize = 3;

/// A piece between blanks and other characters that no token has.
#[derive(Clone, Copy)]
struct Piece {
    begin: usize,
    end: usize,
}

impl Piece {
    const fn len(self) -> usize {
        self.end - self.begin
    }
}

/// Where they stand in a text, ascending.
pub fn random_runs(text: &str) -> Vec<(usize, usize)> {
    let pieces = pieces(text);
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while let Some(piece) = pieces.get(at) {
        let after = end_of_equals(text, &pieces, at);
        let run = |begin: usize, end: usize| is_random(&text.as_bytes()[begin..end]).then_some((begin, end));
        let is_divided = after - at >= LEAST_PIECES && piece.len() >= LEAST_PIECE;
        let whole = if is_divided { run(piece.begin, pieces[after - 1].end) } else { None };
        match whole {
            Some(whole) => found.push(whole),
            None => found.extend(pieces[at..after].iter().filter_map(|piece| run(piece.begin, piece.end))),
        }
        at = after;
    }
    found
}

/// Behind the last of the pieces from `at` on that are as long as it is and stand next to each other, with a shorter end that is
/// no word.
fn end_of_equals(text: &str, pieces: &[Piece], at: usize) -> usize {
    let length = pieces[at].len();
    let is_next = |piece: &Piece, before: &Piece| is_gap(&text[before.end..piece.begin]);
    let mut after = at + 1;
    while pieces.get(after).is_some_and(|piece| piece.len() == length && is_next(piece, &pieces[after - 1])) {
        after += 1;
    }
    let rest = pieces.get(after).filter(|piece| piece.len() < length && is_next(piece, &pieces[after - 1]));
    let is_no_word = |piece: &Piece| !text[piece.begin..piece.end].bytes().all(|byte| byte.is_ascii_lowercase());
    if after - at >= LEAST_PIECES && rest.is_some_and(is_no_word) { after + 1 } else { after }
}

/// Whether pieces with this between them may be of one run: a blank, a dot, characters that nobody sees.
fn is_gap(between: &str) -> bool {
    between.len() <= 16
        && between.chars().all(|c| c.is_whitespace() || c == '.' || !c.is_ascii() && !c.is_alphanumeric())
}

/// Which bytes a piece is of, in a table: every byte of a log is asked for.
const IN_PIECE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let letter = byte as u8;
        table[byte] = letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_' | b'=' | b'+' | b'%' | b'~');
        byte += 1;
    }
    table
};

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut begin = None;
    for (at, byte) in text.bytes().enumerate() {
        match (begin, IN_PIECE[usize::from(byte)]) {
            (None, true) => begin = Some(at),
            (Some(from), false) => {
                pieces.push(Piece { begin: from, end: at });
                begin = None;
            }
            _ => {}
        }
    }
    pieces.extend(begin.map(|begin| Piece { begin, end: text.len() }));
    pieces
}

/// Long, with hardly any sign between its letters, and of capitals, small letters and digits; or with many digits.
fn is_random(run: &[u8]) -> bool {
    if run.len() < LEAST {
        return false;
    }
    let count = |fits: fn(&u8) -> bool| run.iter().filter(|byte| fits(byte)).count();
    let (upper, lower) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let digits = count(u8::is_ascii_digit);
    let signs = count(|byte| matches!(byte, b'-' | b'_' | b'+' | b'='));
    let all = upper + lower + digits;
    let is_mixed = upper * 8 >= all && lower * 8 >= all && digits > 0;
    all >= LEAST && signs * 8 <= all && (is_mixed || digits * 12 >= all)
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

#[cfg(test)]
mod random_tests {
    use super::*;

    #[test]
    fn what_people_and_clouds_write_is_none() {
        for text in [
            "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform it",
            "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/someone@example.com",
            "Trace ID: 0d4a5c5e-1111-4222-8333-123456789abc Correlation ID: 6b1f9f0e-aaaa-4bbb-8ccc-0123456789ab Timestamp",
            "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "https://oidc.eks.eu-central-1.amazonaws.com/id/ABCDEF0123456789ABCDEF0123456789/.well-known/openid-configuration",
            "repository becomes available whenever operators reconnect replicas following scheduled maintenance Tuesday 12",
            "/home/runner/work/_actions/aws-actions/configure-aws-credentials/v4/dist/cleanup/index.js:13579:24680",
            "my-very-long-kubernetes-deployment-name-7d9c5b8f6d-abcde-and-another-one-6f7d8c9b5-fghij-and-more-of-it",
        ] {
            assert_eq!(random_runs(text), [], "{text}");
        }
    }

    #[test]
    fn a_signature_is_one_however_it_is_broken() {
        let signature =
            "kY3Vf9sQ2LmZ8xT1bN6wRg4HcJ7aPd0EuXo5iWqKlMvSzByCtUfGhIjOrDpNeAs3T6u8ZxQwL1mVnBkHyRcGfJd2Pa".repeat(3);
        for width in [8, 16, 24, 36, 60, signature.len()] {
            for between in [" ", "\u{200b}", "\u{ad}", " . "] {
                let pieces: Vec<&str> =
                    signature.as_bytes().chunks(width).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
                let text = format!("refused: {}: try again", pieces.join(between));
                let found = random_runs(&text);
                let left: usize = found.iter().map(|(begin, end)| end - begin).sum();
                assert!(left + 40 >= text.len() - 24, "{width} {between:?}: {found:?}");
                assert!(found.len() == 1 && found[0].0 == 9, "{width} {between:?}: {found:?} of {text}");
            }
        }
        for spelt in [signature.to_lowercase(), signature.to_uppercase(), signature.chars().rev().collect()] {
            assert_eq!(random_runs(&spelt), [(0, spelt.len())]);
        }
        let hex: String = signature.bytes().map(|byte| format!("{byte:02x}")).collect();
        let percent: String = signature.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!((random_runs(&hex).len(), random_runs(&percent).len()), (1, 1));
    }

    #[test]
    fn a_long_text_is_read_once() {
        assert_eq!(random_runs(&"abcdefgh ".repeat(200_000)), []);
    }
}
