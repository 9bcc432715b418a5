//! How hard a value is to guess. A bare hash of a guessable value can be tried offline, so such a hash stays out of files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// From this many bits on a value is hard to guess: a thousand graphics cards at 2.2·10^10 SHA-256 a second each need
/// about seven years for all of 2^72 values.
const HARD_BITS: f64 = 72.0;
/// What is looked at of a long value; random bytes are hard to guess long before.
const LOOKED_AT: usize = 256;
/// One of some 8000 words.
const WORD_BITS: f64 = 13.0;
/// One of some 250 words tried first, replacements of letters among them.
const FIRST_TRIED_BITS: f64 = 8.0;

/// Whether a value is hard to guess. It tells nothing of the value's length beyond that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guessability {
    /// There is no value.
    Empty,
    /// So few values have its length and its kinds of characters that all can be tried.
    FewPossibilities,
    /// It is made of words, sequences or repetitions.
    Pattern,
    /// No way to guess it was found.
    Hard,
}

impl Guessability {
    /// Whether it can be found by guessing.
    pub const fn is_guessable(self) -> bool {
        !matches!(self, Guessability::Hard)
    }
}

/// Estimates how hard a value is to guess.
///
/// An estimate: the cheapest way to write the value down as words, sequences, repetitions and single characters, in the
/// manner of Wheeler, "zxcvbn: Low-Budget Password Strength Estimation" (USENIX Security 2016). It errs towards
/// "guessable", where all that is lost is a form of the fingerprint that can be compared without the key.
pub fn guessability(value: &[u8]) -> Guessability {
    let value = value.get(..LOOKED_AT).unwrap_or(value);
    if value.is_empty() {
        Guessability::Empty
    } else if per_character(value) * len(value) < HARD_BITS {
        Guessability::FewPossibilities
    } else if bits(value).min(bits_decoded(value)) < HARD_BITS {
        Guessability::Pattern
    } else {
        Guessability::Hard
    }
}

/// The bits of what the value says in Base64, where it is a text; more than any where it is not.
fn bits_decoded(value: &[u8]) -> f64 {
    let decoded = STANDARD.decode(value).map(Zeroizing::new).ok();
    let text = decoded.filter(|bytes| bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t')));
    text.map_or(f64::INFINITY, |text| 1.0 + bits(&text))
}

/// The cheapest way to write the value down, in bits.
fn bits(value: &[u8]) -> f64 {
    let lower = Zeroizing::new(value.to_ascii_lowercase());
    let plain: Zeroizing<Vec<u8>> = Zeroizing::new(lower.iter().map(|b| without_replacement(*b)).collect());
    let one = per_character(value);
    // By position, the bits of the cheapest way to write what stands before it.
    let mut costs = vec![f64::INFINITY; value.len() + 1];
    if let Some(first) = costs.first_mut() {
        *first = 0.0;
    }
    for at in 0..value.len() {
        let before = costs.get(at).copied().unwrap_or_default();
        let mut reach = |length: usize, bits: f64| {
            if let Some(cost) = costs.get_mut(at + length) {
                *cost = cost.min(before + bits);
            }
        };
        reach(1, one);
        for word in FIRST_TRIED.iter().filter(|word| rest(&plain, at).starts_with(word.as_bytes())) {
            reach(word.len(), FIRST_TRIED_BITS);
        }
        for length in words(rest(value, at)) {
            reach(length, WORD_BITS + 1.0);
        }
        for length in 3..=walk(rest(&lower, at)) {
            reach(length, one + 2.0 + log2(length));
        }
        for length in 3..=digits(rest(value, at)) {
            reach(length, 2.0 + log2(10) * len(rest(value, at).get(..length).unwrap_or_default()));
        }
        for length in 3..=repetition(&lower, at) {
            reach(length, 1.0 + log2(at) + log2(length));
        }
    }
    costs.last().copied().unwrap_or_default()
}

/// The bits of one character where nothing but the kinds of characters is known: the smaller of "any of these kinds", and
/// "these few of them, named beforehand".
fn per_character(value: &[u8]) -> f64 {
    let any = |fits: fn(&u8) -> bool| value.iter().any(fits);
    let kinds: [(bool, u32); 5] = [
        (any(u8::is_ascii_digit), 10),
        (any(u8::is_ascii_lowercase), if any(|b| matches!(b, b'g'..=b'z')) { 26 } else { 6 }),
        (any(u8::is_ascii_uppercase), if any(|b| matches!(b, b'G'..=b'Z')) { 26 } else { 6 }),
        (any(|b| b.is_ascii() && !b.is_ascii_alphanumeric()), 33),
        (any(|b| !b.is_ascii()), 64),
    ];
    let size: u32 = kinds.iter().filter(|(present, _)| *present).map(|(_, size)| size).sum();
    let mut seen = Zeroizing::new([false; 256]);
    value.iter().for_each(|b| {
        if let Some(mark) = seen.get_mut(usize::from(*b)) {
            *mark = true;
        }
    });
    let distinct = seen.iter().filter(|seen| **seen).count();
    let distinct = u32::try_from(distinct).unwrap_or(u32::MAX).min(size);
    let choice: f64 = (0..distinct).map(|n| (f64::from(size - n) / f64::from(n + 1)).log2()).sum();
    let named = choice / len(value).max(1.0) + f64::from(distinct.max(1)).log2();
    f64::from(size.max(1)).log2().min(named)
}

/// The lengths of what may be a word at the front: letters of one case, or with a capital, in pairs that words have.
fn words(value: &[u8]) -> impl Iterator<Item = usize> {
    let is_upper = value.iter().take(2).all(u8::is_ascii_uppercase);
    let in_case = |(at, b): (usize, &u8)| b.is_ascii_alphabetic() && (at == 0 || b.is_ascii_uppercase() == is_upper);
    let letters = value.iter().enumerate().take(14).take_while(|(at, b)| in_case((*at, *b))).count();
    let fits = |pair: &[u8]| matches!(pair, [a, b] if follows(a.to_ascii_lowercase(), b.to_ascii_lowercase()));
    let pairs = value.windows(2).take_while(|pair| fits(pair)).count();
    4..=letters.min(pairs + 1)
}

/// How many characters at the front are neighbours in one row, in one direction.
fn walk(value: &[u8]) -> usize {
    let along = |row: &mut dyn Iterator<Item = u8>| row.zip(value).take_while(|(a, b)| a == *b).count();
    let Some(first) = value.first() else { return 0 };
    let lengths = ROWS.iter().filter_map(|row| {
        let row = row.as_bytes();
        let start = row.iter().position(|b| b == first)?;
        let forth = along(&mut row.iter().copied().skip(start));
        let back = along(&mut row.iter().copied().rev().skip(row.len() - 1 - start));
        Some(forth.max(back))
    });
    lengths.max().unwrap_or(0)
}

fn digits(value: &[u8]) -> usize {
    value.iter().take_while(|b| b.is_ascii_digit()).count()
}

/// How many characters at a place stood there before, the longest such run.
fn repetition(value: &[u8], at: usize) -> usize {
    let here = rest(value, at);
    let common = |from: usize| rest(value, from).iter().zip(here).take_while(|(a, b)| a == b).count();
    (0..at).map(common).max().unwrap_or(0)
}

/// The letter that a digit or sign often stands for.
fn without_replacement(byte: u8) -> u8 {
    match byte {
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        other => other,
    }
}

fn rest(value: &[u8], at: usize) -> &[u8] {
    value.get(at..).unwrap_or_default()
}

fn len(value: &[u8]) -> f64 {
    f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX))
}

fn log2(count: usize) -> f64 {
    f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX)).log2()
}

/// Words that guessers try first, without their usual replacements (`0` for `o`, `3` for `e`, …).
pub(super) const FIRST_TRIED: &[&str] = &[
    "password",
    "passwort",
    "passwd",
    "passphrase",
    "pass",
    "secret",
    "changeme",
    "changeit",
    "change",
    "default",
    "letmein",
    "welcome",
    "admin",
    "administrator",
    "root",
    "user",
    "username",
    "guest",
    "login",
    "master",
    "test",
    "testing",
    "demo",
    "example",
    "sample",
    "dummy",
    "placeholder",
    "temp",
    "hello",
    "world",
    "iloveyou",
    "qwerty",
    "qwertz",
    "azerty",
    "abc",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "shadow",
    "superman",
    "batman",
    "trustno",
    "starwars",
    "freedom",
    "whatever",
    "michael",
    "jordan",
    "hunter",
    "summer",
    "winter",
    "spring",
    "autumn",
    "monday",
    "friday",
    "january",
    "december",
    "database",
    "postgres",
    "mysql",
    "oracle",
    "redis",
    "mongo",
    "server",
    "service",
    "company",
    "prod",
    "production",
    "staging",
    "develop",
    "development",
    "token",
    "apikey",
    "key",
    "value",
    "rotated",
    "crewai",
    "foobar",
    "foo",
    "bar",
    "null",
    "none",
    "todo",
    "true",
    "false",
    "undefined",
];

/// Neighbours on a keyboard, in the alphabet and among the digits.
pub(super) const ROWS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "!@#$%^&*()",
];

/// By the first letter of a pair, the second letters that English words often have.
const FOLLOWERS: [&str; 26] = [
    "bcdfgiklmnprstuvwyz",
    "abeijlorsuy",
    "acehiklorstuy",
    "adegilmnorsuvwy",
    "abcdefghiklmnopqrstuvwxy",
    "aefilortuy",
    "aeghilnorstuy",
    "aeimnortuy",
    "abcdefgiklmnopqrstvxz",
    "aeou",
    "aeilnosy",
    "abcdefiklmopstuvwy",
    "abeimnopsuy",
    "acdefgijklnostuvwy",
    "abcdefghiklmnoprstuvwxy",
    "aehiloprstuwy",
    "u",
    "abcdefgiklmnoprstuvwy",
    "acefhiklmnopqstuwy",
    "acehilmnorstuwy",
    "abcdefgiklmnoprstv",
    "aeioy",
    "aehinors",
    "aceipt",
    "abcdeilmnoprstw",
    "aeioz",
];

/// Whether English words often have this letter before that one; both lower case.
pub(super) fn follows(first: u8, second: u8) -> bool {
    let row = FOLLOWERS.get(usize::from(first.wrapping_sub(b'a')));
    row.is_some_and(|row| row.as_bytes().contains(&second))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Guessability::*;
    use super::*;

    #[test]
    fn what_people_choose_is_guessable() {
        for (value, expected) in [
            ("", Empty),
            ("x", FewPossibilities),
            ("rotated value", Pattern),
            ("847201", FewPossibilities),
            ("4929 1234 5678 9012", Pattern),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", FewPossibilities),
            ("Summer2026!", Pattern),
            ("P@ssw0rd-P@ssw0rd-P@ssw0rd", Pattern),
            ("correct horse battery staple", Pattern),
            ("CorrectHorseBatteryStaple", Pattern),
            ("CHANGE_ME_BEFORE_PRODUCTION", Pattern),
            ("abcdefghijklmnopqrstuvwxyz0123456789", Pattern),
            ("qwertyuiopasdfghjklzxcvbnm", Pattern),
            ("1qaz2wsx3edc4rfv5tgb", Pattern),
            ("my-company-production-database-1", Pattern),
            ("cGFzc3dvcmQgb2YgdGhlIHNlcnZlcg==", Pattern),
            ("k8Zr!k8Zr!k8Zr!k8Zr!k8Zr!", Pattern),
        ] {
            let estimated = guessability(value.as_bytes());
            assert_eq!(estimated, expected, "{value}: {} bits", bits(value.as_bytes()));
        }
    }

    #[test]
    fn keys_of_services_are_not() {
        for value in [
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "0b51b1c2-7c9e-4f0a-9a35-6f0b7d2c1e44",
            "ghp_R7bKx2mQ9vTz4LwYc8NdJf3HsGp6Aa1Ee5Uu",
            "x7!pQ#2vL9@zR4&kT",
            "vqhtzkpwjxgmrbdycnslfe",
            "zkqjvxwpghrtbnmcdlsfyqzk",
        ] {
            assert_eq!(guessability(value.as_bytes()), Hard, "{value}: {} bits", bits(value.as_bytes()));
        }
    }

    proptest! {
        #[test]
        fn random_keys_are_hard(key in "[A-Za-z0-9]{24,64}", hex in "[0-9a-f]{32,64}") {
            for value in [key, hex] {
                prop_assert_eq!(guessability(value.as_bytes()), Hard, "{}: {} bits", &value, bits(value.as_bytes()));
            }
        }

        #[test]
        fn a_few_characters_never_are(value in "[ -~]{1,8}") {
            prop_assert!(guessability(value.as_bytes()).is_guessable());
        }

        #[test]
        fn any_bytes_are_estimated(value in proptest::collection::vec(any::<u8>(), 0..600)) {
            let estimated = guessability(&value);
            prop_assert_eq!(estimated == Empty, value.is_empty());
        }
    }
}
