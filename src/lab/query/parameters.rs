//! The Query protocol's parameters: a form in the body, or a query string.

use super::{Fault, Received};

/// The parameters of a request, in their order; the last of a repeated name counts.
pub(in crate::lab) struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    pub(super) fn read(request: &Received) -> Self {
        let mut pairs: Vec<(String, String)> = decode(request.query.as_bytes());
        if !request.body.is_empty() {
            pairs.extend(decode(&request.body));
        }
        Parameters { pairs }
    }

    pub(in crate::lab) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The members of a list, in their order.
    pub(in crate::lab) fn list(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}.member.");
        let number = |known: &str| known.strip_prefix(&prefix)?.parse::<u32>().ok();
        let mut members: Vec<(u32, &String)> =
            self.pairs.iter().filter_map(|(known, value)| Some((number(known)?, value))).collect();
        members.sort_by_key(|(number, _)| *number);
        members.into_iter().map(|(_, value)| value.clone()).collect()
    }

    /// Whether any parameter's name begins so: members of a list or structure.
    pub(in crate::lab) fn count_with_prefix(&self, prefix: &str) -> usize {
        self.pairs.iter().filter(|(name, _)| name.starts_with(prefix)).count()
    }

    /// A whole number as the Query protocol takes it: a sign and leading zeros are fine, blanks and fractions are not.
    pub(in crate::lab) fn integer(&self, name: &str) -> Result<Option<i32>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| Fault::new("MalformedInput", 400, format!("{name} is not a whole number of 32 bits"))),
        }
    }
}

fn decode(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}
