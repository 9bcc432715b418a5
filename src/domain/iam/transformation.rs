//! What a near miss is: a comparison that failed, the one change that would make it hold, and the value to write instead.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::operator::Comparison;
use crate::domain::issuer::IssuerKind;
use crate::domain::text_difference::TextDifference;

/// The change between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transformation {
    /// The policy's value has wildcards, and its operator takes them literally.
    WildcardUnderEquals,
    /// The policy has the repository's names; the token has names with ids.
    ImmutableSubject,
    /// The policy has names with ids; the token has the names.
    NameSubject,
    /// The policy has the branch or tag; the job's environment stands in its place.
    EnvironmentInsteadOfRef,
    /// The policy has an environment; the job names none.
    RefInsteadOfEnvironment,
    /// The token is from a pull request's run, the policy is for another.
    PullRequest,
    /// The policy's subject ends where the token's goes on.
    ContextMissing,
    /// One of the two is CircleCI's first, the other its second form of token.
    CircleciTokenVersion,
    /// `branch` against `tag`.
    GitlabRefType,
    /// `plan` against `apply`.
    TerraformRunPhase,
    /// Namespace and service account stand in each other's place.
    PartsSwapped,
    /// The value is that of another claim.
    ClaimsSwapped,
    /// One named part of the subject differs.
    OnePart,
    /// The partition of an ARN differs.
    Partition,
    /// The account of an ARN differs.
    Account,
    /// The path of the issuer is missing or too much.
    Path,
    /// Two parts of an EKS issuer's host stand in each other's place.
    EksHostOrder,
    /// The provider stands in the policy without the ARN around it.
    NotAnArn,
    /// The provider stands under another kind of principal than `Federated`.
    PrincipalKind,
    /// One thing that people overlook in a text.
    #[serde(untagged)]
    Text(TextDifference),
}

/// A policy's value that nearly fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearMiss {
    pub transformation: Transformation,
    /// The policy's value it is about.
    pub expected: String,
    /// The value to write instead, where one value mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<String>,
    /// The difference, in words.
    pub why: String,
}

impl NearMiss {
    pub fn new(
        transformation: Transformation,
        expected: &str,
        corrected: impl Into<Option<String>>,
        why: impl Into<String>,
    ) -> Self {
        NearMiss { transformation, expected: expected.to_owned(), corrected: corrected.into(), why: why.into() }
    }

    /// A value that nearly fits because of one thing that people overlook.
    pub fn text(difference: TextDifference, expected: &str, corrected: impl Into<String>) -> Self {
        NearMiss::new(Transformation::Text(difference), expected, corrected.into(), difference.to_string())
    }
}

/// A comparison that failed.
pub struct Miss<'a> {
    pub kind: IssuerKind,
    pub comparison: Comparison,
    /// The claim that the key stands for, where it stands for one.
    pub claim: Option<&'a str>,
    pub actual: &'a str,
    pub claims: &'a Map<String, Value>,
}

/// No more values than these are tried: a policy fits few, and every try costs.
pub const TRIED: usize = 64;

/// Values longer than this many bytes are neither reported whole nor tried: no issuer's subject comes near it.
pub const LONGEST: usize = 4096;
