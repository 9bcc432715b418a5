//! Amazon Resource Names, as far as trust needs them: partition, account, role, identity provider.

use std::fmt;

/// The ARN of an IAM role: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleArn {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// Twelve digits.
    pub account: String,
    /// Everything after `role/`: the path, where there is one, and the name.
    pub path_and_name: String,
}

impl RoleArn {
    /// The role's name, without its path.
    pub fn name(&self) -> &str {
        self.path_and_name.rsplit('/').next().unwrap_or(&self.path_and_name)
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:iam::{}:role/{}", self.partition, self.account, self.path_and_name)
    }
}
