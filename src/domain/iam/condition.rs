//! Whether a condition holds: how operators, values and missing keys combine.
//!
//! Several values of a key are alternatives; for a negated operator none of them may fit. A key that is
//! absent fails a positive operator and passes a negated one.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html>

use super::context::{Actual, Context};
use super::operator::{Comparison, Quantifier, compare_typed, truth_value};
use super::pattern::{arn_like, arn_like_units, like_spanned, like_units};
use super::policy::{Condition, Expected};
use super::truth::Truth;
use super::variable::{Expanded, Resolved, Wildcards, expand};

/// Whether `condition` holds in `context`.
pub fn holds<C: Context>(condition: &Condition, context: &C) -> Truth {
    test(condition, &context.lookup(&condition.key), context)
}

/// Whether `condition` holds where its key is worth `actual`.
pub fn test<C: Context>(condition: &Condition, actual: &Actual<'_>, context: &C) -> Truth {
    let operator = condition.operator;
    if operator.comparison == Comparison::Unrecognised {
        return Truth::Unknown;
    }
    if operator.comparison == Comparison::Null {
        return match actual {
            Actual::Unknown(_) => Truth::Unknown,
            Actual::Missing => wants_absence(condition, true),
            Actual::One(_) | Actual::Many(_) => wants_absence(condition, false),
        };
    }
    match actual {
        Actual::Unknown(_) => Truth::Unknown,
        Actual::Missing => operator.accepts_missing_key().into(),
        Actual::One(value) => passes(condition, value, context),
        Actual::Many(values) => {
            let results = values.iter().map(|value| passes(condition, value, context));
            match operator.quantifier {
                Some(Quantifier::ForAllValues) => Truth::all(results),
                Some(Quantifier::ForAnyValue) => Truth::any(results),
                // The User Guide asks for a set operator here and does not say what happens without.
                None => Truth::Unknown,
            }
        }
    }
}

fn wants_absence(condition: &Condition, absent: bool) -> Truth {
    Truth::any(condition.expected.iter().map(|expected| match truth_value(&expected.text) {
        Some(wanted) => (wanted == absent).into(),
        None => Truth::False,
    }))
}

/// Whether one value of the key passes the operator and the alternatives.
fn passes<C: Context>(condition: &Condition, value: &str, context: &C) -> Truth {
    let fits = Truth::any(condition.expected.iter().map(|expected| fits(condition, expected, value, context)));
    if condition.operator.negated { !fits } else { fits }
}

/// Whether one value of the key fits one value of the policy, before a negation.
pub fn fits<C: Context>(condition: &Condition, expected: &Expected, value: &str, context: &C) -> Truth {
    let comparison = condition.operator.comparison;
    if expected.has_variables && condition.operator.has_variables() {
        return fits_expanded(comparison, expected, value, context);
    }
    match comparison {
        Comparison::StringEquals => (expected.text == value).into(),
        Comparison::StringEqualsIgnoreCase => equal_ignoring_case(&expected.text, value).into(),
        Comparison::StringLike => like_spanned(&expected.text, expected.wildcards, value, context.effort()),
        Comparison::ArnLike => arn_like(&expected.text, value, context.effort()),
        typed => match compare_typed(typed, &expected.text, value) {
            Some(result) => result.into(),
            None if condition.operator.negated => Truth::Unknown,
            None => Truth::False,
        },
    }
}

fn fits_expanded<C: Context>(comparison: Comparison, expected: &Expected, value: &str, context: &C) -> Truth {
    let wildcards = match comparison {
        Comparison::StringLike | Comparison::ArnLike => Wildcards::Active,
        _ => Wildcards::Literal,
    };
    let resolve = |key: &str| match context.lookup(key) {
        Actual::One(value) => Resolved::Value(value),
        // A variable stands for one value: a key with several has none to give.
        Actual::Missing | Actual::Many(_) => Resolved::Nothing,
        Actual::Unknown(_) => Resolved::Unknown,
    };
    match expand(&expected.text, wildcards, resolve) {
        Expanded::Nothing => Truth::False,
        Expanded::Unknown => Truth::Unknown,
        Expanded::Pattern(units) => match comparison {
            Comparison::ArnLike => arn_like_units(&units, value, context.effort()),
            Comparison::StringEqualsIgnoreCase => {
                let bytes = units.iter().filter_map(|unit| match unit {
                    super::pattern::Unit::Byte(byte) => Some(*byte),
                    _ => None,
                });
                let text: Vec<u8> = bytes.collect();
                String::from_utf8(text).is_ok_and(|text| equal_ignoring_case(&text, value)).into()
            }
            _ => like_units(&units, value, context.effort()),
        },
    }
}

/// Equal but for letter case.
pub fn equal_ignoring_case(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
        || (!(a.is_ascii() && b.is_ascii())
            && a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase)))
}
