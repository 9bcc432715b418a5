//! Three-valued logic: what a condition says when something it needs cannot be known.

use serde::{Deserialize, Serialize};

/// True, false, or not to be known from what is at hand (Kleene's strong logic).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    /// False as soon as one side is false, whatever the other is.
    #[must_use]
    pub const fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, Truth::True) => Truth::True,
            _ => Truth::Unknown,
        }
    }

    /// True as soon as one side is true, whatever the other is.
    #[must_use]
    pub const fn or(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::True, _) | (_, Truth::True) => Truth::True,
            (Truth::False, Truth::False) => Truth::False,
            _ => Truth::Unknown,
        }
    }

    /// True when any of `values` is; stops at the first that is.
    pub fn any(values: impl IntoIterator<Item = Truth>) -> Truth {
        let mut sum = Truth::False;
        for value in values {
            sum = sum.or(value);
            if sum == Truth::True {
                break;
            }
        }
        sum
    }

    /// True when all of `values` are; stops at the first that is false.
    pub fn all(values: impl IntoIterator<Item = Truth>) -> Truth {
        let mut product = Truth::True;
        for value in values {
            product = product.and(value);
            if product == Truth::False {
                break;
            }
        }
        product
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Truth {
        if value { Truth::True } else { Truth::False }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False, True, Unknown};

    const ALL: [Truth; 3] = [True, False, Unknown];

    #[test]
    fn the_laws_hold_for_every_pair() {
        for a in ALL {
            assert_eq!(!!a, a);
            for b in ALL {
                assert_eq!(a.and(b), b.and(a));
                assert_eq!(!(a.and(b)), (!a).or(!b));
                assert_eq!(Truth::all([a, b]), a.and(b));
                assert_eq!(Truth::any([a, b]), a.or(b));
            }
        }
    }

    #[test]
    fn unknown_gives_way_to_what_decides() {
        assert_eq!(Unknown.and(False), False);
        assert_eq!(Unknown.or(True), True);
        assert_eq!(Unknown.and(True), Unknown);
        assert_eq!(Unknown.or(False), Unknown);
        assert_eq!(Truth::any([]), False);
        assert_eq!(Truth::all([]), True);
    }
}
