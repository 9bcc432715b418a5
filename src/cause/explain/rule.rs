//! What a rule is: which phrases and codes show it, which causes it then offers, and how sure it makes them.

use crate::cause::{Cause, Certainty, Finding, catalogue};
use crate::domain::ids::{Cloud, Finder};

/// The links of the chain of trust, in the order in which they can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Settings, variables, files, the permission to mint a token.
    Setting,
    /// Names, routes, proxies, certificates on the way.
    Network,
    /// The issuer's documents and keys, and the cloud's way to them.
    Issuer,
    /// The token itself.
    Token,
    /// The exchange: provider, role, application, trust.
    Trust,
    /// The rights of what came out of the exchange.
    Access,
    /// The secret and its value.
    Secret,
    /// What the running program holds.
    Runtime,
}

/// How much a rule's phrases say by themselves. Ordered: the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// The text names the cause.
    Conclusive,
    /// The text points at the first cause; the others are seen more rarely behind it.
    Leading,
    /// The text is given for all of these causes alike.
    Ambiguous,
    /// A message that follows from an earlier failure; counts only where nothing else spoke.
    Secondary,
    /// Words of a description rather than of a message; counts only where no message was found.
    Descriptive,
}

/// One thing a cloud, SDK or tool says, and what it can mean.
///
/// A phrase is matched without regard to letter case in the text on one line. A `|` at its start or end
/// stands for a boundary: no letter or digit may follow there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub cloud: Option<Cloud>,
    pub stage: Stage,
    pub strength: Strength,
    /// Entra's numeric codes that show it.
    pub codes: &'static [u32],
    /// Phrases of which one shows it.
    pub any: &'static [&'static str],
    /// Groups of phrases; one of each group must stand near.
    pub with: &'static [&'static [&'static str]],
    /// Phrases that must not stand near.
    pub without: &'static [&'static str],
    /// The causes, the likeliest first.
    pub causes: &'static [Cause],
}

/// A table of rules, one in each entry: `CLOUD STAGE STRENGTH codes […] says […] with [[…], …] without […] => [CAUSES];`. `_` is
/// every cloud; what is left out is empty; a list may be a constant's name.
macro_rules! rules {
    (@cloud _) => { None };
    (@cloud $cloud:ident) => { Some($crate::domain::ids::Cloud::$cloud) };
    (@list) => { &[] };
    (@list $name:ident) => { $name };
    (@list [$($item:expr),* $(,)?]) => { &[$($item),*] };
    (@groups) => { &[] };
    (@groups [$($group:tt),* $(,)?]) => { &[$(rules!(@list $group)),*] };
    ($($cloud:tt $stage:ident $strength:ident $(codes $codes:tt)? $(says $says:tt)? $(with $with:tt)?
       $(without $without:tt)? => $causes:tt;)*) => {
        pub(super) const RULES: &[$crate::cause::explain::rule::Rule] = &[$($crate::cause::explain::rule::Rule {
            cloud: rules!(@cloud $cloud),
            stage: $crate::cause::explain::rule::Stage::$stage,
            strength: $crate::cause::explain::rule::Strength::$strength,
            codes: rules!(@list $($codes)?),
            any: rules!(@list $($says)?),
            with: rules!(@groups $($with)?),
            without: rules!(@list $($without)?),
            causes: rules!(@list $causes),
        }),*];
    };
}
pub(super) use rules;

/// How sure a rule makes its cause at this place of the list.
pub(super) const fn certainty(strength: Strength, place: usize) -> Certainty {
    match (strength, place) {
        (Strength::Conclusive, 0) => Certainty::Proven,
        (Strength::Leading, 0) => Certainty::Likely,
        _ => Certainty::Possible,
    }
}

/// One cause with what the text says for it.
pub(super) struct RankedCause {
    pub cause: Cause,
    pub certainty: Certainty,
    pub evidence: Vec<String>,
}

impl RankedCause {
    /// As a finding in the catalogue's words.
    pub(super) fn into_finding(self) -> Finding {
        let mut finding =
            Finding::new(self.cause, Finder::Explain, self.certainty, catalogue::entry(self.cause).meaning.clone());
        finding.evidence = self.evidence;
        finding
    }
}

/// Pieces are looked for among this many first bytes of a phrase.
const SEARCHED: usize = 24;

/// Phrases to look for, each with a number: its place in the list it was made from.
pub(super) struct Phrases {
    texts: Vec<Vec<u8>>,
    usual: Table<4>,
    /// The phrases too short for the other table.
    short: Table<3>,
}

/// Which phrases hold a piece of `N` bytes.
struct Table<const N: usize> {
    /// The bucket of a piece, counted from 1; 0 where no phrase has it.
    slots: Vec<u16>,
    buckets: Vec<Vec<Entry>>,
}

/// A phrase, and where in it the piece of its bucket stands.
#[derive(Clone, Copy)]
struct Entry {
    number: u16,
    offset: u16,
}

impl Phrases {
    /// Phrases shorter than three bytes are never found.
    pub(super) fn new<'p>(phrases: impl IntoIterator<Item = &'p str>) -> Phrases {
        let texts: Vec<Vec<u8>> = phrases.into_iter().map(|text| text.to_ascii_lowercase().into_bytes()).collect();
        let (mut usual, mut short) = (Table::new(), Table::new());
        for (number, text) in texts.iter().enumerate() {
            if text.len() < 4 { short.add(number, text) } else { usual.add(number, text) }
        }
        Phrases { texts, usual, short }
    }

    /// Calls `found` with the number, beginning and end of each phrase in the text; of one phrase in its order.
    pub(super) fn each(&self, text: &str, mut found: impl FnMut(usize, usize, usize)) {
        let lower = text.to_ascii_lowercase().into_bytes();
        self.usual.each(&lower, &self.texts, &mut found);
        self.short.each(&lower, &self.texts, &mut found);
    }
}

impl<const N: usize> Table<N> {
    /// The number of slots: few enough to stay in the processor's nearest caches.
    const SLOTS: usize = 1 << 14;

    fn new() -> Self {
        Table { slots: vec![0; Self::SLOTS], buckets: Vec::new() }
    }

    fn add(&mut self, number: usize, text: &[u8]) {
        let searched = &text[..text.len().min(SEARCHED)];
        let (Some(offset), Ok(number)) = (rarest::<N>(searched), u16::try_from(number)) else { return };
        let slot = &mut self.slots[Self::slot(&searched[offset..offset + N])];
        if *slot == 0 {
            self.buckets.push(Vec::new());
            *slot = u16::try_from(self.buckets.len()).unwrap_or(0);
        }
        if let Some(bucket) = usize::from(*slot).checked_sub(1).and_then(|at| self.buckets.get_mut(at)) {
            bucket.push(Entry { number, offset: u16::try_from(offset).unwrap_or(0) });
        }
    }

    fn each(&self, text: &[u8], phrases: &[Vec<u8>], found: &mut impl FnMut(usize, usize, usize)) {
        for (at, piece) in text.windows(N).enumerate() {
            let slot = self.slots[Self::slot(piece)];
            if slot == 0 {
                continue;
            }
            for entry in &self.buckets[usize::from(slot) - 1] {
                let phrase = &phrases[usize::from(entry.number)];
                let Some(start) = at.checked_sub(usize::from(entry.offset)) else { continue };
                if text[start..].starts_with(phrase) {
                    found(usize::from(entry.number), start, start + phrase.len());
                }
            }
        }
    }

    /// The slot of a piece: a multiplicative hash (Knuth, The Art of Computer Programming 3, section 6.4).
    fn slot(piece: &[u8]) -> usize {
        let piece = piece.iter().fold(0_u32, |key, byte| key << 8 | u32::from(*byte));
        (piece.wrapping_mul(0x9E37_79B1) >> (32 - Self::SLOTS.trailing_zeros())) as usize
    }
}

/// How common a byte is in English and in logs.
const COMMON: [u8; 256] = {
    let mut common = [1; 256];
    let mut byte = 0;
    while byte < common.len() {
        common[byte] = match byte as u8 {
            b' ' | b'e' => 12,
            b't' | b'a' | b'o' | b'i' | b'n' => 9,
            b's' | b'r' | b'd' | b'l' | b'c' | b'0' | b'1' | b'.' | b':' | b'-' => 6,
            b'u' | b'm' | b'p' | b'h' | b'f' | b'g' | b'/' | b'"' | b'2'..=b'9' => 4,
            _ => 1,
        };
        byte += 1;
    }
    common
};

/// Where the rarest piece of `N` bytes begins; nothing where the text is shorter.
fn rarest<const N: usize>(text: &[u8]) -> Option<usize> {
    let common = |at: usize| text.get(at).map_or(0, |byte| i32::from(COMMON[usize::from(*byte)]));
    let mut here: i32 = (0..N).map(common).sum();
    let (mut best, mut least) = (0, here);
    for at in 1..=text.len().checked_sub(N)? {
        here += common(at + N - 1) - common(at - 1);
        if here < least {
            (best, least) = (at, here);
        }
    }
    Some(best)
}

#[cfg(test)]
mod phrases_tests {
    use proptest::prelude::*;

    use super::*;

    fn places(phrases: &[&str], text: &str) -> Vec<(usize, usize, usize)> {
        let mut places = Vec::new();
        Phrases::new(phrases.iter().copied()).each(text, |number, start, end| places.push((number, start, end)));
        places.sort_by_key(|(number, start, _)| (*start, *number));
        places
    }

    #[test]
    fn finds_overlapping_phrases_whatever_their_case() {
        assert_eq!(
            places(&["Access", "accessDenied", "denied", "403"], "xACCESSDENIED 403"),
            [(0, 1, 7), (1, 1, 13), (2, 7, 13), (3, 14, 17)]
        );
        assert_eq!(places(&["abc", "abcd"], "ab"), []);
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_search(phrases in proptest::collection::vec("[abAB]{3,7}", 1..8), text in "[abABé]{0,60}") {
            let phrases: Vec<&str> = phrases.iter().map(String::as_str).collect();
            let lower = text.to_ascii_lowercase();
            let mut wanted: Vec<(usize, usize, usize)> = Vec::new();
            for (number, phrase) in phrases.iter().enumerate() {
                let phrase = phrase.to_ascii_lowercase();
                for start in (0..lower.len()).filter(|at| lower.is_char_boundary(*at)) {
                    if lower[start..].starts_with(&phrase) {
                        wanted.push((number, start, start + phrase.len()));
                    }
                }
            }
            let mut found = places(&phrases, &text);
            found.sort_unstable();
            wanted.sort_unstable();
            prop_assert_eq!(found, wanted);
        }
    }
}
