//! One pass over a text: which phrases it holds and where, and which rules they fire.

use std::collections::HashMap;

use super::clean;
use super::rule::Phrases;
use super::rule::{Rule, Stage, Strength};
use super::rules;
use crate::domain::client::Client;
use crate::domain::ids::Cloud;

/// How far from the phrase that shows a rule its other phrases may stand, in bytes: about one message.
const NEAR: usize = 700;
/// How many places of one phrase are kept; a log repeats itself, and its first failures are the root.
const PLACES: usize = 24;

/// A rule that the text fired, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fired {
    pub rule: &'static Rule,
    /// Where the phrase or code stands that showed it.
    pub start: usize,
    pub end: usize,
    /// A failure of the network that was passing: the cloud that could not be reached answered elsewhere in the text.
    pub passing: bool,
}

/// A number of Entra in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntraCode {
    pub number: u32,
    pub start: usize,
    pub end: usize,
}

/// What one pass found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The rules that fired, a rule once, in the order of the table.
    pub fired: Vec<Fired>,
    /// Entra's numbers, in the order of the text.
    pub entra_codes: Vec<EntraCode>,
    /// The clients whose words stand in the text, each with the length of the longest of them.
    pub clients: Vec<(&'static str, usize)>,
}

struct Scanner {
    phrases: Phrases,
    borders: Vec<Borders>,
    rules: Vec<Indexed>,
    /// The phrases behind which a number of Entra follows.
    code_marks: Vec<usize>,
    /// The phrases that clients' texts are known by, each with the client's id.
    client_marks: Vec<(usize, &'static str)>,
}

/// Where a phrase demands the border of a word.
struct Borders {
    starts_word: bool,
    ends_word: bool,
}

/// A rule with its phrases replaced by their numbers.
struct Indexed {
    rule: &'static Rule,
    any: Vec<usize>,
    with: Vec<Vec<usize>>,
    without: Vec<usize>,
}

/// Which pieces of three bytes a text has, letter case apart. A piece that it has not may seem to be there, never the other way.
struct Pieces(Vec<u64>);

impl Pieces {
    const BITS: usize = 16;

    fn of(text: &str) -> Self {
        let mut pieces = Pieces(vec![0; 1 << (Self::BITS - 6)]);
        for piece in text.as_bytes().windows(3) {
            let (word, bit) = Self::place(piece);
            if let Some(word) = pieces.0.get_mut(word) {
                *word |= bit;
            }
        }
        pieces
    }

    /// Whether a phrase may stand in the text: its beginning and its end do.
    fn may_hold(&self, phrase: &str) -> bool {
        let bytes = phrase.as_bytes();
        let has = |piece: Option<&[u8]>| {
            piece.is_some_and(|piece| {
                let (word, bit) = Self::place(piece);
                self.0.get(word).is_some_and(|word| word & bit != 0)
            })
        };
        has(bytes.get(..3)) && has(bytes.len().checked_sub(3).and_then(|at| bytes.get(at..)))
    }

    fn place(piece: &[u8]) -> (usize, u64) {
        let piece = piece.iter().fold(0_u32, |key, byte| key << 8 | u32::from(byte.to_ascii_lowercase()));
        let slot = (piece.wrapping_mul(0x9E37_79B1) >> (32 - Self::BITS)) as usize;
        (slot >> 6, 1 << (slot & 63))
    }
}

const CODE_MARKS: &[&str] = &["AADSTS", "error_codes\":[", "error_codes\": [", "login.microsoftonline.com/error?code="];

impl Scanner {
    /// Knows the phrases that may stand in this text. A short text has few, and most of a table of all would be made in vain.
    fn of(text: &str) -> Scanner {
        let pieces = Pieces::of(text);
        let mut numbers = HashMap::new();
        let mut texts = Vec::new();
        let mut borders = Vec::new();
        let mut number_of = |text: &'static str| {
            let plain = text.trim_matches('|');
            pieces.may_hold(plain).then(|| {
                *numbers.entry(text).or_insert_with(|| {
                    texts.push(plain);
                    borders.push(Borders { starts_word: text.starts_with('|'), ends_word: text.ends_with('|') });
                    texts.len() - 1
                })
            })
        };
        let mut numbered = |texts: &[&'static str]| texts.iter().filter_map(|text| number_of(text)).collect::<Vec<_>>();
        let code_marks = numbered(CODE_MARKS);
        let client_marks = Client::marks()
            .flat_map(|(mark, id)| numbered(&[mark]).into_iter().map(move |number| (number, id)))
            .collect();
        let rules = rules::all()
            .filter_map(|rule| {
                let any = numbered(rule.any);
                (!any.is_empty() || !rule.codes.is_empty()).then(|| Indexed {
                    rule,
                    any,
                    with: rule.with.iter().map(|group| numbered(group)).collect(),
                    without: numbered(rule.without),
                })
            })
            .collect();
        Scanner { phrases: Phrases::new(texts), borders, rules, code_marks, client_marks }
    }

    fn places(&self, text: &str) -> Vec<Vec<(usize, usize)>> {
        let mut places: Vec<Vec<(usize, usize)>> = vec![Vec::new(); self.borders.len()];
        let is_word =
            |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_alphanumeric);
        self.phrases.each(text, |number, start, end| {
            let borders = &self.borders[number];
            if borders.starts_word && is_word(start.checked_sub(1)) || borders.ends_word && is_word(Some(end)) {
                return;
            }
            let kept = &mut places[number];
            if kept.len() == PLACES {
                // The last one is kept too: what a log ends with matters more than what it repeats.
                kept.pop();
            }
            kept.push((start, end));
        });
        places
    }

    fn clients(&self, places: &[Vec<(usize, usize)>]) -> Vec<(&'static str, usize)> {
        let mut known: Vec<(&str, usize)> = Vec::new();
        for (number, id) in &self.client_marks {
            let Some((start, end)) = places[*number].first() else { continue };
            let length = end - start;
            match known.iter_mut().find(|(other, _)| other == id) {
                Some((_, longest)) => *longest = length.max(*longest),
                None => known.push((*id, length)),
            }
        }
        known
    }

    fn entra_codes(&self, text: &str, places: &[Vec<(usize, usize)>]) -> Vec<EntraCode> {
        let mut codes: Vec<EntraCode> = self
            .code_marks
            .iter()
            .flat_map(|mark| &places[*mark])
            .filter_map(|&(start, end)| {
                let digits = text[end..].bytes().take_while(u8::is_ascii_digit).count();
                let number = text[end..end + digits.min(9)].parse().ok().filter(|_| digits >= 4)?;
                Some(EntraCode { number, start, end: end + digits })
            })
            .collect();
        codes.sort_by_key(|code| code.start);
        codes
    }
}

impl Indexed {
    fn fires(&self, places: &[Vec<(usize, usize)>], codes: &[EntraCode]) -> Option<Fired> {
        let shown_by_code =
            codes.iter().filter(|code| self.rule.codes.contains(&code.number)).map(|code| (code.start, code.end));
        let shown_by_phrase = self.any.iter().flat_map(|number| places[*number].iter().copied());
        shown_by_code
            .chain(shown_by_phrase)
            .filter(|&(start, _)| {
                self.with.iter().all(|group| group.iter().any(|number| is_near(&places[*number], start)))
                    && !self.without.iter().any(|number| is_near(&places[*number], start))
            })
            .min()
            .map(|(start, end)| Fired { rule: self.rule, start, end, passing: false })
    }
}

fn is_near(places: &[(usize, usize)], start: usize) -> bool {
    places.iter().any(|place| place.0.abs_diff(start) <= NEAR)
}

/// Scans the text. Linear in its length.
pub(super) fn scan(text: &str) -> Scan {
    let scanner = Scanner::of(text);
    let places = scanner.places(text);
    let entra_codes = scanner.entra_codes(text, &places);
    let fired = scanner.rules.iter().filter_map(|rule| rule.fires(&places, &entra_codes)).collect();
    Scan { fired, entra_codes, clients: scanner.clients(&places) }
}

/// How much a rule counts beside others: messages before echoes, echoes before descriptions.
const fn tier(strength: Strength) -> u8 {
    match strength {
        Strength::Conclusive | Strength::Leading | Strength::Ambiguous => 0,
        Strength::Secondary => 1,
        Strength::Descriptive => 2,
    }
}

impl Scan {
    /// Whether somebody's own message stands in the text, rather than what followed from one.
    pub(super) fn has_message(&self) -> bool {
        self.fired.iter().any(|fired| tier(fired.rule.strength) == 0)
    }

    /// The rules that count, the root first: messages before echoes before descriptions; among messages the
    /// link of the chain that breaks first, and of what is said about one place the most telling.
    pub(super) fn ranked(&self, text: &str) -> Vec<Fired> {
        let Some(best) = self.fired.iter().map(|fired| tier(fired.rule.strength)).min() else { return Vec::new() };
        let mut ranked: Vec<Fired> =
            self.fired.iter().filter(|fired| tier(fired.rule.strength) == best).copied().collect();
        if best == 0 {
            let all = ranked.clone();
            ranked.retain(|fired| !all.iter().any(|other| outspeaks(other, fired)));
            for fired in &mut ranked {
                fired.passing = was_passing(fired, &all, text);
            }
            ranked.sort_by_key(|fired| (fired.passing, fired.rule.stage, fired.rule.strength, fired.start));
        }
        ranked
    }
}

/// Whether `other` says the same as `fired`, more precisely.
fn outspeaks(other: &Fired, fired: &Fired) -> bool {
    other.rule.stage == fired.rule.stage
        && other.rule.strength < fired.rule.strength
        && other.start.abs_diff(fired.start) <= NEAR / 2
}

/// Whether the cloud that a failure of the network kept away answered elsewhere in the text.
fn was_passing(fired: &Fired, all: &[Fired], text: &str) -> bool {
    if fired.rule.stage != Stage::Network || fired.rule.cloud.is_some() {
        return false;
    }
    let host = clean::host(text, fired.start, fired.end);
    let asked = host.as_deref().map(cloud_of_host);
    all.iter().any(|other| match (asked, other.rule.cloud) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(asked), speaker) => asked == speaker,
    })
}

fn cloud_of_host(host: &str) -> Option<Cloud> {
    let host = host.to_ascii_lowercase();
    let ends = |names: &[&str]| names.iter().any(|name| host.ends_with(name));
    if ends(&[".amazonaws.com", ".amazonaws.com.cn", ".api.aws"]) && !host.starts_with("oidc.") {
        Some(Cloud::Aws)
    } else if ends(&[
        ".azure.net",
        ".azure.cn",
        ".microsoftonline.com",
        ".microsoftonline.us",
        ".chinacloudapi.cn",
        ".usgovcloudapi.net",
        ".windows.net",
    ]) {
        Some(Cloud::Azure)
    } else if ends(&[".googleapis.com"]) {
        Some(Cloud::Gcp)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_phrase_of_a_text_is_passed_over(before in ".{0,9}", phrase in "[a-zA-Z |:.]{3,20}", after in ".{0,9}") {
            let text = format!("{before}{}{after}", phrase.to_uppercase());
            prop_assert!(Pieces::of(&text).may_hold(&phrase), "{}", text);
        }
    }

    #[test]
    fn a_phrase_of_another_text_is_passed_over() {
        let pieces = Pieces::of("Not authorized to perform sts:AssumeRoleWithWebIdentity");
        assert!(pieces.may_hold("not authorized"));
        for phrase in ["InvalidIdentityToken", "AADSTS", "ab", ""] {
            assert!(!pieces.may_hold(phrase), "{phrase}");
        }
    }
}
