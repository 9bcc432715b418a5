//! The `$filter` of a query, in the few forms that command lines send.

use super::Fault;
use crate::lab::server::Received;

/// What a filter asks of an object.
pub(super) enum Filter {
    Everything,
    Equals {
        property: String,
        value: String,
    },
    StartsWith {
        property: String,
        value: String,
    },
    /// One of the service principal's names.
    PrincipalName(String),
}

impl Filter {
    /// Reads the request's query.
    pub(super) fn read(request: &Received) -> Result<Self, Fault> {
        let Some(text) = request.parameter("$filter") else { return Ok(Filter::Everything) };
        let parsed = Filter::parse(&text);
        parsed.ok_or_else(|| {
            let message = "Unsupported or invalid query filter clause specified for property of resource.";
            Fault::new(400, "Request_UnsupportedQuery", message)
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(name) = text.strip_prefix("servicePrincipalNames/any(") {
            let (_, value) = name.strip_suffix(')')?.split_once(" eq ")?;
            return Some(Filter::PrincipalName(quoted(value)?));
        }
        let starts = text.strip_prefix("startswith(").or_else(|| text.strip_prefix("startsWith("));
        if let Some(arguments) = starts {
            let (property, value) = arguments.strip_suffix(')')?.split_once(',')?;
            return Some(Filter::StartsWith { property: property.trim().to_owned(), value: quoted(value)? });
        }
        let (property, value) = text.split_once(" eq ")?;
        Some(Filter::Equals { property: property.trim().to_owned(), value: quoted(value)? })
    }

    /// Whether an object's JSON fits.
    pub(super) fn fits(&self, object: &serde_json::Value) -> bool {
        let text = |property: &String| object[property.as_str()].as_str().unwrap_or_default().to_lowercase();
        match self {
            Filter::Everything => true,
            Filter::Equals { property, value } => text(property) == value.to_lowercase(),
            Filter::StartsWith { property, value } => text(property).starts_with(&value.to_lowercase()),
            Filter::PrincipalName(name) => {
                let names = object["servicePrincipalNames"].as_array();
                names.is_some_and(|names| names.iter().any(|known| known == name))
            }
        }
    }
}

/// A text in single quotes, which it doubles inside.
fn quoted(text: &str) -> Option<String> {
    Some(text.trim().strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_forms_that_command_lines_send() {
        let object = json!({ "appId": "A1", "displayName": "crew's", "servicePrincipalNames": ["A1"] });
        for (filter, fits) in [
            ("appId eq 'a1'", true),
            ("appId eq 'b'", false),
            ("displayName eq 'crew''s'", true),
            ("startswith(displayName, 'crew')", true),
            ("startswith(displayName,'x')", false),
            ("servicePrincipalNames/any(c:c eq 'A1')", true),
            ("servicePrincipalNames/any(c:c eq 'B')", false),
        ] {
            assert_eq!(Filter::parse(filter).map(|filter| filter.fits(&object)), Some(fits), "{filter}");
        }
        for filter in ["", "appId", "appId eq A1", "startswith(displayName)", "any(c:c eq 'x')x"] {
            assert!(Filter::parse(filter).is_none(), "{filter}");
        }
    }
}
