//! The Query protocol's parameters: a form in the body, or a query string.

use super::Fault;
use super::Received;

/// The parameters of a request, in their order; the last of a repeated name counts.
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    pub(super) fn read(request: &Received) -> Result<Self, Fault> {
        let mut pairs: Vec<(String, String)> = decode(request.query.as_bytes());
        if !request.body.is_empty() {
            pairs.extend(decode(&request.body));
        }
        Ok(Parameters { pairs })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether any parameter's name begins so: members of a list or structure.
    pub(super) fn count_with_prefix(&self, prefix: &str) -> usize {
        self.pairs.iter().filter(|(name, _)| name.starts_with(prefix)).count()
    }

    /// A whole number as the Query protocol takes it: a sign and leading zeros are fine, blanks and fractions are not.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i32>, Fault> {
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
