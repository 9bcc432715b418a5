//! How a script for the AWS CLI begins, and how its pieces come together. The pieces are files of `assets/remedy/aws`;
//! what varies stands in variables and documents before them.

use serde_json::Value;

use crate::domain::profile::Profile;
use crate::remedy::script::{HEAD, heredoc, variable};

/// A piece of `assets/remedy/aws`.
macro_rules! piece {
    ($name:literal) => {
        include_str!(concat!("../../../assets/remedy/aws/", $name))
    };
}
pub(super) use piece;

/// A script on its way: variables and documents first, then what is done with them.
#[derive(Clone, Debug)]
pub(super) struct Sh {
    variables: String,
    documents: String,
    body: String,
}

impl Sh {
    /// A script whose calls go to the profile's region, and to its endpoint where it names one.
    pub(super) fn new(profile: &Profile) -> Self {
        let mut variables = HEAD.to_owned();
        if let Some(region) = &profile.aws.region {
            variables.push_str(&variable("AWS_REGION", Some(region), ""));
            variables.push_str("AWS_DEFAULT_REGION=$AWS_REGION\nexport AWS_REGION AWS_DEFAULT_REGION\n");
        }
        if let Some(endpoint) = &profile.aws.endpoint_url {
            variables.push_str(&variable("AWS_ENDPOINT_URL", Some(endpoint), ""));
            variables.push_str("export AWS_ENDPOINT_URL\n");
        }
        Sh { variables, documents: String::new(), body: String::new() }
    }

    /// What goes on where another script ends.
    pub(super) fn rest() -> Self {
        Sh { variables: String::new(), documents: String::new(), body: String::new() }
    }

    /// The variables and the pieces alone.
    pub(super) fn lines(self) -> String {
        [self.variables, self.documents, self.body].concat()
    }

    /// A variable whose value is known.
    #[must_use]
    pub(super) fn with(self, name: &str, value: &str) -> Self {
        self.with_known(name, Some(value), "")
    }

    /// A variable that the reader sets where its value is not known.
    #[must_use]
    pub(super) fn with_known(mut self, name: &str, value: Option<&str>, what: &str) -> Self {
        self.variables.push_str(&variable(name, value, what));
        self
    }

    /// A variable that the reader may set to something else than `value`.
    #[must_use]
    pub(super) fn with_default(mut self, name: &str, value: &str) -> Self {
        self.variables.push_str(&format!("[ -n \"${{{name}:-}}\" ] || {}", variable(name, Some(value), "")));
        self
    }

    /// A document, which the pieces find in the working folder.
    #[must_use]
    pub(super) fn document(mut self, name: &str, document: &Value) -> Self {
        self.documents.push_str(&heredoc(&format!("cat >\"$work/{name}\""), &pretty(document)));
        self
    }

    /// A text of the program's own, as a file of the working folder.
    #[must_use]
    pub(super) fn text(mut self, name: &str, text: &str) -> Self {
        self.documents.push_str(&heredoc(&format!("cat >\"$work/{name}\""), text));
        self
    }

    /// A piece.
    #[must_use]
    pub(super) fn run(mut self, piece: &str) -> Self {
        self.body.push_str(piece);
        self
    }

    /// Refuses to go on with credentials of another account.
    #[must_use]
    pub(super) fn in_account(self, account: Option<&str>) -> Self {
        match account {
            Some(account) => self.with("ACCOUNT", account).run(piece!("account.sh")),
            None => self,
        }
    }

    /// The whole script.
    pub(super) fn finish(self) -> String {
        [self.variables.as_str(), piece!("begin.sh"), &self.documents, &self.body].concat()
    }
}

/// A document as people write them.
pub(super) fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}
