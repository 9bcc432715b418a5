//! A role as the answers of IAM tell it: its trust policy, and what its other policies give.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::reach::Reach;
use crate::audit::{Location, Place};
use crate::domain::arn::Arn;
use crate::domain::iam::{Policy, PolicyError};

/// A role that somebody from outside may get into, in the forms of `get-account-authorization-details`, `list-roles` and
/// `get-role`.
#[derive(Debug)]
pub struct RoleTrust<'a> {
    pub place: Place,
    /// The account, where the role's ARN is known.
    pub account: Option<String>,
    pub policy: Policy,
    /// The policy's own text, or an answer around it, where there is one.
    pub document: Option<Cow<'a, str>>,
    identity: Identity<'a>,
}

/// A trust that could not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJudged {
    pub place: Place,
    pub why: String,
}

#[derive(Debug, Default)]
struct Identity<'a> {
    /// What policies give that were read elsewhere.
    known: Reach,
    inline: Vec<&'a RawValue>,
    attached: Vec<Cow<'a, str>>,
    boundary: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RoleDetail<'a> {
    #[serde(borrow, default)]
    arn: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    role_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    assume_role_policy_document: Option<&'a RawValue>,
    #[serde(borrow, default)]
    role_policy_list: Vec<InlinePolicy<'a>>,
    #[serde(borrow, default)]
    attached_managed_policies: Vec<Attached<'a>>,
    #[serde(borrow, default)]
    permissions_boundary: Option<Boundary<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InlinePolicy<'a> {
    #[serde(borrow)]
    policy_document: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attached<'a> {
    #[serde(borrow)]
    policy_arn: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Boundary<'a> {
    #[serde(borrow)]
    permissions_boundary_arn: Cow<'a, str>,
}

/// Whether the bytes of a role can hold a trust in an identity provider: a cheap look that takes too many rather than too few.
pub fn is_federated(role: &[u8]) -> bool {
    let trust = memchr::memmem::find(role, b"AssumeRolePolicyDocument").and_then(|at| role.get(at..));
    trust.is_some_and(|trust| {
        memchr::memmem::find(trust, b"ederated").is_some() || {
            let window = trust.get(..trust.len().min(EVERYBODY_WITHIN)).unwrap_or_default();
            memchr::memmem::find(window, b"\"*\"").is_some() || memchr::memmem::find(window, b"%22%2A%22").is_some()
        }
    })
}

/// A principal that is everybody stands near the beginning of a trust policy.
const EVERYBODY_WITHIN: usize = 4096;

impl<'a> RoleTrust<'a> {
    /// Reads a role's object. Nothing where it has no trust policy.
    ///
    /// # Errors
    /// The trust policy is none, or the object is not a role's; says why.
    pub fn read(bytes: &'a [u8], location: Option<Location>) -> Result<Option<Self>, NotJudged> {
        let unknown =
            |why: String| NotJudged { place: Place { resource: "a role".to_owned(), location: location.clone() }, why };
        let detail: RoleDetail<'a> = serde_json::from_slice(bytes).map_err(|error| unknown(error.to_string()))?;
        let Some(document) = detail.assume_role_policy_document else { return Ok(None) };
        let name = detail.arn.as_deref().or(detail.role_name.as_deref()).unwrap_or("a role without a name");
        let place = Place { resource: name.to_owned(), location: location.clone() };
        let policy = embedded(document).map_err(|error| NotJudged {
            place: place.clone(),
            why: format!("its trust policy, line {}, column {}: {}", error.line, error.column, error.what),
        })?;
        Ok(Some(RoleTrust {
            account: detail.arn.as_deref().and_then(account),
            place,
            policy,
            document: Some(match document.get() {
                text if text.starts_with('{') => Cow::Borrowed(text),
                text => Cow::Owned(format!("{{\"AssumeRolePolicyDocument\":{text}}}")),
            }),
            identity: Identity {
                known: Reach::default(),
                inline: detail.role_policy_list.into_iter().map(|policy| policy.policy_document).collect(),
                attached: detail.attached_managed_policies.into_iter().map(|policy| policy.policy_arn).collect(),
                boundary: detail.permissions_boundary.map(|boundary| boundary.permissions_boundary_arn),
            },
        }))
    }

    /// With the text that the policy was read from.
    #[must_use]
    pub fn with_document(mut self, text: &'a str) -> Self {
        self.document = Some(Cow::Borrowed(text));
        self
    }

    /// A trust policy without the role around it.
    pub fn of_policy(policy: Policy, place: Place) -> Self {
        let account = policy.role_arn.as_deref().and_then(account);
        RoleTrust { place, account, policy, document: None, identity: Identity::default() }
    }

    /// A role that code declares: its own policies as texts, and the ARNs of others.
    pub fn of_code(policy: Policy, place: Place, inline: &[String], attached: &[String]) -> Self {
        let mut known = Reach::default();
        for policy in inline.iter().filter_map(|text| Policy::parse(text).ok()) {
            known.extend(&Reach::of(&policy));
        }
        let attached = attached.iter().cloned().map(Cow::Owned).collect();
        let identity = Identity { known, attached, ..Identity::default() };
        RoleTrust { place, account: None, policy, document: None, identity }
    }

    /// What the role may do, a phrase each.
    pub fn reaches(&self, managed: &ManagedPolicies) -> Vec<String> {
        let Identity { known, inline, attached, boundary } = &self.identity;
        let mut reach = known.clone();
        for policy in inline.iter().filter_map(|document| embedded(document).ok()) {
            reach.extend(&Reach::of(&policy));
        }
        let mut unread = Vec::new();
        for arn in attached {
            match managed.get(arn) {
                Some(known) => reach.extend(&known),
                None => unread.push(format!("what {arn} gives, which is not at hand")),
            }
        }
        let mut phrases = reach.phrases();
        phrases.extend(unread);
        if let Some(boundary) = boundary.as_deref().filter(|_| !phrases.is_empty()) {
            phrases.push(format!("all of it within the permissions boundary {boundary}"));
        }
        phrases
    }
}

fn account(arn: &str) -> Option<String> {
    Arn::parse(arn).map(|arn| arn.account.to_owned())
}

/// A document inside an answer: JSON, or URL-encoded text.
fn embedded(document: &RawValue) -> Result<Policy, PolicyError> {
    let text = document.get();
    match text.starts_with('{') {
        true => Policy::parse(text),
        false => Policy::parse(&format!("{{\"PolicyDocument\":{text}}}")),
    }
}

/// What the managed policies of the accounts give, by their ARN.
#[derive(Clone, Debug, Default)]
pub struct ManagedPolicies(HashMap<String, Reach>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDetail<'a> {
    #[serde(borrow)]
    arn: Cow<'a, str>,
    #[serde(borrow, default)]
    policy_version_list: Vec<PolicyVersion<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyVersion<'a> {
    #[serde(borrow, default)]
    document: Option<&'a RawValue>,
    #[serde(default)]
    is_default_version: bool,
}

impl ManagedPolicies {
    /// Reads an object of `Policies`. What is none, or has no document, is passed over: what it gives stays unknown.
    pub fn read(&mut self, bytes: &[u8]) {
        let Ok(detail) = serde_json::from_slice::<PolicyDetail<'_>>(bytes) else { return };
        let in_force = detail.policy_version_list.iter().find(|version| version.is_default_version);
        let document = in_force.or(detail.policy_version_list.first()).and_then(|version| version.document);
        if let Some(policy) = document.and_then(|document| embedded(document).ok()) {
            self.0.insert(detail.arn.into_owned(), Reach::of(&policy));
        }
    }

    /// Takes over those of another part of the input.
    pub fn extend(&mut self, other: ManagedPolicies) {
        self.0.extend(other.0);
    }

    fn get(&self, arn: &str) -> Option<Cow<'_, Reach>> {
        self.0.get(arn).map(Cow::Borrowed).or_else(|| Reach::of_managed(arn).map(Cow::Owned))
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use serde_json::{Value, json};

    use super::*;

    const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";

    fn trust() -> Value {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity"}]})
    }

    fn role(document: Value) -> Value {
        json!({"RoleName": "ci", "Arn": "arn:aws:iam::123456789012:role/ci", "AssumeRolePolicyDocument": document})
    }

    #[test]
    fn a_trust_is_read_as_json_and_as_encoded_text() {
        let encoded = utf8_percent_encode(&trust().to_string(), NON_ALPHANUMERIC).to_string();
        for document in [trust(), json!(encoded), json!(trust().to_string())] {
            let bytes = role(document).to_string();
            let read = RoleTrust::read(bytes.as_bytes(), None).unwrap().unwrap();
            assert_eq!(read.place.resource, "arn:aws:iam::123456789012:role/ci");
            assert_eq!(read.account.as_deref(), Some("123456789012"));
            assert_eq!(read.policy.statements.len(), 1);
            assert!(is_federated(bytes.as_bytes()), "{bytes}");
        }
    }

    #[test]
    fn what_is_no_policy_is_named_and_what_has_none_is_no_trust() {
        let broken = role(json!({"Statement": 7})).to_string();
        let NotJudged { place, why } = RoleTrust::read(broken.as_bytes(), None).unwrap_err();
        assert_eq!(place.resource, "arn:aws:iam::123456789012:role/ci");
        assert!(why.contains("its trust policy, line 1"), "{why}");
        let user = json!({"UserName": "a", "Arn": "arn:aws:iam::123456789012:user/a"}).to_string();
        assert!(RoleTrust::read(user.as_bytes(), None).unwrap().is_none());
        let service = role(json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}]}));
        assert!(!is_federated(service.to_string().as_bytes()));
    }

    #[test]
    fn what_a_role_reaches_comes_from_all_its_policies() {
        let document = |action: &str| json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}});
        let mut managed = ManagedPolicies::default();
        let own = "arn:aws:iam::123456789012:policy/own";
        managed.read(
            json!({"Arn": own, "PolicyVersionList": [
                {"Document": document("*"), "IsDefaultVersion": false},
                {"Document": document("kms:Decrypt"), "IsDefaultVersion": true}]})
            .to_string()
            .as_bytes(),
        );
        let mut role = role(trust());
        role["RolePolicyList"] = json!([{"PolicyName": "p", "PolicyDocument": document("secretsmanager:*")}]);
        let lost = "arn:aws:iam::123456789012:policy/lost";
        role["AttachedManagedPolicies"] = json!([{"PolicyArn": own, "PolicyName": "own"}, {"PolicyArn": lost}]);
        role["PermissionsBoundary"] = json!({"PermissionsBoundaryArn": "arn:b", "PermissionsBoundaryType": "Policy"});
        let bytes = role.to_string();
        let read = RoleTrust::read(bytes.as_bytes(), None).unwrap().unwrap();
        assert_eq!(
            read.reaches(&managed),
            [
                "every secret",
                "every key",
                &format!("what {lost} gives, which is not at hand"),
                "all of it within the permissions boundary arn:b",
            ]
        );
    }
}
