//! Condition operators: their names, and what each compares.
//!
//! The rules are those of
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
//! and, for the set operators, of
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html>.

use std::net::IpAddr;

use base64::Engine as _;

use crate::domain::text_difference::nearest;
use crate::domain::timestamp::parse_rfc3339;

/// How a set operator goes over the values of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// Every value of the key must pass; true where there is none.
    ForAllValues,
    /// At least one value of the key must pass; false where there is none.
    ForAnyValue,
}

/// What an operator compares, before a negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    /// `ArnEquals` and `ArnLike` do the same: each of the six parts, wildcards allowed.
    ArnLike,
    NumericEquals,
    NumericLessThan,
    NumericLessThanEquals,
    NumericGreaterThan,
    NumericGreaterThanEquals,
    DateEquals,
    DateLessThan,
    DateLessThanEquals,
    DateGreaterThan,
    DateGreaterThanEquals,
    Bool,
    BinaryEquals,
    IpAddress,
    /// Whether the key is absent.
    Null,
    /// Not an operator of IAM.
    Unrecognised,
}

/// A condition operator as a policy writes it, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    pub quantifier: Option<Quantifier>,
    pub comparison: Comparison,
    /// `Not` is in its name: true where none of the values compares equal.
    pub negated: bool,
    /// `IfExists` is at its end: true where the key is absent.
    pub if_exists: bool,
}

/// Every name that IAM knows, without set prefix and `IfExists`.
const NAMES: &[(&str, Comparison, Polarity)] = &[
    ("StringEquals", Comparison::StringEquals, Polarity::Positive),
    ("StringLike", Comparison::StringLike, Polarity::Positive),
    ("StringNotEquals", Comparison::StringEquals, Polarity::Negated),
    ("StringNotLike", Comparison::StringLike, Polarity::Negated),
    ("StringEqualsIgnoreCase", Comparison::StringEqualsIgnoreCase, Polarity::Positive),
    ("StringNotEqualsIgnoreCase", Comparison::StringEqualsIgnoreCase, Polarity::Negated),
    ("Bool", Comparison::Bool, Polarity::Positive),
    ("Null", Comparison::Null, Polarity::Positive),
    ("ArnEquals", Comparison::ArnLike, Polarity::Positive),
    ("ArnLike", Comparison::ArnLike, Polarity::Positive),
    ("ArnNotEquals", Comparison::ArnLike, Polarity::Negated),
    ("ArnNotLike", Comparison::ArnLike, Polarity::Negated),
    ("NumericEquals", Comparison::NumericEquals, Polarity::Positive),
    ("NumericNotEquals", Comparison::NumericEquals, Polarity::Negated),
    ("NumericLessThan", Comparison::NumericLessThan, Polarity::Positive),
    ("NumericLessThanEquals", Comparison::NumericLessThanEquals, Polarity::Positive),
    ("NumericGreaterThan", Comparison::NumericGreaterThan, Polarity::Positive),
    ("NumericGreaterThanEquals", Comparison::NumericGreaterThanEquals, Polarity::Positive),
    ("DateEquals", Comparison::DateEquals, Polarity::Positive),
    ("DateNotEquals", Comparison::DateEquals, Polarity::Negated),
    ("DateLessThan", Comparison::DateLessThan, Polarity::Positive),
    ("DateLessThanEquals", Comparison::DateLessThanEquals, Polarity::Positive),
    ("DateGreaterThan", Comparison::DateGreaterThan, Polarity::Positive),
    ("DateGreaterThanEquals", Comparison::DateGreaterThanEquals, Polarity::Positive),
    ("BinaryEquals", Comparison::BinaryEquals, Polarity::Positive),
    ("IpAddress", Comparison::IpAddress, Polarity::Positive),
    ("NotIpAddress", Comparison::IpAddress, Polarity::Negated),
];

#[derive(Clone, Copy, PartialEq)]
enum Polarity {
    Positive,
    Negated,
}

impl Operator {
    /// Takes an operator's name apart. Letter case does not count, as in IAM.
    pub fn parse(name: &str) -> Operator {
        let mut rest = name;
        let mut quantifier = None;
        for (prefix, found) in [("ForAllValues:", Quantifier::ForAllValues), ("ForAnyValue:", Quantifier::ForAnyValue)]
        {
            if let Some(after) = strip_prefix_ignoring_case(rest, prefix) {
                quantifier = Some(found);
                rest = after;
                break;
            }
        }
        let if_exists = strip_suffix_ignoring_case(rest, "IfExists");
        let known = NAMES.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(if_exists.unwrap_or(rest)));
        let (comparison, polarity) = known
            .map_or((Comparison::Unrecognised, Polarity::Positive), |(_, comparison, polarity)| {
                (*comparison, *polarity)
            });
        Operator { quantifier, comparison, negated: polarity == Polarity::Negated, if_exists: if_exists.is_some() }
    }

    /// The name that IAM knows and that is nearest to a misspelt one.
    pub fn nearest_name(name: &str) -> Option<&'static str> {
        let base = name.rsplit(':').next().unwrap_or(name);
        let base = strip_suffix_ignoring_case(base, "IfExists").unwrap_or(base);
        nearest(base, NAMES.iter().map(|(known, _, _)| *known))
    }

    /// Whether the value of a missing key counts as a match.
    pub fn accepts_missing_key(self) -> bool {
        match (self.if_exists, self.quantifier) {
            (true, _) | (_, Some(Quantifier::ForAllValues)) => true,
            (_, Some(Quantifier::ForAnyValue)) => false,
            (_, None) => self.negated,
        }
    }

    /// Whether `*` and `?` in its values are wildcards.
    pub fn has_wildcards(self) -> bool {
        matches!(self.comparison, Comparison::StringLike | Comparison::ArnLike)
    }

    /// Whether `${…}` in its values is replaced: in string and ARN operators only.
    pub fn has_variables(self) -> bool {
        matches!(
            self.comparison,
            Comparison::StringEquals
                | Comparison::StringEqualsIgnoreCase
                | Comparison::StringLike
                | Comparison::ArnLike
        )
    }
}

/// Compares numbers, dates, truth values, bytes and addresses; `None` where either side is none of that kind.
pub fn compare_typed(comparison: Comparison, expected: &str, actual: &str) -> Option<bool> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let number = || compare_numbers(actual, expected);
    let date = || Some(seconds(actual)?.cmp(&seconds(expected)?));
    match comparison {
        Comparison::NumericEquals => number().map(|o| o == Equal),
        Comparison::NumericLessThan => number().map(|o| o == Less),
        Comparison::NumericLessThanEquals => number().map(|o| o != Greater),
        Comparison::NumericGreaterThan => number().map(|o| o == Greater),
        Comparison::NumericGreaterThanEquals => number().map(|o| o != Less),
        Comparison::DateEquals => date().map(|o| o == Equal),
        Comparison::DateLessThan => date().map(|o| o == Less),
        Comparison::DateLessThanEquals => date().map(|o| o != Greater),
        Comparison::DateGreaterThan => date().map(|o| o == Greater),
        Comparison::DateGreaterThanEquals => date().map(|o| o != Less),
        Comparison::Bool => Some(truth_value(expected)? == truth_value(actual)?),
        Comparison::BinaryEquals => {
            let expected_bytes = base64::engine::general_purpose::STANDARD.decode(expected).ok()?;
            Some(expected == actual || expected_bytes == actual.as_bytes())
        }
        Comparison::IpAddress => Some(Network::parse(expected)?.holds(actual.parse().ok()?)),
        Comparison::StringEquals
        | Comparison::StringEqualsIgnoreCase
        | Comparison::StringLike
        | Comparison::ArnLike
        | Comparison::Null
        | Comparison::Unrecognised => None,
    }
}

/// `true` or `false` in any letter case.
pub fn truth_value(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Integers exactly, everything else as IEEE doubles.
fn compare_numbers(a: &str, b: &str) -> Option<std::cmp::Ordering> {
    if let (Ok(a), Ok(b)) = (a.parse::<i128>(), b.parse::<i128>()) {
        return Some(a.cmp(&b));
    }
    let double = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite());
    double(a)?.partial_cmp(&double(b)?)
}

/// A date in ISO 8601 (a day, or a time with `Z` or an offset) or as seconds since the epoch.
fn seconds(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    match text.len() {
        10 => parse_rfc3339(&format!("{text}T00:00:00Z")),
        16 | 17 => parse_rfc3339(&format!("{}:00Z", text.trim_end_matches('Z'))),
        19 => parse_rfc3339(&format!("{text}Z")),
        _ => parse_rfc3339(text),
    }
}

/// A range of addresses in CIDR notation (RFC 4632); an address alone is a range of one.
struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        (prefix <= width).then_some(Network { address, prefix })
    }

    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let shift = 32 - self.prefix;
                u32::from(ours).checked_shr(shift) == u32::from(theirs).checked_shr(shift)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let shift = 128 - self.prefix;
                u128::from(ours).checked_shr(shift) == u128::from(theirs).checked_shr(shift)
            }
            _ => false,
        }
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    let tail = text.get(at..)?;
    tail.eq_ignore_ascii_case(suffix).then(|| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_in_any_letter_case_with_every_prefix_and_suffix() {
        for (name, comparison, polarity) in NAMES {
            for text in [(*name).to_owned(), name.to_lowercase(), name.to_uppercase()] {
                let expected = Operator {
                    quantifier: None,
                    comparison: *comparison,
                    negated: *polarity == Polarity::Negated,
                    if_exists: false,
                };
                assert_eq!(Operator::parse(&text), expected);
                assert_eq!(Operator::parse(&format!("{text}IfExists")), Operator { if_exists: true, ..expected });
                assert_eq!(
                    Operator::parse(&format!("forallvalues:{text}")),
                    Operator { quantifier: Some(Quantifier::ForAllValues), ..expected }
                );
                assert_eq!(
                    Operator::parse(&format!("ForAnyValue:{text}IfExists")),
                    Operator { quantifier: Some(Quantifier::ForAnyValue), if_exists: true, ..expected }
                );
            }
        }
    }

    #[test]
    fn a_misspelt_operator_is_told_with_the_nearest_name() {
        for (written, nearest) in [
            ("StringEqual", Some("StringEquals")),
            ("StringLikes", Some("StringLike")),
            ("ForAllValues:String_Equals", Some("StringEquals")),
            ("Greater", None),
            ("", None),
        ] {
            assert_eq!(Operator::parse(written).comparison, Comparison::Unrecognised);
            assert_eq!(Operator::nearest_name(written), nearest, "{written}");
        }
    }

    #[test]
    fn typed_comparisons() {
        use Comparison::*;
        // comparison, the policy's value, the request's value
        for (comparison, expected, actual, result) in [
            (NumericEquals, "10", "10", Some(true)),
            (NumericEquals, "10", "10.0", Some(true)),
            (NumericLessThan, "10", "9", Some(true)),
            (NumericLessThan, "10", "10", Some(false)),
            (NumericLessThanEquals, "10", "10", Some(true)),
            (NumericGreaterThan, "10", "11", Some(true)),
            (NumericGreaterThanEquals, "10", "9.99", Some(false)),
            (NumericEquals, "ten", "10", None),
            (NumericEquals, "NaN", "NaN", None),
            (NumericEquals, "9007199254740993", "9007199254740992", Some(false)),
            (DateEquals, "2026-01-01", "2026-01-01T00:00:00Z", Some(true)),
            (DateLessThan, "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", Some(true)),
            (DateLessThanEquals, "1767225600", "2026-01-01T00:00:00Z", Some(true)),
            (DateGreaterThan, "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:01Z", Some(true)),
            (DateGreaterThanEquals, "2026-01-01T00:00Z", "1767225600", Some(true)),
            (DateEquals, "tomorrow", "2026-01-01T00:00:00Z", None),
            (Bool, "true", "True", Some(true)),
            (Bool, "true", "false", Some(false)),
            (Bool, "yes", "true", None),
            (BinaryEquals, "QmluYXJ5", "Binary", Some(true)),
            (BinaryEquals, "QmluYXJ5", "QmluYXJ5", Some(true)),
            (BinaryEquals, "QmluYXJ5", "binary", Some(false)),
            (BinaryEquals, "not base64!", "x", None),
            (IpAddress, "203.0.113.0/24", "203.0.113.77", Some(true)),
            (IpAddress, "203.0.113.0/24", "203.0.114.1", Some(false)),
            (IpAddress, "203.0.113.7", "203.0.113.7", Some(true)),
            (IpAddress, "0.0.0.0/0", "8.8.8.8", Some(true)),
            (IpAddress, "2001:db8::/32", "2001:db8:1::1", Some(true)),
            (IpAddress, "::/0", "10.0.0.1", Some(false)),
            (IpAddress, "203.0.113.0/33", "203.0.113.1", None),
        ] {
            assert_eq!(compare_typed(comparison, expected, actual), result, "{comparison:?} {expected} {actual}");
        }
    }

    #[test]
    fn a_missing_key_passes_as_the_user_guide_says() {
        for (name, passes) in [
            ("StringEquals", false),
            ("StringNotEquals", true),
            ("StringEqualsIfExists", true),
            ("StringNotLikeIfExists", true),
            ("ForAllValues:StringEquals", true),
            ("ForAnyValue:StringEquals", false),
            ("ForAnyValue:StringNotEquals", false),
            ("ForAnyValue:StringEqualsIfExists", true),
            ("NumericLessThan", false),
            ("NotIpAddress", true),
        ] {
            assert_eq!(Operator::parse(name).accepts_missing_key(), passes, "{name}");
        }
    }
}
