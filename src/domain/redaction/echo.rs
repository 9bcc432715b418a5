//! Known secrets in a text of somebody who was sent them: found in lines of any width, with blanks between, escaped, in
//! other letters, in hexadecimal, Base64, or backwards.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use foldhash::fast::RandomState;
use zeroize::Zeroizing;

use super::view::View;

/// What stands in a secret's place. It means nothing to JSON and XML.
pub const MARK: &str = "[withheld]";
/// What stands in place of a text in which a secret cannot be told from the rest.
pub const ALL_WITHHELD: &str = "the answer repeats what was sent, and is withheld";
/// Nothing with fewer letters and digits is looked for: it could stand anywhere.
pub const SHORTEST: usize = 8;
/// The largest text that is searched, in bytes. A larger refusal repeats more than it explains.
pub const LARGEST: usize = 256 * 1024;
/// So much of a larger text is searched twice, so that no secret is missed where two pieces of it meet.
const OVERLAP: usize = 64 * 1024;
/// So many letters and digits of a secret in a row tell it.
const WINDOW: usize = size_of::<u128>();

/// What must not come back, made ready to be looked for.
pub struct Secrets {
    /// Every [`WINDOW`] letters and digits of what is long enough.
    windows: HashSet<u128, RandomState>,
    /// What is looked for whole.
    whole: Vec<Vec<u8>>,
}

impl Secrets {
    /// Makes them ready, in all the forms in which they are found.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Secrets {
        let (long, whole) = long_enough(secrets).partition::<Vec<_>, _>(|form| form.len() >= WINDOW);
        let count = long.iter().map(|form| form.len()).sum();
        let mut windows = HashSet::with_capacity_and_hasher(count, RandomState::default());
        windows.extend(long.iter().flat_map(|form| form.windows(WINDOW)).filter_map(window));
        Secrets { windows, whole: whole.iter().map(|form| form.to_vec()).collect() }
    }

    /// As [`Secrets::new`], to be found whole only: what came of a secret, such as a token for another audience, may have pieces in
    /// common with it.
    pub fn whole<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Secrets {
        Secrets { windows: HashSet::default(), whole: long_enough(secrets).map(|form| form.to_vec()).collect() }
    }

    /// The text without them; `None` where it holds none.
    pub fn taken_out(&self, text: &[u8]) -> Option<Vec<u8>> {
        if self.windows.is_empty() && self.whole.is_empty() {
            return None;
        }
        if text.len() > LARGEST {
            return Some(ALL_WITHHELD.into());
        }
        let found = self.found_in(text);
        if found.is_empty() {
            return None;
        }
        let mut kept = Vec::with_capacity(text.len());
        let mut copied = 0;
        for (begin, end) in found {
            kept.extend_from_slice(&text[copied..begin]);
            kept.extend_from_slice(MARK.as_bytes());
            copied = end;
        }
        kept.extend_from_slice(&text[copied..]);
        // What was apart may have come together.
        Some(if self.found_in(&kept).is_empty() { kept } else { ALL_WITHHELD.into() })
    }

    /// Whether a text that is larger than [`LARGEST`] holds any of them.
    pub fn are_in_large(&self, text: &[u8]) -> bool {
        let starts = (0..text.len()).step_by(LARGEST - OVERLAP);
        let mut pieces = starts.map(|start| &text[start..text.len().min(start + LARGEST)]);
        pieces.any(|piece| !self.found_in(piece).is_empty())
    }

    /// Where they stand, ascending; those with no letter or digit between as one.
    fn found_in(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = View::all_of(text)
            .iter()
            .map(View::skeleton)
            .flat_map(|view| {
                self.spans(&view.bytes).into_iter().map(move |(from, to)| (view.from[from].0, view.from[to - 1].1))
            })
            .collect();
        found.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::new();
        for (begin, end) in found {
            match merged.last_mut() {
                Some(last) if begin <= last.1 || !has_letters(&text[last.1..begin]) => last.1 = last.1.max(end),
                _ => merged.push((begin, end)),
            }
        }
        merged
    }

    fn spans(&self, skeleton: &[u8]) -> Vec<(usize, usize)> {
        let windows = skeleton.windows(WINDOW).enumerate();
        let long = windows
            .filter(|(_, letters)| window(letters).is_some_and(|window| self.windows.contains(&window)))
            .map(|(at, _)| (at, at + WINDOW));
        let whole = self.whole.iter().flat_map(|secret| {
            let windows = skeleton.windows(secret.len()).enumerate();
            windows.filter(move |(_, letters)| letters == secret).map(|(at, letters)| (at, at + letters.len()))
        });
        long.chain(whole).collect()
    }
}

/// The forms of those secrets that are long enough to be looked for.
fn long_enough<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> impl Iterator<Item = Zeroizing<Vec<u8>>> {
    let long_enough = |text: &[u8]| skeleton(text).len() >= SHORTEST;
    secrets.into_iter().filter(move |secret| long_enough(secret)).flat_map(forms).filter(move |form| long_enough(form))
}

fn has_letters(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_alphanumeric)
}

fn window(letters: &[u8]) -> Option<u128> {
    letters.try_into().ok().map(u128::from_be_bytes)
}

fn skeleton(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let kept = text.iter().filter(|byte| byte.is_ascii_alphanumeric());
    Zeroizing::new(kept.map(u8::to_ascii_lowercase).collect())
}

/// The secret's letters and digits as they are, backwards, in hexadecimal, and in Base64 wherever it begins in what was encoded.
fn forms(secret: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let plain = skeleton(secret);
    let backwards = Zeroizing::new(plain.iter().rev().copied().collect());
    let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
    let hex = secret.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]);
    let hex = Zeroizing::new(hex.collect::<Vec<u8>>());
    let base64 = (0..3).map(|before| {
        let padded = Zeroizing::new([&b"xx"[..before], secret].concat());
        let text = Zeroizing::new(STANDARD_NO_PAD.encode(&*padded));
        // The first and last characters hold what stands beside it, too.
        let inner = &text.as_bytes()[if before == 0 { 0 } else { before + 1 }..text.len() - 1];
        skeleton(inner)
    });
    let base64: Vec<_> = base64.collect();
    [plain, backwards, hex].into_iter().chain(base64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 parts, as long as those of real ones.
    fn token() -> String {
        let part = |seed: u64, length: usize| -> String {
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let next = |state: &mut u64| {
                *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                Some(char::from(alphabet[(*state >> 58) as usize]))
            };
            let mut state = seed;
            std::iter::from_fn(|| next(&mut state)).take(length).collect()
        };
        format!("eyJ{}.eyJ{}.{}", part(1, 50), part(2, 300), part(3, 342))
    }

    fn in_lines(text: &str, width: usize, between: &str) -> String {
        let lines: Vec<&str> =
            text.as_bytes().chunks(width).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        lines.join(between)
    }

    #[track_caller]
    fn assert_taken_out(secret: &str, repeated: &str) {
        let text = format!("the token {repeated} was refused");
        let kept = Secrets::new([secret.as_bytes()]).taken_out(text.as_bytes());
        let kept = String::from_utf8(kept.unwrap_or_else(|| panic!("not found: {repeated}"))).unwrap();
        assert!(kept.starts_with("the token ") && kept.ends_with(" was refused"), "{kept}");
        assert!(kept.len() < 60, "{kept}");
    }

    #[test]
    fn a_repeated_token_is_found_in_every_spelling() {
        let token = token();
        let bytes = token.as_bytes();
        let each = |form: &dyn Fn(u8) -> String| bytes.iter().map(|byte| form(*byte)).collect::<String>();
        for width in [1, 7, 16, 36, 40, 64, 76, 200] {
            for between in
                ["\n", "\r\n", "  \r\n  ", "=\r\n", " ", "\u{200b}", " . ", "\\n", "\\\\r\\\\n", "<br>", "' +\n '"]
            {
                assert_taken_out(&token, &in_lines(&token, width, between));
            }
        }
        for repeated in [
            token.clone(),
            token.to_uppercase(),
            token.to_lowercase(),
            token.chars().rev().collect(),
            each(&|byte| format!("%{byte:02X}")),
            each(&|byte| format!("={byte:02X}")),
            each(&|byte| format!("{byte:02x}")),
            each(&|byte| format!("{byte:02X} ")),
            each(&|byte| format!("\\x{byte:02x}")),
            each(&|byte| format!("\\u{byte:04x}")),
            each(&|byte| format!("\\\\u{byte:04x}")),
            each(&|byte| format!("&#{byte};")),
            STANDARD_NO_PAD.encode(bytes),
            in_lines(&STANDARD_NO_PAD.encode(bytes), 76, "\n"),
            token.replace('.', "%2E"),
        ] {
            assert_taken_out(&token, &repeated);
        }
        for before in ["x", "Bearer ", "token=\""] {
            let within = STANDARD_NO_PAD.encode(format!("{before}{token}"));
            let kept = Secrets::new([bytes]).taken_out(within.as_bytes()).unwrap();
            assert!(kept.len() < 40, "{}", String::from_utf8_lossy(&kept));
        }
    }

    #[test]
    fn where_pieces_may_be_in_common_only_the_whole_is_taken_out() {
        let token = token();
        let (_, signature) = token.rsplit_once('.').unwrap();
        let secrets = Secrets::whole([token.as_bytes(), signature.as_bytes()]);
        let kin = format!("{}.c2lnbmF0dXJlIG9mIGFub3RoZXI", token.rsplit_once('.').unwrap().0);
        assert_eq!(secrets.taken_out(kin.as_bytes()), None);
        for repeated in [token.clone(), in_lines(&token, 64, "\n"), token.to_uppercase(), signature.to_owned()] {
            let kept = secrets.taken_out(format!("it was {repeated} here").as_bytes()).unwrap();
            assert_eq!(kept, b"it was [withheld] here");
        }
    }

    #[test]
    fn one_part_alone_and_a_short_secret_are_found() {
        let token = token();
        for part in token.split('.') {
            assert_taken_out(&token, part);
        }
        assert_taken_out("pass-0word", "pass-0word");
        assert_taken_out("pass-0word", "PASS0WORD");
        assert_taken_out("pass-0word", "drow0ssap");
    }

    #[test]
    fn what_repeats_nothing_stays() {
        let secrets = Secrets::new([token().as_bytes(), b"pass-0word"]);
        for text in
            ["", "Not authorized to perform sts:AssumeRoleWithWebIdentity", "pass the word", "eyJ", "%zz &nothing; \\"]
        {
            assert_eq!(secrets.taken_out(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Secrets::new([&b"short"[..]]).taken_out(b"short"), None);
        assert_eq!(Secrets::new([]).taken_out(&[b'a'; LARGEST + 1]), None);
    }

    #[test]
    fn a_text_too_large_to_search_is_withheld() {
        let secrets = Secrets::new([&b"pass-0word"[..]]);
        assert_eq!(secrets.taken_out(&[b'a'; LARGEST + 1]).unwrap(), ALL_WITHHELD.as_bytes());
    }
}
