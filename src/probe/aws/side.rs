//! AWS's own side as an operator reads it: the identity provider, the role, the policies in force, the secret and its key.
//! What does not depend on another answer is asked at once.

use std::time::Duration;

use futures_util::future::OptionFuture;
use futures_util::stream::{self, StreamExt as _};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::signed::{Listed, Reader, Xml};
use super::{AwsTarget, Session};
use crate::check::facts::operator::{
    AccessKeyInForce, KeyInForce, KeySide, PolicyInForce, PrincipalSide, ProviderInForce, ProviderSide, Read, Replica,
    RoleInForce, SecretInForce, SecretSide, Throttled,
};
use crate::check::facts::secret::Answer;
use crate::domain::arn::Arn;
use crate::domain::iam::AwsRead;
use crate::domain::secret_ref::SecretRef;
use crate::domain::timestamp::{UnixSeconds, parse_rfc3339};

/// So many policies are asked for at once.
const AT_ONCE: usize = 8;

/// How a kind of principal is asked for in IAM.
struct Kind {
    parameter: &'static str,
    element: &'static str,
    /// None for a group, of which nothing but its policies counts.
    get: Option<AwsRead>,
    list_inline: AwsRead,
    get_inline: AwsRead,
    list_attached: AwsRead,
}

const ROLE: Kind = Kind {
    parameter: "RoleName",
    element: "Role",
    get: Some(AwsRead::Role),
    list_inline: AwsRead::RolePolicies,
    get_inline: AwsRead::RolePolicy,
    list_attached: AwsRead::AttachedRolePolicies,
};
const USER: Kind = Kind {
    parameter: "UserName",
    element: "User",
    get: Some(AwsRead::User),
    list_inline: AwsRead::UserPolicies,
    get_inline: AwsRead::UserPolicy,
    list_attached: AwsRead::AttachedUserPolicies,
};
const GROUP: Kind = Kind {
    parameter: "GroupName",
    element: "Group",
    get: None,
    list_inline: AwsRead::GroupPolicies,
    get_inline: AwsRead::GroupPolicy,
    list_attached: AwsRead::AttachedGroupPolicies,
};

impl AwsTarget {
    fn reader<'a>(&'a self, session: &'a Session, left: Duration) -> Reader<'a> {
        Reader { target: self, session, deadline: Instant::now() + left }
    }

    /// The role of this name in the operator's account.
    pub async fn read_role(&self, session: &Session, name: &str, left: Duration) -> Read<RoleInForce> {
        let reader = self.reader(session, left);
        reader.iam(AwsRead::Role, &[(ROLE.parameter, name)], |result| role(result.child(ROLE.element)?)).await
    }

    /// Whose access key this is, and whether it is active.
    pub async fn read_access_key(&self, session: &Session, id: &str, left: Duration) -> Read<AccessKeyInForce> {
        let reader = self.reader(session, left);
        let owner = |result: &Xml| Some(result.text_of("UserName")?.to_owned());
        let owner = reader.iam(AwsRead::AccessKeyOwner, &[("AccessKeyId", id)], owner).await;
        let Some(user) = owner.seen().cloned() else {
            return owner.map(|user| AccessKeyInForce { user, status: String::new() });
        };
        let key = |result: &Xml| {
            let key = result.members("AccessKeyMetadata").find(|key| key.text_of("AccessKeyId") == Some(id))?;
            Some(AccessKeyInForce { user: user.clone(), status: key.text_of("Status")?.to_owned() })
        };
        reader.iam(AwsRead::AccessKeys, &[(USER.parameter, &user)], key).await
    }

    /// The identity provider of an issuer, and all that there are.
    pub async fn read_provider(&self, session: &Session, issuer: &str, arn: &str, left: Duration) -> ProviderSide {
        let reader = self.reader(session, left);
        let parameters = [("OpenIDConnectProviderArn", arn)];
        let (provider, listed) = tokio::join!(
            reader.iam(AwsRead::OidcProvider, &parameters, |result| Some(ProviderInForce {
                client_ids: result.texts("ClientIDList"),
                thumbprints: result.texts("ThumbprintList"),
                created_at: created(result),
            })),
            reader.iam(AwsRead::OidcProviders, &[], |result| {
                let entries = result.members("OpenIDConnectProviderList");
                Some(entries.filter_map(|entry| Some(entry.text_of("Arn")?.to_owned())).collect::<Vec<_>>())
            })
        );
        let (provider, listed) = (provider.without_exchange(), listed.without_exchange());
        ProviderSide { issuer: issuer.to_owned(), arn: arn.to_owned(), provider, listed }
    }

    /// A role or a user with every policy that says what it may do. `arn` is the principal's, as IAM or STS names it.
    pub async fn read_principal(&self, session: &Session, arn: &str, left: Duration) -> PrincipalSide {
        let reader = self.reader(session, left);
        let mut side = PrincipalSide {
            arn: arn.to_owned(),
            policies: Vec::new(),
            boundary: None,
            is_nowhere: false,
            unread: Vec::new(),
            throttled: Throttled::default(),
            trust_policy: None,
        };
        let Some((kind, name, get)) = kind_of(arn).and_then(|(kind, name)| Some((kind, name, kind.get?))) else {
            side.unread.push(format!("{arn} is neither a role nor a user of IAM"));
            return side;
        };
        let parameters = [(kind.parameter, name)];
        let bounded = async {
            let read = reader.iam(get, &parameters, |result| principal(result.child(kind.element)?)).await;
            let boundary = read.seen().and_then(|seen| seen.boundary.clone());
            let boundary = OptionFuture::from(boundary.as_deref().map(|arn| reader.managed_policy(arn))).await;
            (read, boundary)
        };
        let ((principal, boundary), policies, of_groups) = tokio::join!(
            bounded,
            reader.policies(kind, name),
            OptionFuture::from((kind.parameter == USER.parameter).then(|| reader.policies_of_groups(name))),
        );
        side.is_nowhere = principal.is_nowhere();
        side.unread.extend(principal.unread());
        side.throttled = principal.throttled;
        let Some(seen) = principal.seen() else { return side };
        // The same name in the operator's own account is somebody else.
        if Arn::parse(arn).map(|arn| arn.account) != Arn::parse(&seen.arn).map(|arn| arn.account) {
            side.unread.push(format!("{arn} is of another account than the operator"));
            return side;
        }
        side.arn.clone_from(&seen.arn);
        side.trust_policy.clone_from(&seen.trust_policy);
        let gathered = policies.join(of_groups);
        side.policies.extend(gathered.policies);
        side.unread.extend(gathered.unread);
        side.throttled = side.throttled.beside(gathered.throttled);
        if let Some(bounding) = boundary {
            side.boundary = bounding.policies.into_iter().next();
            side.unread.extend(bounding.unread);
            side.throttled = side.throttled.and_then(bounding.throttled);
        }
        side
    }

    /// The secret with its policies and its key. Reads no value.
    pub async fn read_secret(&self, session: &Session, secret: &SecretRef, left: Duration) -> SecretSide {
        let reader = self.reader(session, left);
        let id = json!({ "SecretId": secret.name });
        let (described, names, default) = tokio::join!(
            reader.json(AwsRead::Secret, &id, secret_in_force),
            reader.json(AwsRead::ResourcePolicies, &id, policy_names),
            reader.resource_policy(secret, None),
        );
        let mut side = SecretSide {
            secret: described.without_exchange(),
            policies: Vec::new(),
            key: None,
            located: None,
            unread: Vec::new(),
            throttled: Throttled::default(),
        };
        side.throttled = side.secret.throttled.beside(names.throttled);
        if side.secret.is_nowhere() {
            side.located = Some(self.locate_secret(session, secret).await);
            return side;
        }
        let Some(seen) = side.secret.seen().cloned() else { return side };
        let others: Vec<String> =
            names.seen().into_iter().flatten().filter(|name| *name != "default").cloned().collect();
        let (others, key) = tokio::join!(
            few_at_once(others.iter().map(|name| reader.resource_policy(secret, Some(name))).collect()),
            OptionFuture::from(seen.key.as_deref().map(|key| reader.key(key))),
        );
        // A service that knows only one policy of a secret has no list of them, and says so in its own way.
        let has_no_list = match &names.call.answer {
            Answer::Refused(refusal) => !refusal.is_denial(),
            Answer::Unreadable { .. } => true,
            _ => false,
        };
        side.unread.extend(names.unread().filter(|_| !has_no_list));
        let mut gathered = default.join(others);
        if let Some((key, beside)) = key {
            side.key = Some(key);
            gathered = gathered.join([beside]);
        }
        side.policies.extend(gathered.policies);
        side.unread.extend(gathered.unread);
        side.throttled = side.throttled.beside(gathered.throttled);
        side
    }
}

/// Policies that were read, why others could not be, and what the reads waited for.
#[derive(Default)]
struct Gathered {
    policies: Vec<PolicyInForce>,
    unread: Vec<String>,
    throttled: Throttled,
}

impl Gathered {
    /// What a read says beside its answer.
    fn beside<T>(read: &Read<T>) -> Self {
        Gathered { policies: Vec::new(), unread: read.unread().into_iter().collect(), throttled: read.throttled }
    }

    /// The policy of this name, as it was read.
    fn policy(read: &Read<String>, name: String) -> Self {
        let mut gathered = Gathered::beside(read);
        match read.seen() {
            Some(text) => gathered.policies.push(PolicyInForce { name, text: text.clone() }),
            None if gathered.unread.is_empty() => gathered.unread.push(format!("{name} is no longer there")),
            None => {}
        }
        gathered
    }

    /// With what was read at the same time.
    fn join(mut self, others: impl IntoIterator<Item = Gathered>) -> Self {
        for other in others {
            self.policies.extend(other.policies);
            self.unread.extend(other.unread);
            self.throttled = self.throttled.beside(other.throttled);
        }
        self
    }
}

/// Many reads, so few at once that a service with a usual rate has time for them.
async fn few_at_once<T>(reads: Vec<impl Future<Output = T>>) -> Vec<T> {
    stream::iter(reads).buffered(AT_ONCE).collect().await
}

impl Reader<'_> {
    /// The inline and the managed policies of a principal.
    async fn policies(&self, kind: &Kind, name: &str) -> Gathered {
        let parameters = [(kind.parameter, name)];
        let of_attached = |result: &Xml| {
            let entries = result.members("AttachedPolicies");
            entries.filter_map(|entry| Some(entry.text_of("PolicyArn")?.to_owned())).collect()
        };
        let (inline, attached) = tokio::join!(
            async {
                let listed = self.iam_pages(kind.list_inline, &parameters, |result| result.texts("PolicyNames")).await;
                let read = listed.items.iter().map(|policy| self.inline_policy(kind, name, policy));
                Gathered::beside(&listed.last).join(few_at_once(read.collect()).await)
            },
            async {
                let listed: Listed<String> = self.iam_pages(kind.list_attached, &parameters, of_attached).await;
                let read = listed.items.iter().map(|arn| self.managed_policy(arn));
                Gathered::beside(&listed.last).join(few_at_once(read.collect()).await)
            }
        );
        inline.join([attached])
    }

    async fn policies_of_groups(&self, user: &str) -> Gathered {
        let named = |result: &Xml| {
            result.members("Groups").filter_map(|group| Some(group.text_of("GroupName")?.to_owned())).collect()
        };
        let groups: Listed<String> = self.iam_pages(AwsRead::GroupsOfUser, &[("UserName", user)], named).await;
        let read = groups.items.iter().map(|group| self.policies(&GROUP, group));
        Gathered::beside(&groups.last).join(few_at_once(read.collect()).await)
    }

    async fn inline_policy(&self, kind: &Kind, name: &str, policy: &str) -> Gathered {
        let parameters = [(kind.parameter, name), ("PolicyName", policy)];
        let read = self.iam(kind.get_inline, &parameters, |result| document(result.text_of("PolicyDocument")?)).await;
        let of_group = if kind.parameter == GROUP.parameter { format!(" of group `{name}`") } else { String::new() };
        Gathered::policy(&read, format!("inline policy `{policy}`{of_group}"))
    }

    async fn managed_policy(&self, arn: &str) -> Gathered {
        let version = |result: &Xml| Some(result.child("Policy")?.text_of("DefaultVersionId")?.to_owned());
        let default = self.iam(AwsRead::Policy, &[("PolicyArn", arn)], version).await;
        let Some(version) = default.seen() else {
            return Gathered::policy(&default, arn.to_owned());
        };
        let parameters = [("PolicyArn", arn), ("VersionId", version.as_str())];
        let text = |result: &Xml| document(result.child("PolicyVersion")?.text_of("Document")?);
        let read = self.iam(AwsRead::PolicyVersion, &parameters, text).await;
        let throttled = default.throttled.and_then(read.throttled);
        Gathered { throttled, ..Gathered::policy(&read, arn.to_owned()) }
    }

    /// A policy that hangs on the secret; nothing where none of this name does.
    async fn resource_policy(&self, secret: &SecretRef, name: Option<&str>) -> Gathered {
        let mut input = json!({ "SecretId": secret.name });
        if let Some(name) = name {
            input["PolicyName"] = name.into();
        }
        let text = |answer: &Value| Some(answer.get("ResourcePolicy").and_then(Value::as_str).map(str::to_owned));
        let read = self.json(AwsRead::ResourcePolicy, &input, text).await;
        let mut gathered = Gathered::beside(&read);
        let named = format!("resource policy `{}` of the secret", name.unwrap_or("default"));
        let policy = read.seen().cloned().flatten().map(|text| PolicyInForce { name: named, text });
        gathered.policies.extend(policy);
        gathered
    }

    /// The key that encrypts a secret, and what else its reads say.
    async fn key(&self, id: &str) -> (KeySide, Gathered) {
        let input = json!({ "KeyId": id });
        let described = |answer: &Value| {
            let metadata = answer.get("KeyMetadata")?;
            let text = |name| Some(metadata.get(name)?.as_str()?.to_owned());
            Some(KeyInForce { arn: text("Arn")?, state: text("KeyState")? })
        };
        let text = |answer: &Value| Some(answer.get("Policy")?.as_str()?.to_owned());
        // Policy and grants are not found by an alias; whoever names the key itself need not wait.
        let of_key = async |key: &str| {
            let (of_policy, of_grants) = (json!({ "KeyId": key, "PolicyName": "default" }), json!({ "KeyId": key }));
            tokio::join!(
                self.json(AwsRead::KeyPolicy, &of_policy, text),
                self.json(AwsRead::Grants, &of_grants, grantees)
            )
        };
        let (key, (policy, grants)) = if id.contains("alias/") {
            let key = self.json(AwsRead::Key, &input, described).await;
            let arn = key.seen().map_or_else(|| id.to_owned(), |key| key.arn.clone());
            (key, of_key(&arn).await)
        } else {
            tokio::join!(self.json(AwsRead::Key, &input, described), of_key(id))
        };
        let beside = Gathered::beside(&policy).join([Gathered::beside(&grants)]);
        let beside = Gathered { throttled: beside.throttled.beside(key.throttled), ..beside };
        let (policy, grantees) = (policy.seen().cloned(), grants.seen().cloned());
        (KeySide { id: id.to_owned(), key: key.without_exchange(), policy, grantees }, beside)
    }
}

/// What tells of a principal, role or user.
struct Principal {
    arn: String,
    boundary: Option<String>,
    trust_policy: Option<String>,
}

fn principal(element: &Xml) -> Option<Principal> {
    Some(Principal {
        arn: element.text_of("Arn")?.to_owned(),
        boundary: boundary(element),
        trust_policy: element.text_of("AssumeRolePolicyDocument").and_then(document),
    })
}

fn boundary(element: &Xml) -> Option<String> {
    element.child("PermissionsBoundary").and_then(|bound| bound.text_of("PermissionsBoundaryArn")).map(str::to_owned)
}

fn role(role: &Xml) -> Option<RoleInForce> {
    Some(RoleInForce {
        arn: role.text_of("Arn")?.to_owned(),
        created_at: created(role),
        max_session_duration_s: role.text_of("MaxSessionDuration").and_then(|seconds| seconds.parse().ok()),
        boundary: boundary(role),
        trust_policy: document(role.text_of("AssumeRolePolicyDocument")?)?,
    })
}

/// Whether an ARN is a role's or a user's, and its name without the path. A session is its role's.
fn kind_of(arn: &str) -> Option<(&'static Kind, &str)> {
    let resource = Arn::parse(arn)?.resource;
    let (kind, rest) = resource.split_once('/')?;
    match kind {
        "role" => Some((&ROLE, rest.rsplit('/').next()?)),
        "user" => Some((&USER, rest.rsplit('/').next()?)),
        "assumed-role" => Some((&ROLE, rest.split('/').next()?)),
        _ => None,
    }
}

fn secret_in_force(answer: &Value) -> Option<SecretInForce> {
    let text = |name| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let stages = answer.get("VersionIdsToStages").and_then(Value::as_object);
    let stages = stages.into_iter().flat_map(|versions| versions.values()).filter_map(Value::as_array).flatten();
    Some(SecretInForce {
        arn: text("ARN")?,
        key: text("KmsKeyId"),
        deleted_at: answer.get("DeletedDate").and_then(Value::as_f64).map(|seconds| seconds as UnixSeconds),
        stages: stages.filter_map(Value::as_str).map(str::to_owned).collect(),
        replica: answer.get("CrossAccountPrimary").and_then(replica),
    })
}

/// The primary in another account (botocore 1.44.8, `DescribeSecret`).
fn replica(primary: &Value) -> Option<Replica> {
    let text = |name| Some(primary.get(name)?.as_str()?.to_owned());
    Some(Replica { primary: text("PrimarySecretARN")?, status: text("ReplicationStatus").unwrap_or_default() })
}

fn policy_names(answer: &Value) -> Option<Vec<String>> {
    let listed = answer.get("ResourcePolicies")?.as_array()?;
    Some(listed.iter().filter_map(|policy| Some(policy.get("PolicyName")?.as_str()?.to_owned())).collect())
}

/// Whom the key's grants let decrypt.
fn grantees(answer: &Value) -> Option<Vec<String>> {
    let grants = answer.get("Grants")?.as_array()?;
    let decrypts = |grant: &&Value| {
        let operations = grant.get("Operations").and_then(Value::as_array);
        operations.is_some_and(|operations| operations.iter().any(|operation| operation == "Decrypt"))
    };
    let named = grants.iter().filter(decrypts).filter_map(|grant| grant.get("GranteePrincipal")?.as_str());
    Some(named.map(str::to_owned).collect())
}

/// When something was made.
fn created(element: &Xml) -> Option<UnixSeconds> {
    element.text_of("CreateDate").and_then(parse_rfc3339)
}

/// A policy's text. IAM encodes it as part of a URL (RFC 3986).
fn document(encoded: &str) -> Option<String> {
    percent_decode_str(encoded).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_with_its_encoded_policy() {
        let text = "<Role><Arn>arn:aws:iam::1:role/a/b</Arn><CreateDate>2026-11-30T12:00:00Z</CreateDate>\
                    <AssumeRolePolicyDocument>%7B%22a%22%3A%20%22%C3%A9%22%7D</AssumeRolePolicyDocument>\
                    <PermissionsBoundary><PermissionsBoundaryArn>arn:b</PermissionsBoundaryArn></PermissionsBoundary></Role>";
        let seen = role(&Xml::parse(text).unwrap()).unwrap();
        assert_eq!(seen.trust_policy, "{\"a\": \"é\"}");
        assert_eq!((seen.created_at, seen.boundary.as_deref()), (parse_rfc3339("2026-11-30T12:00:00Z"), Some("arn:b")));
        assert_eq!(role(&Xml::parse("<Role><Arn>x</Arn></Role>").unwrap()), None);
    }

    #[test]
    fn principals_are_told_by_their_arns() {
        let told = |arn: &str| kind_of(arn).map(|(kind, name)| (kind.element, name.to_owned()));
        assert_eq!(told("arn:aws:iam::1:role/a/b/reader"), Some(("Role", "reader".into())));
        assert_eq!(told("arn:aws:sts::1:assumed-role/reader/session"), Some(("Role", "reader".into())));
        assert_eq!(told("arn:aws:iam::1:user/me"), Some(("User", "me".into())));
        assert_eq!((told("arn:aws:iam::1:root"), told("x")), (None, None));
    }

    #[test]
    fn a_secret_is_read_without_a_value() {
        let answer = json!({ "ARN": "arn:s", "KmsKeyId": "k", "DeletedDate": 1.5,
            "VersionIdsToStages": { "a": ["AWSCURRENT", "x"], "b": ["AWSPREVIOUS"] } });
        let seen = secret_in_force(&answer).unwrap();
        assert_eq!((seen.deleted_at, seen.stages.len(), seen.replica), (Some(1), 3, None));
        let primary = json!({ "PrimarySecretARN": "arn:p", "ReplicationStatus": "InProgress" });
        let copied = secret_in_force(&json!({ "ARN": "arn:s", "CrossAccountPrimary": primary })).unwrap();
        assert_eq!(copied.replica, Some(Replica { primary: "arn:p".into(), status: "InProgress".into() }));
        let grants = json!({ "Grants": [
            { "GranteePrincipal": "a", "Operations": ["Encrypt"] }, { "GranteePrincipal": "b", "Operations": ["Decrypt"] }
        ]});
        assert_eq!(grantees(&grants), Some(vec!["b".to_owned()]));
        assert_eq!(policy_names(&json!({ "ResourcePolicies": [{ "PolicyName": "default" }] })).unwrap(), ["default"]);
    }
}
