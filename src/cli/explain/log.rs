//! The error text: a file or standard input, of any length and in the encodings that logs come in.

use std::io::Read;

/// How much is kept of a long text's beginning, and as much of its end: the root comes first, and a log ends with what
/// stopped it.
const KEPT: usize = 8 * 1024 * 1024;
/// How many bytes are looked at to tell the encoding.
const PROBED: usize = 4096;
/// Of a text, fewer characters than one in this many cannot be read.
const READABLE: usize = 8;

/// A text as it was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Log {
    pub text: String,
    /// Bytes between the beginning and the end that were not kept.
    pub left_out: u64,
    /// What was read is no text.
    pub binary: bool,
}

impl Log {
    /// Reads all of `input` and keeps no more than its beginning and its end.
    pub(super) fn read(input: impl Read) -> std::io::Result<Log> {
        let (head, left_out, mut tail) = beginning_and_end(input, KEPT)?;
        let encoding = Encoding::of(&head);
        let mut text = encoding.decode(&head);
        if left_out > 0 {
            // A character of two bytes that the cut has halved.
            if encoding != Encoding::Utf8 && left_out % 2 == 1 {
                tail.remove(0);
            }
            text.push_str("\n[…]\n");
        }
        text.push_str(&encoding.decode(&tail));
        let binary = is_binary(&text);
        Ok(Log { text, left_out, binary })
    }
}

/// The first and the last `kept` bytes, and how many lie between them.
fn beginning_and_end(mut input: impl Read, kept: usize) -> std::io::Result<(Vec<u8>, u64, Vec<u8>)> {
    let mut head = Vec::new();
    input.by_ref().take(kept as u64).read_to_end(&mut head)?;
    let (mut tail, mut left_out) = (Vec::new(), 0);
    loop {
        let read = input.by_ref().take(kept as u64).read_to_end(&mut tail)?;
        let surplus = tail.len().saturating_sub(kept);
        left_out += tail.drain(..surplus).len() as u64;
        if read == 0 {
            return Ok((head, left_out, tail));
        }
    }
}

/// How a text's characters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// As Windows PowerShell writes what is redirected with `>`.
    Utf16Little,
    Utf16Big,
}

impl Encoding {
    /// By the mark at the beginning; without one, by the zeros that UTF-16 puts into every character of English.
    fn of(bytes: &[u8]) -> Encoding {
        let probe = &bytes[..bytes.len().min(PROBED)];
        let plain = probe.iter().filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()).count();
        match probe {
            // No text of two bytes a character is made of letters alone, whatever its first bytes are.
            _ if plain * 10 >= probe.len() * 8 => return Encoding::Utf8,
            [0xff, 0xfe, ..] => return Encoding::Utf16Little,
            [0xfe, 0xff, ..] => return Encoding::Utf16Big,
            _ => {}
        }
        let zeros = |parity: usize| probe.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
        let (even, odd, characters) = (zeros(0), zeros(1), probe.len() / 2);
        let most = |count: usize| characters > 0 && count * 10 >= characters * 7;
        match (most(even), most(odd)) {
            (false, true) => Encoding::Utf16Little,
            (true, false) => Encoding::Utf16Big,
            _ => Encoding::Utf8,
        }
    }

    fn decode(self, bytes: &[u8]) -> String {
        let read = match self {
            Encoding::Utf8 => return String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').to_owned(),
            Encoding::Utf16Little => u16::from_le_bytes,
            Encoding::Utf16Big => u16::from_be_bytes,
        };
        let units = bytes.as_chunks::<2>().0.iter().map(|pair| read(*pair));
        let text = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
        text.skip_while(|c| *c == '\u{feff}').collect()
    }
}

/// Whether too much of it cannot be read. A log may have a few such characters: it is cut, mixed or coloured.
fn is_binary(text: &str) -> bool {
    // Most logs are this, and this is soon seen.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')) {
        return false;
    }
    let unreadable = |c: char| c == char::REPLACEMENT_CHARACTER || c.is_control() && !"\n\r\t\u{1b}\u{8}".contains(c);
    let (mut all, mut wrong) = (0, 0);
    for c in text.chars() {
        all += 1;
        wrong += usize::from(unreadable(c));
    }
    wrong * READABLE > all
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENIED: &str = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\r\n";

    fn read(bytes: &[u8]) -> Log {
        Log::read(bytes).unwrap()
    }

    #[test]
    fn texts_come_in_the_encodings_of_logs() {
        let utf16 = |write: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
            format!("{mark}{DENIED}").encode_utf16().flat_map(write).collect()
        };
        for (name, bytes) in [
            ("UTF-8", DENIED.as_bytes().to_vec()),
            ("UTF-8 with a mark", format!("\u{feff}{DENIED}").into_bytes()),
            ("UTF-16LE with a mark", utf16(u16::to_le_bytes, "\u{feff}")),
            ("UTF-16BE with a mark", utf16(u16::to_be_bytes, "\u{feff}")),
            ("UTF-16LE", utf16(u16::to_le_bytes, "")),
            ("UTF-16BE", utf16(u16::to_be_bytes, "")),
        ] {
            let expected = Log { text: DENIED.to_owned(), left_out: 0, binary: false };
            assert_eq!(read(&bytes), expected, "{name}");
        }
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_its_end() {
        let long = |filling: usize| [b"first".to_vec(), vec![b'x'; filling], b"last".to_vec()].concat();
        let whole = read(&long(2 * KEPT - 9));
        assert_eq!((whole.left_out, whole.text.len()), (0, 2 * KEPT));
        let cut = read(&long(3 * KEPT));
        assert_eq!(cut.left_out, (KEPT + 9) as u64);
        assert!(cut.text.starts_with("first") && cut.text.ends_with("last"));
        assert!(cut.text.contains("\n[…]\n"));
    }

    #[test]
    fn a_cut_halves_no_character() {
        let log = |filling: usize| format!("{}{DENIED}", "x".repeat(filling));
        let bytes: Vec<u8> = log(KEPT).encode_utf16().flat_map(u16::to_le_bytes).chain([0]).collect();
        let read = read(&bytes);
        assert!(read.left_out % 2 == 1 && read.text.contains(DENIED.trim_end()), "{}", read.left_out);
    }

    #[test]
    fn what_is_no_text_is_told_from_a_log_with_odd_characters() {
        let noise: Vec<u8> = (0..64 * 1024u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(read(&noise).binary);
        let mixed = [b"\xff\xfe".repeat(0), b"caf\xe9 \x1b[31m".to_vec(), DENIED.as_bytes().to_vec()].concat();
        assert!(!read(&mixed).binary);
        assert!(!read(b"").binary);
    }
}
