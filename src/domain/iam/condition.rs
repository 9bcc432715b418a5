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
        Expanded::Open(units) => match comparison {
            // An ARN's parts are compared one by one, and nobody knows how many an unknown text has.
            Comparison::ArnLike | Comparison::StringEqualsIgnoreCase => Truth::Unknown,
            _ => like_units(&units, value, context.effort()).and(Truth::Unknown),
        },
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::iam::operator::Operator;
    use crate::domain::iam::pattern::Effort;
    use crate::domain::iam::policy::Version;

    /// A request with one key, `k`, and `u`, which is unknown.
    struct Given {
        values: Vec<String>,
        effort: Effort,
    }

    impl Context for Given {
        fn lookup(&self, key: &str) -> Actual<'_> {
            match (key, &self.values[..]) {
                ("u", _) => Actual::Unknown("the weather"),
                ("k", [one]) => Actual::One(one.into()),
                ("k", [_, _, ..]) => Actual::Many(self.values.iter().map(|v| v.as_str().into()).collect()),
                _ => Actual::Missing,
            }
        }
        fn effort(&self) -> &Effort {
            &self.effort
        }
    }

    fn result(operator: &str, key: &str, expected: &[&str], values: &[&str]) -> Truth {
        let condition = Condition {
            operator: Operator::parse(operator),
            operator_name: operator.to_owned(),
            key: key.to_owned(),
            expected: expected.iter().map(|e| Expected::new((*e).to_owned(), Version::V2012)).collect(),
        };
        let values = values.iter().map(|v| (*v).to_owned()).collect();
        holds(&condition, &Given { values, effort: Effort::full() })
    }

    #[test]
    fn values_and_missing_keys_combine_as_the_user_guide_says() {
        use Truth::{False, True, Unknown};
        for (operator, expected, values, holds) in [
            // Several values of a key are alternatives.
            ("StringEquals", &["a", "b"][..], &["b"][..], True),
            ("StringEquals", &["a", "b"], &["c"], False),
            // A negated operator asks that none fits.
            ("StringNotEquals", &["a", "b"], &["b"], False),
            ("StringNotEquals", &["a", "b"], &["c"], True),
            ("StringNotLike", &["a*"], &["ab"], False),
            // A missing key fails a positive operator and passes a negated one, and IfExists.
            ("StringEquals", &["a"], &[], False),
            ("StringNotEquals", &["a"], &[], True),
            ("StringEqualsIfExists", &["a"], &[], True),
            ("StringEqualsIfExists", &["a"], &["b"], False),
            // Null asks for absence.
            ("Null", &["true"], &[], True),
            ("Null", &["true"], &["a"], False),
            ("Null", &["false"], &["a", "b"], True),
            ("Null", &["false"], &[], False),
            ("Null", &["maybe"], &[], False),
            // ForAllValues: each of the request's values fits one of the policy's; true without any.
            ("ForAllValues:StringEquals", &["a", "b"], &["a", "b"], True),
            ("ForAllValues:StringEquals", &["a", "b"], &["a", "c"], False),
            ("ForAllValues:StringEquals", &["a"], &[], True),
            ("ForAllValues:StringNotEquals", &["a"], &["b", "c"], True),
            ("ForAllValues:StringNotEquals", &["a"], &["a", "c"], False),
            // ForAnyValue: one of them is enough; false without any.
            ("ForAnyValue:StringEquals", &["a", "b"], &["x", "b"], True),
            ("ForAnyValue:StringEquals", &["a"], &["x", "y"], False),
            ("ForAnyValue:StringEquals", &["a"], &[], False),
            ("ForAnyValue:StringNotEquals", &["a"], &["a", "c"], True),
            ("ForAnyValue:StringNotEquals", &["a"], &["a", "a"], False),
            ("ForAnyValue:StringLike", &["*:x"], &["a:x"], True),
            // Without a set operator, several values are not defined.
            ("StringEquals", &["a"], &["a", "a"], Unknown),
            // A variable is replaced by the key's value, literally.
            ("StringEquals", &["${k}"], &["a*"], True),
            ("StringLike", &["x${k}"], &["xa"], False),
            ("StringEqualsIgnoreCase", &["${k, 'd'}"], &["A"], True),
            ("StringEquals", &["${missing}"], &["a"], False),
            ("StringNotEquals", &["${missing}"], &["a"], True),
            ("StringEquals", &["${missing, 'a'}"], &["a"], True),
            ("StringEquals", &["${u}"], &["a"], Unknown),
            ("StringEquals", &["x/${u}"], &["a"], False),
            ("StringNotLike", &["x/${u}/*"], &["a"], True),
            ("ArnLike", &["arn:aws:iam::1:${u}"], &["a"], Unknown),
            ("ArnLike", &["arn:aws:iam::*:role/${*}"], &["arn:aws:iam::1:role/*"], True),
            // Numbers know no variables.
            ("NumericEquals", &["${k}"], &["5"], False),
            // What cannot be compared fails, and its negation is not known.
            ("NumericEquals", &["ten"], &["10"], False),
            ("NumericNotEquals", &["ten"], &["10"], Unknown),
            // An operator that IAM does not know decides nothing.
            ("StringMatches", &["a"], &["a"], Unknown),
        ] {
            assert_eq!(result(operator, "k", expected, values), holds, "{operator} {expected:?} {values:?}");
        }
        for operator in ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "ForAllValues:StringEquals", "Null"]
        {
            assert_eq!(result(operator, "u", &["true"], &[]), Unknown, "{operator}");
        }
    }

    #[test]
    fn letter_case_counts_unless_the_operator_says_otherwise() {
        assert_eq!(result("StringEquals", "k", &["A"], &["a"]), Truth::False);
        assert_eq!(result("StringLike", "k", &["A*"], &["ab"]), Truth::False);
        assert_eq!(result("StringEqualsIgnoreCase", "k", &["ÄB"], &["äb"]), Truth::True);
        assert_eq!(result("StringNotEqualsIgnoreCase", "k", &["A"], &["a"]), Truth::False);
    }

    proptest! {
        /// Alternatives are an OR of each alone; negated ones a NOR; IfExists changes nothing where the key is there.
        #[test]
        fn alternatives_obey_or_and_nor(expected in prop::collection::vec("[ab*]{0,3}", 1..4), value in "[ab]{0,3}") {
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            for name in ["Equals", "Like", "EqualsIgnoreCase"] {
                let all = result(&format!("String{name}"), "k", &expected, &[&value]);
                let each = expected.iter().map(|e| result(&format!("String{name}"), "k", &[e], &[&value]));
                prop_assert_eq!(all, Truth::any(each));
                prop_assert_eq!(result(&format!("StringNot{name}"), "k", &expected, &[&value]), !all);
                prop_assert_eq!(result(&format!("String{name}IfExists"), "k", &expected, &[&value]), all);
            }
        }

        /// Set operators are ALL and ANY over the request's values.
        #[test]
        fn set_operators_obey_all_and_any(values in prop::collection::vec("[ab]{0,2}", 0..4), expected in "[ab*]{0,2}") {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            for operator in ["StringLike", "StringNotLike"] {
                let each = || values.iter().map(|v| result(operator, "k", &[&expected], &[v]));
                let set = |quantifier: &str| result(&format!("{quantifier}:{operator}"), "k", &[&expected], &values);
                prop_assert_eq!(set("ForAllValues"), Truth::all(each()));
                prop_assert_eq!(set("ForAnyValue"), Truth::any(each()));
            }
        }

        #[test]
        fn no_value_panics(
            operator in "(ForAllValues:|ForAnyValue:)?(String|Numeric|Date|Arn|Binary)?(Not)?(Equals|Like|LessThan|Bool|IpAddress|Null)(IfExists)?",
            expected in "\\PC{0,16}|[0-9:./-]{0,12}|\\$\\{\\PC{0,8}",
            value in "\\PC{0,16}|[0-9:./TZ+-]{0,24}",
        ) {
            let _ = result(&operator, "k", &[&expected], &[&value]);
        }
    }
}
