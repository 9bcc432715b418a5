//! Parameter constraints, refused in the words that AWS's services share.

use super::Fault;

/// Collects what is wrong with a request's parameters.
#[derive(Default)]
pub(in crate::lab) struct Constraints {
    violations: Vec<String>,
}

/// How a value may be shown in a refusal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) enum Shown {
    Plainly,
    /// Secrets are not repeated.
    Masked,
}

impl Constraints {
    /// The value must be there, and its length in characters within the bounds.
    pub(in crate::lab) fn length(&mut self, name: &str, value: Option<&str>, bounds: (usize, usize), shown: Shown) {
        let Some(value) = value else {
            self.violated("null", name, "Member must not be null");
            return;
        };
        let quoted = quoted(value, shown);
        let length = value.chars().count();
        if length < bounds.0 {
            let rule = format!("Member must have length greater than or equal to {}", bounds.0);
            self.violated(&quoted, name, &rule);
        } else if length > bounds.1 {
            self.violated(&quoted, name, &format!("Member must have length less than or equal to {}", bounds.1));
        }
    }

    /// Every character must be one that `allowed` takes.
    pub(in crate::lab) fn pattern(&mut self, name: &str, value: &str, pattern: &str, allowed: impl Fn(char) -> bool) {
        if !value.chars().all(allowed) {
            let rule = format!("Member must satisfy regular expression pattern: {pattern}");
            self.violated(&quoted(value, Shown::Plainly), name, &rule);
        }
    }

    /// The number must lie within the bounds.
    pub(in crate::lab) fn range(&mut self, name: &str, value: i32, bounds: (i32, i32)) {
        if value < bounds.0 {
            let rule = format!("Member must have value greater than or equal to {}", bounds.0);
            self.violated(&format!("'{value}'"), name, &rule);
        } else if value > bounds.1 {
            let rule = format!("Member must have value less than or equal to {}", bounds.1);
            self.violated(&format!("'{value}'"), name, &rule);
        }
    }

    fn violated(&mut self, value: &str, name: &str, rule: &str) {
        self.violations.push(format!("Value {value} at '{name}' failed to satisfy constraint: {rule}"));
    }

    /// One refusal for all of them.
    pub(in crate::lab) fn check(self) -> Result<(), Fault> {
        let count = self.violations.len();
        match count {
            0 => Ok(()),
            1 => Err(Fault::validation(format!("1 validation error detected: {}", self.violations[0]))),
            _ => Err(Fault::validation(format!("{count} validation errors detected: {}", self.violations.join("; ")))),
        }
    }
}

fn quoted(value: &str, shown: Shown) -> String {
    match shown {
        Shown::Plainly => format!("'{value}'"),
        Shown::Masked => "'***'".to_owned(),
    }
}

/// A character that may stand in a session name.
pub(in crate::lab) fn is_session_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_all_violations() {
        let mut constraints = Constraints::default();
        constraints.length("roleSessionName", Some("a"), (2, 64), Shown::Plainly);
        constraints.length("webIdentityToken", Some("abc"), (4, 20_000), Shown::Masked);
        constraints.length("roleArn", None, (20, 2048), Shown::Plainly);
        constraints.pattern("roleSessionName", "a b", "[\\w+=,.@-]*", is_session_name_character);
        constraints.range("durationSeconds", 899, (900, 43_200));
        constraints.range("durationSeconds", 43_201, (900, 43_200));
        let fault = constraints.check().unwrap_err();
        assert_eq!(
            fault.message,
            "6 validation errors detected: \
             Value 'a' at 'roleSessionName' failed to satisfy constraint: \
             Member must have length greater than or equal to 2; \
             Value '***' at 'webIdentityToken' failed to satisfy constraint: \
             Member must have length greater than or equal to 4; \
             Value null at 'roleArn' failed to satisfy constraint: Member must not be null; \
             Value 'a b' at 'roleSessionName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [\\w+=,.@-]*; \
             Value '899' at 'durationSeconds' failed to satisfy constraint: \
             Member must have value greater than or equal to 900; \
             Value '43201' at 'durationSeconds' failed to satisfy constraint: \
             Member must have value less than or equal to 43200"
        );
        assert_eq!((fault.code, fault.status), ("ValidationError", 400));
    }
}
