//! Amazon Resource Names, as far as trust needs them: partition, account, role, identity provider.

use std::fmt;

use super::region::{self, PARTITIONS};
use super::text_difference::nearest;

/// The longest role ARN that STS takes (`RoleArn` of the STS API reference).
const LONGEST_ROLE_ARN: usize = 2048;
/// The longest role name, without its path (IAM quotas).
const LONGEST_ROLE_NAME: usize = 64;

/// Any ARN, taken apart and not judged: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    /// Empty where the service is global.
    pub region: &'a str,
    pub account: &'a str,
    /// Everything after the fifth colon.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes a text apart; nothing where it has too few fields or does not begin with `arn`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = fields[..] else { return None };
        Some(Arn { partition, service, region, account, resource })
    }
}

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

/// Why a text is no role ARN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleArnError {
    /// Not `arn:` and five more fields.
    #[error("is not an ARN")]
    NotAnArn {
        /// The role's name, where the text could be one by itself.
        role_name: Option<String>,
    },
    /// Longer than any role ARN.
    #[error("is longer than the {LONGEST_ROLE_ARN} characters of the longest role ARN")]
    TooLong,
    /// The second field is no partition.
    #[error("names the partition `{0}`, which AWS does not have")]
    Partition(String),
    /// The account is not twelve digits.
    #[error("names the account `{0}`, and an account is twelve digits")]
    Account(String),
    /// An ARN of something else.
    #[error("is the ARN of {what}, not of a role")]
    OtherThing {
        /// What it is the ARN of, with its article.
        what: &'static str,
        /// The start of the role ARN that would be right, up to what is known.
        instead: String,
    },
    /// A region where IAM has none.
    #[error("has the region `{0}`, and IAM's ARNs have none")]
    Region(String),
    /// Nothing after `role/`.
    #[error("has no role name after `role/`")]
    NoName,
    /// The name is too long.
    #[error("has a role name of more than {LONGEST_ROLE_NAME} characters")]
    LongName,
    /// A character that role names and paths do not have.
    #[error("has `{character}` at character {position}, which no role ARN has")]
    Character {
        /// The character.
        character: char,
        /// Its place in the text, counted from 1.
        position: usize,
    },
    /// More behind the name, such as a comma or a second ARN.
    #[error("has a `:` in the role's name")]
    Colon,
}

impl RoleArnError {
    /// What would be right.
    pub fn instead(&self) -> String {
        const FORM: &str = "arn:aws:iam::ACCOUNT:role/NAME";
        match self {
            RoleArnError::NotAnArn { role_name: Some(name) } => {
                format!("write the role's ARN, `arn:aws:iam::ACCOUNT:role/{name}` with its twelve-digit account")
            }
            RoleArnError::Partition(partition) => match nearest(partition, PARTITIONS.iter().map(|p| p.id)) {
                Some(near) => format!("write `arn:{near}:iam::…`"),
                None => format!("write `arn:aws:iam::…`, or another of {}", partition_ids()),
            },
            RoleArnError::Account(account) if digits(account).len() == 12 => {
                format!("write `{}`, digits only", digits(account))
            }
            RoleArnError::OtherThing { instead, .. } => format!("write the ARN of the role, `{instead}`"),
            RoleArnError::Region(_) => format!("leave it empty: `{FORM}`"),
            RoleArnError::Account(_) => {
                format!("write `{FORM}` with the account's twelve digits (`aws sts get-caller-identity` prints them)")
            }
            _ => format!("write `{FORM}`, as `aws iam get-role --role-name NAME` prints it"),
        }
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn partition_ids() -> String {
    PARTITIONS.iter().map(|p| p.id).collect::<Vec<_>>().join(", ")
}

impl RoleArn {
    /// Parses `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
    ///
    /// # Errors
    /// Says which field is wrong, and what else the ARN names where it is not a role's: a provider, a session, a user, …
    /// (IAM user guide, "IAM identifiers").
    pub fn parse(text: &str) -> Result<Self, RoleArnError> {
        if text.len() > LONGEST_ROLE_ARN {
            return Err(RoleArnError::TooLong);
        }
        let Some(Arn { partition, service, region, account, resource }) = Arn::parse(text) else {
            return Err(RoleArnError::NotAnArn { role_name: is_role_name(text).then(|| text.to_owned()) });
        };
        if region::partition(partition).is_none() {
            return Err(RoleArnError::Partition(partition.to_owned()));
        }
        let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
        if (service, kind) != ("iam", "role") {
            return Err(other_thing(partition, service, account, kind, rest));
        }
        if !region.is_empty() {
            return Err(RoleArnError::Region(region.to_owned()));
        }
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(RoleArnError::Account(account.to_owned()));
        }
        let (path, name) = rest.rsplit_once('/').unwrap_or(("", rest));
        if name.is_empty() {
            return Err(RoleArnError::NoName);
        }
        if name.contains(':') {
            return Err(RoleArnError::Colon);
        }
        let odd_in_path = path.chars().position(|c| !c.is_ascii_graphic());
        let start_of_name = text.chars().count() - name.chars().count();
        let odd_in_name = name.chars().position(|c| !is_role_character(c)).map(|at| start_of_name + at);
        let start_of_path = text.chars().count() - rest.chars().count();
        if let Some(at) = odd_in_path.map(|at| start_of_path + at).or(odd_in_name) {
            let character = text.chars().nth(at).unwrap_or_default();
            return Err(RoleArnError::Character { character, position: at + 1 });
        }
        if name.len() > LONGEST_ROLE_NAME {
            return Err(RoleArnError::LongName);
        }
        Ok(RoleArn { partition: partition.to_owned(), account: account.to_owned(), path_and_name: rest.to_owned() })
    }

    /// The role's name, without its path.
    pub fn name(&self) -> &str {
        self.path_and_name.rsplit('/').next().unwrap_or(&self.path_and_name)
    }
}

/// Names what an ARN that is no role's is an ARN of, and the role ARN that was probably meant.
fn other_thing(partition: &str, service: &str, account: &str, kind: &str, rest: &str) -> RoleArnError {
    let mut role = "NAME";
    let what = match (service, kind) {
        ("iam", "oidc-provider") => "an OIDC identity provider",
        ("iam", "saml-provider") => "a SAML identity provider",
        ("iam", "user") => "an IAM user",
        ("iam", "group") => "an IAM group",
        ("iam", "policy") => "an IAM policy",
        ("iam", "instance-profile") => "an instance profile",
        ("iam", "root") => "the account itself",
        ("iam", kind) if kind.eq_ignore_ascii_case("role") => {
            role = rest;
            "`role` in other letters"
        }
        ("sts", "assumed-role") => {
            role = rest.split('/').next().filter(|name| !name.is_empty()).unwrap_or(role);
            "a session of a role"
        }
        ("sts", "federated-user") => "a federated user's session",
        ("secretsmanager", _) => "a secret",
        ("kms", _) => "a KMS key",
        _ => "something else",
    };
    let account = if account.is_empty() { "ACCOUNT" } else { account };
    RoleArnError::OtherThing { what, instead: format!("arn:{partition}:iam::{account}:role/{role}") }
}

fn is_role_name(text: &str) -> bool {
    (1..=LONGEST_ROLE_NAME).contains(&text.len()) && text.chars().all(is_role_character)
}

/// `[\w+=,.@-]`, of which IAM role names consist (a path takes every visible ASCII character).
fn is_role_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:iam::{}:role/{}", self.partition, self.account, self.path_and_name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parses_roles_of_every_partition_and_path() {
        for text in [
            "arn:aws:iam::123456789012:role/crewai-secrets-reader",
            "arn:aws-cn:iam::123456789012:role/a",
            "arn:aws-us-gov:iam::000000000001:role/team/sub.path/name+=,.@-_",
            "arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
        ] {
            assert_eq!(RoleArn::parse(text).map(|arn| arn.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(RoleArn::parse("arn:aws:iam::123456789012:role/a/b/c").map(|a| a.name().to_owned()), Ok("c".into()));
    }

    #[test]
    fn says_what_is_wrong_and_what_is_right() {
        for (text, wrong, instead) in [
            (
                "arn:aws:iam::123456789012:oidc-provider/app.example.com",
                "OIDC identity provider",
                "arn:aws:iam::123456789012:role/NAME",
            ),
            (
                "arn:aws:sts::123456789012:assumed-role/reader/me",
                "session of a role",
                "arn:aws:iam::123456789012:role/reader",
            ),
            ("arn:aws:iam::123456789012:user/me", "IAM user", "role/NAME"),
            ("arn:aws:iam::123456789012:policy/p", "IAM policy", "role/NAME"),
            ("arn:aws:iam::123456789012:instance-profile/p", "instance profile", "role/NAME"),
            ("arn:aws:iam::123456789012:root", "account itself", "role/NAME"),
            ("arn:aws:iam::123456789012:Role/reader", "other letters", "arn:aws:iam::123456789012:role/reader"),
            ("arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf", "a secret", "role/NAME"),
            ("arn:aws:s3:::bucket", "something else", "arn:aws:iam::ACCOUNT:role/NAME"),
            ("arn:aws:iam:us-east-1:123456789012:role/r", "region `us-east-1`", "leave it empty"),
            ("arn:aws:iam::1234-5678-9012:role/r", "twelve digits", "`123456789012`"),
            ("arn:aws:iam::12345678901:role/r", "twelve digits", "get-caller-identity"),
            ("arn:aws:iam:::role/r", "twelve digits", "ACCOUNT"),
            ("arn:aws-gov:iam::123456789012:role/r", "partition `aws-gov`", "arn:aws"),
            ("arn:aws:iam::123456789012:role/", "no role name", "role/NAME"),
            ("arn:aws:iam::123456789012:role", "no role name", "role/NAME"),
            ("arn:aws:iam::123456789012:role/r r", "` ` at character 33", "role/NAME"),
            ("arn:aws:iam::123456789012:role/r:x", "`:`", "role/NAME"),
            ("crewai-secrets-reader", "not an ARN", "role/crewai-secrets-reader"),
            ("https://console.aws.amazon.com/iam", "not an ARN", "role/NAME"),
            ("", "not an ARN", "role/NAME"),
        ] {
            let error = RoleArn::parse(text).expect_err(text);
            assert!(error.to_string().contains(wrong), "{text}: {error}");
            assert!(error.instead().contains(instead), "{text}: {}", error.instead());
        }
        let long = format!("arn:aws:iam::123456789012:role/{}", "n".repeat(65));
        assert_eq!(RoleArn::parse(&long), Err(RoleArnError::LongName));
        assert_eq!(RoleArn::parse(&"n".repeat(1 << 20)), Err(RoleArnError::TooLong));
    }

    proptest! {
        #[test]
        fn never_panics_and_round_trips(text in "(arn:(aws|aws-cn|x)?:(iam|sts)?:[a-z]{0,2}:[0-9]{0,13}:(role)?/?.{0,20}|.{0,40})") {
            match RoleArn::parse(&text) {
                Ok(arn) => prop_assert_eq!(arn.to_string(), text),
                Err(error) => prop_assert!(!error.instead().is_empty()),
            }
        }
    }
}
