//! Wildcard patterns: `*` for any run of characters, `?` for exactly one.
//!
//! The wildcards reach across every character, `:` and `/` included
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>).

use std::cell::Cell;

use super::truth::Truth;

/// How much comparing one evaluation may do before it gives up and answers "unknown".
///
/// The documents and tokens that AWS takes stay far below it. Only a pattern made to be slow, such as
/// thousands of `*a?` against a long value, reaches the end.
#[derive(Debug)]
pub struct Effort(Cell<u32>);

impl Effort {
    /// About ten milliseconds of comparing.
    pub const fn full() -> Self {
        Effort(Cell::new(4_000_000))
    }

    /// A small part of that: for one of many tries.
    pub const fn small() -> Self {
        Effort(Cell::new(100_000))
    }

    fn spend(&self) -> bool {
        match self.0.get().checked_sub(1) {
            Some(left) => {
                self.0.set(left);
                true
            }
            None => false,
        }
    }
}

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// This byte.
    Byte(u8),
    /// `?`: any one character.
    One,
    /// `*`: any run of characters, the empty one too.
    Run,
}

/// The meaning of a byte in a pattern that has wildcards.
pub const fn wildcard(byte: u8) -> Unit {
    match byte {
        b'*' => Unit::Run,
        b'?' => Unit::One,
        byte => Unit::Byte(byte),
    }
}

/// The part of a pattern from its first wildcard to its last, in bytes; what stands around it is literal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WildcardSpan {
    start: usize,
    /// Equal to `start` where there is no wildcard.
    end: usize,
}

impl WildcardSpan {
    pub fn of(pattern: &str) -> Self {
        let is_wild = |byte: &u8| matches!(byte, b'*' | b'?');
        let start = pattern.bytes().position(|b| is_wild(&b));
        let end = pattern.bytes().rposition(|b| is_wild(&b));
        start.zip(end).map_or(WildcardSpan::default(), |(start, last)| WildcardSpan { start, end: last + 1 })
    }
}

/// Whether `pattern`, with its wildcards, covers the whole of `text`. Letter case counts.
pub fn like(pattern: &str, text: &str, effort: &Effort) -> Truth {
    like_spanned(pattern, WildcardSpan::of(pattern), text, effort)
}

/// As [`like`], where the place of the wildcards is known: the literal ends are compared at once.
pub fn like_spanned(pattern: &str, span: WildcardSpan, text: &str, effort: &Effort) -> Truth {
    if span.start == span.end {
        return (pattern == text).into();
    }
    let Some((head, rest)) = pattern.split_at_checked(span.start) else { return Truth::False };
    let Some((wild, tail)) = rest.split_at_checked(span.end - span.start) else { return Truth::False };
    let Some(middle) = text.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail)) else {
        return Truth::False;
    };
    let wild = wild.as_bytes();
    if wild == b"*" {
        return Truth::True;
    }
    glob(wild.len(), |i| wildcard(wild[i]), |a, b| a == b, middle, effort)
}

/// As [`like`], blind to the case of ASCII letters: the rule for action names.
pub fn like_ignoring_case(pattern: &str, text: &str, effort: &Effort) -> Truth {
    let pattern = pattern.as_bytes();
    glob(pattern.len(), |i| wildcard(pattern[i]), |a, b| a.eq_ignore_ascii_case(&b), text, effort)
}

/// As [`like`], for a pattern whose wildcards are already told from literal characters.
pub fn like_units(pattern: &[Unit], text: &str, effort: &Effort) -> Truth {
    glob(pattern.len(), |i| pattern[i], |a, b| a == b, text, effort)
}

/// Whether two ARNs fit part by part: wildcards never reach across the first five colons.
pub fn arn_like(pattern: &str, text: &str, effort: &Effort) -> Truth {
    if pattern == "*" {
        return Truth::True;
    }
    let mut wanted = pattern.splitn(6, ':');
    let mut found = text.splitn(6, ':');
    let mut result = Truth::True;
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return result,
            (Some(wanted), Some(found)) => result = result.and(like(wanted, found, effort)),
            _ => return Truth::False,
        }
        if result == Truth::False {
            return result;
        }
    }
}

/// As [`arn_like`], for a pattern whose wildcards are already told from literal characters.
pub fn arn_like_units(pattern: &[Unit], text: &str, effort: &Effort) -> Truth {
    if pattern == [Unit::Run] {
        return Truth::True;
    }
    let mut wanted = pattern.splitn(6, |unit| *unit == Unit::Byte(b':'));
    let mut found = text.splitn(6, ':');
    let mut result = Truth::True;
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return result,
            (Some(wanted), Some(found)) => result = result.and(like_units(wanted, found, effort)),
            _ => return Truth::False,
        }
    }
}

/// Greedy matching that on a mismatch only ever goes back to the last `*`: no recursion, no exponential case.
fn glob(
    length: usize,
    unit: impl Fn(usize) -> Unit,
    same: impl Fn(u8, u8) -> bool,
    text: &str,
    effort: &Effort,
) -> Truth {
    let bytes = text.as_bytes();
    let (mut at, mut read) = (0, 0);
    // Where the pattern goes on after the last `*`, and where in the text that `*` ends for now.
    let mut last_run: Option<(usize, usize)> = None;
    loop {
        if !effort.spend() {
            return Truth::Unknown;
        }
        let step = match (at < length).then(|| unit(at)) {
            Some(Unit::Run) => {
                at += 1;
                last_run = Some((at, read));
                continue;
            }
            Some(Unit::One) => bytes.get(read).map(|first| character_length(*first)),
            Some(Unit::Byte(wanted)) => bytes.get(read).filter(|found| same(wanted, **found)).map(|_| 1),
            None if read == bytes.len() => return Truth::True,
            None => None,
        };
        if let Some(step) = step {
            at += 1;
            read += step;
        } else if let Some((after, end)) = last_run
            && let Some(skipped) = bytes.get(end)
        {
            let end = end + character_length(*skipped);
            last_run = Some((after, end));
            (at, read) = (after, end);
        } else {
            return Truth::False;
        }
    }
}

/// The length in bytes of the UTF-8 character that starts with `first`.
const fn character_length(first: u8) -> usize {
    match first {
        0..=0xbf => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition itself, by dynamic programming over characters.
    fn reference(pattern: &str, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let mut reachable = vec![false; text.len() + 1];
        reachable[0] = true;
        for p in pattern.chars() {
            let mut next = vec![false; text.len() + 1];
            for i in 0..=text.len() {
                next[i] = match p {
                    '*' => reachable[..=i].iter().any(|r| *r),
                    '?' => i > 0 && reachable[i - 1],
                    c => i > 0 && reachable[i - 1] && text[i - 1] == c,
                };
            }
            reachable = next;
        }
        reachable[text.len()]
    }

    #[test]
    fn wildcards_cover_what_the_user_guide_says() {
        for (pattern, text, covers) in [
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("a", "A", false),
            ("repo:o/r:*", "repo:o/r:ref:refs/heads/main", true),
            ("repo:o/r:*", "repo:o/r", false),
            ("repo:*:environment:prod", "repo:o/r:environment:prod", true),
            ("*:ref:refs/heads/*", "repo:o/r:ref:refs/tags/v1", false),
            ("a?c", "aéc", true),
            ("a??c", "aéc", false),
            ("*?", "é", true),
            ("*??", "é", false),
            ("secret-??????", "secret-AbCdEf", true),
            ("secret-??????", "secret-AbCdE", false),
        ] {
            assert_eq!(like(pattern, text, &Effort::full()), covers.into(), "{pattern} against {text}");
        }
    }

    #[test]
    fn arns_fit_part_by_part() {
        let fits = |pattern, text| arn_like(pattern, text, &Effort::full());
        let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:a/b-AbCdEf";
        assert_eq!(fits("*", secret), Truth::True);
        assert_eq!(fits("arn:aws:secretsmanager:*:123456789012:secret:a/*", secret), Truth::True);
        assert_eq!(fits("arn:aws:secretsmanager:us-east-1:123456789012:secret:a/b", secret), Truth::False);
        assert_eq!(fits("arn:aws:*:secret:a/b-AbCdEf", secret), Truth::False, "a wildcard stays in its part");
    }

    #[test]
    fn a_hostile_pattern_ends_as_unknown_instead_of_hanging() {
        let pattern = "*a?".repeat(20_000) + "b*";
        let text = "a".repeat(200_000);
        assert_eq!(like(&pattern, &text, &Effort::full()), Truth::False);
        let pattern = format!("*{}b*", "a?".repeat(20_000));
        assert_eq!(like(&pattern, &text, &Effort::full()), Truth::Unknown);
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab?*é:]{0,8}", text in "[abé:]{0,10}") {
            let expected = Truth::from(reference(&pattern, &text));
            prop_assert_eq!(like(&pattern, &text, &Effort::full()), expected);
            let units: Vec<Unit> = pattern.bytes().map(wildcard).collect();
            prop_assert_eq!(like_units(&units, &text, &Effort::full()), expected);
        }

        #[test]
        fn action_names_ignore_case(pattern in "[aB?*]{0,6}", text in "[Ab]{0,8}") {
            let lowered = reference(&pattern.to_lowercase(), &text.to_lowercase());
            prop_assert_eq!(like_ignoring_case(&pattern, &text, &Effort::full()), lowered.into());
        }

        #[test]
        fn arn_patterns_agree_in_both_forms(pattern in "[a*:]{0,12}", text in "[a:]{0,12}") {
            let units: Vec<Unit> = pattern.bytes().map(wildcard).collect();
            prop_assert_eq!(arn_like(&pattern, &text, &Effort::full()), arn_like_units(&units, &text, &Effort::full()));
        }
    }
}
