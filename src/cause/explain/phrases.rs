//! Where which of many phrases stand in a text, without regard to letter case, in one pass.
//!
//! The first three bytes at every place are looked up in a small table; only where a phrase begins like that it is
//! compared. Making the table costs microseconds, unlike an automaton over all phrases, and no text makes it slow.

/// How many bytes of a phrase the table knows; no phrase is shorter.
const KEY: usize = 3;
/// The table's size: it stays in the processor's first cache.
const SLOTS: usize = 1 << 13;

/// Phrases to look for, each with a number: its place in the list it was made from.
pub(super) struct Phrases {
    texts: Vec<Vec<u8>>,
    /// The bucket of a key, counted from 1; 0 where no phrase begins with it.
    slots: Vec<u16>,
    buckets: Vec<Vec<u16>>,
}

impl Phrases {
    /// Phrases shorter than three bytes are never found.
    pub(super) fn new<'p>(phrases: impl IntoIterator<Item = &'p str>) -> Phrases {
        let texts: Vec<Vec<u8>> = phrases.into_iter().map(|text| text.to_ascii_lowercase().into_bytes()).collect();
        let mut slots = vec![0_u16; SLOTS];
        let mut buckets: Vec<Vec<u16>> = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            let (Some(key), Ok(number)) = (text.first_chunk::<KEY>(), u16::try_from(number)) else { continue };
            let slot = &mut slots[slot_of(*key)];
            if *slot == 0 {
                buckets.push(Vec::new());
                *slot = u16::try_from(buckets.len()).unwrap_or(0);
            }
            if let Some(bucket) = usize::from(*slot).checked_sub(1).and_then(|at| buckets.get_mut(at)) {
                bucket.push(number);
            }
        }
        Phrases { texts, slots, buckets }
    }

    /// Calls `found` with a phrase's number, beginning and end, for each place in the order of the text.
    pub(super) fn each(&self, text: &str, mut found: impl FnMut(usize, usize, usize)) {
        let lower = text.to_ascii_lowercase().into_bytes();
        for (start, window) in lower.windows(KEY).enumerate() {
            let slot = self.slots[slot_of([window[0], window[1], window[2]])];
            if slot == 0 {
                continue;
            }
            for &number in &self.buckets[usize::from(slot) - 1] {
                let phrase = &self.texts[usize::from(number)];
                if lower[start..].starts_with(phrase) {
                    found(usize::from(number), start, start + phrase.len());
                }
            }
        }
    }
}

/// The slot of a key: a multiplicative hash (Knuth, The Art of Computer Programming 3, section 6.4).
const fn slot_of(key: [u8; KEY]) -> usize {
    let key = u32::from_be_bytes([0, key[0], key[1], key[2]]);
    (key.wrapping_mul(0x9E37_79B1) >> (32 - SLOTS.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places(phrases: &[&str], text: &str) -> Vec<(usize, usize, usize)> {
        let mut places = Vec::new();
        Phrases::new(phrases.iter().copied()).each(text, |number, start, end| places.push((number, start, end)));
        places
    }

    #[test]
    fn finds_overlapping_phrases_whatever_their_case() {
        assert_eq!(
            places(&["Access", "accessDenied", "denied", "403"], "xACCESSDENIED 403"),
            [(0, 1, 7), (1, 1, 13), (2, 7, 13), (3, 14, 17)]
        );
        assert_eq!(places(&["abc"], "ab"), []);
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_search(phrases in proptest::collection::vec("[abAB]{3,5}", 1..8), text in "[abABé]{0,60}") {
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
