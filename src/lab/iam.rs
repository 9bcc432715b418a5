//! Identity and Access Management: what policies say, and the operations of the guides' commands, which change the
//! account for everybody who looks next.

mod account;
mod document;
mod policy;
mod provider;
mod role;
mod ruling;
mod user;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use http::Method;

pub(super) use ruling::{Named, Ruling, about_caller, is_policy, rule, rule_by_principal, trust_allows};

use super::fetcher::Fetcher;
use super::journal::Journal;
use super::json_protocol::AwsError;
use super::keys::random_uuid;
use super::query::{Constraints, Element, Outcome, Parameters, Protocol, Shown};
use super::server::{Request, Response, Service};
use super::session::{Account, Caller};
use super::world::AwsWorld;
use crate::domain::timestamp::rfc3339;

const QUERY: Protocol =
    Protocol { service: "iam", version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" };

/// The IAM of one lab.
pub(super) struct Iam {
    account: Arc<Account>,
    fetcher: Fetcher,
    /// SHA-1 of the certificate that the lab's authority signs with.
    thumbprint: String,
}

/// A request whose sender is known.
struct Call<'a> {
    caller: &'a Caller,
    parameters: &'a Parameters,
    /// How many items a page has where the call does not say.
    page_size: usize,
}

impl Call<'_> {
    /// The name that a parameter gives: 1 to `longest` letters, digits and `_+=,.@-`.
    fn name(&self, parameter: &str, longest: usize) -> Result<&str, AwsError> {
        let value = self.parameters.get(parameter);
        let member = format!("{}{}", parameter[..1].to_lowercase(), &parameter[1..]);
        let mut constraints = Constraints::default();
        constraints.length(&member, value, (1, longest), Shown::Plainly);
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        constraints.pattern(&member, value.unwrap_or_default(), "[\\w+=,.@-]+", allowed);
        constraints.check()?;
        Ok(value.unwrap_or_default())
    }

    /// A parameter that must be there.
    fn required(&self, parameter: &str) -> Result<&str, AwsError> {
        let value = self.parameters.get(parameter);
        let member = format!("{}{}", parameter[..1].to_lowercase(), &parameter[1..]);
        let mut constraints = Constraints::default();
        constraints.length(&member, value, (1, 131_072), Shown::Plainly);
        constraints.check()?;
        Ok(value.unwrap_or_default())
    }

    /// The path of what is to be made; `/` where none is given.
    fn path(&self) -> Result<String, AwsError> {
        let path = self.parameters.get("Path").unwrap_or("/");
        if path.starts_with('/') && path.ends_with('/') && path.bytes().all(|b| (0x21..0x7f).contains(&b)) {
            return Ok(path.to_owned());
        }
        Err(AwsError::validation(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
        ))
    }
}

impl Iam {
    pub(super) fn new(account: Arc<Account>, fetcher: Fetcher, thumbprint: String) -> Self {
        Iam { account, fetcher, thumbprint }
    }

    async fn act(&self, request: &Request) -> Result<Outcome, AwsError> {
        let parameters = QUERY.read(request)?;
        let sender = QUERY.authenticate(request, &self.account)?;
        let page_size = self.account.world().page_size.unwrap_or(PAGE);
        let call = Call { caller: &sender.caller, parameters: &parameters, page_size };
        let action = parameters.get("Action").unwrap_or_default();
        if ["Get", "List"].iter().any(|verb| action.starts_with(verb)) && self.account.is_too_often() {
            return Err(AwsError::new("Throttling", 400, "Rate exceeded"));
        }
        match action {
            "CreateOpenIDConnectProvider" => self.create_provider(&call).await,
            "GetOpenIDConnectProvider" => self.get_provider(&call),
            "ListOpenIDConnectProviders" => self.list_providers(&call),
            "UpdateOpenIDConnectProviderThumbprint" => self.update_thumbprint(&call),
            "AddClientIDToOpenIDConnectProvider" => self.add_client_id(&call),
            "RemoveClientIDFromOpenIDConnectProvider" => self.remove_client_id(&call),
            "DeleteOpenIDConnectProvider" => self.delete_provider(&call),
            "GetAccountAuthorizationDetails" => self.account_details(&call),
            "CreateRole" => self.create_role(&call),
            "GetRole" => self.get_role(&call),
            "ListRoles" => self.list_roles(&call),
            "UpdateRole" => self.update_role(&call),
            "DeleteRole" => self.delete_role(&call),
            "PutRolePermissionsBoundary" => self.put_boundary(&call),
            "DeleteRolePermissionsBoundary" => self.delete_boundary(&call),
            "UpdateAssumeRolePolicy" => self.update_trust(&call),
            "PutRolePolicy" => self.put_role_policy(&call),
            "GetRolePolicy" => self.get_role_policy(&call),
            "ListRolePolicies" => self.list_role_policies(&call),
            "DeleteRolePolicy" => self.delete_role_policy(&call),
            "CreatePolicy" => self.create_policy(&call),
            "GetPolicy" => self.get_policy(&call),
            "DeletePolicy" => self.delete_policy(&call),
            "ListPolicyVersions" => self.list_policy_versions(&call),
            "GetPolicyVersion" => self.get_policy_version(&call),
            "CreatePolicyVersion" => self.create_policy_version(&call),
            "SetDefaultPolicyVersion" => self.set_default_policy_version(&call),
            "DeletePolicyVersion" => self.delete_policy_version(&call),
            "DetachRolePolicy" => self.detach_role_policy(&call),
            "DetachUserPolicy" => self.detach_user_policy(&call),
            "ListAttachedUserPolicies" => self.list_attached_user_policies(&call),
            "AttachRolePolicy" => self.attach_role_policy(&call),
            "ListAttachedRolePolicies" => self.list_attached_role_policies(&call),
            "AttachUserPolicy" => self.attach_user_policy(&call),
            "CreateUser" => self.create_user(&call),
            "GetUser" => self.get_user(&call),
            "ListGroupsForUser" => self.list_groups_for_user(&call),
            "DeleteUser" => self.delete_user(&call),
            "GetUserPolicy" => self.get_user_policy(&call),
            "ListUserPolicies" => self.list_user_policies(&call),
            "DeleteUserPolicy" => self.delete_user_policy(&call),
            "ListAccessKeys" => self.list_access_keys(&call),
            "GetAccessKeyLastUsed" => self.access_key_last_used(&call),
            "DeleteAccessKey" => self.delete_access_key(&call),
            "PutUserPolicy" => self.put_user_policy(&call),
            "CreateAccessKey" => self.create_access_key(&call),
            _ => Err(QUERY.unknown_action(&parameters)),
        }
    }

    /// Whether the caller's policies allow the action on the resource.
    fn authorize(&self, call: &Call<'_>, action: &str, resource: &str) -> Result<(), AwsError> {
        let action = format!("iam:{action}");
        let context = call.caller.keys(&self.account);
        let identity = rule(&self.account.identity_policies(call.caller), &action, resource, &context);
        let session = match call.caller {
            Caller::Session { session_policies, .. } if !session_policies.is_empty() => {
                rule(session_policies, &action, resource, &context)
            }
            _ => Ruling::Allowed,
        };
        let why = match (identity, session) {
            (Ruling::Allowed, Ruling::Allowed) => return Ok(()),
            (Ruling::Denied, _) => "with an explicit deny in an identity-based policy".to_owned(),
            (_, Ruling::Denied) => "with an explicit deny in a session policy".to_owned(),
            (Ruling::Silent, _) => format!("because no identity-based policy allows the {action} action"),
            (_, Ruling::Silent) => format!("because no session policy allows the {action} action"),
        };
        let user = self.account.arn(call.caller);
        let message = format!("User: {user} is not authorized to perform: {action} on resource: {resource} {why}");
        Err(AwsError::new("AccessDenied", 403, message))
    }
}

impl Service for Iam {
    async fn answer(&self, request: Request) -> Response {
        if request.path == Journal::PATH && request.method == Method::GET {
            return Response::new(200, "application/json", self.account.journal.shown().to_string());
        }
        QUERY.answer(&random_uuid(), self.act(&request).await)
    }
}

/// `NoSuchEntity`, 404.
fn no_such(what: impl Into<String>) -> AwsError {
    AwsError::new("NoSuchEntity", 404, what)
}

/// `EntityAlreadyExists`, 409.
fn exists(what: impl Into<String>) -> AwsError {
    AwsError::new("EntityAlreadyExists", 409, what)
}

/// `DeleteConflict`, 409.
fn in_use(what: impl Into<String>) -> AwsError {
    AwsError::new("DeleteConflict", 409, what)
}

/// Puts something under a name that is free; whether it was.
fn add<T>(map: &mut BTreeMap<String, T>, name: &str, value: T) -> bool {
    match map.entry(name.to_owned()) {
        Entry::Vacant(free) => {
            free.insert(value);
            true
        }
        Entry::Occupied(_) => false,
    }
}

/// An action that answers nothing.
fn done(action: &'static str) -> Outcome {
    Outcome { action, result: Vec::new() }
}

/// A list of texts.
fn members(name: &'static str, texts: impl IntoIterator<Item = String>) -> Element {
    Element::of(name, texts.into_iter().map(|text| Element::text("member", text)).collect())
}

/// A list that is whole.
fn whole(list: Element) -> Vec<Element> {
    vec![list, Element::text("IsTruncated", "false")]
}

/// How many items a page has, where the world does not say.
const PAGE: usize = 100;

/// The page of a list that the call asks for, and how the next one is asked for.
fn page(call: &Call<'_>, name: &'static str, items: Vec<Element>) -> Result<Vec<Element>, AwsError> {
    let (items, more) = cut(call, items)?;
    Ok(std::iter::once(Element::of(name, items)).chain(more).collect())
}

/// The items of the page that the call asks for, and the elements that say how to go on.
fn cut<T>(call: &Call<'_>, items: Vec<T>) -> Result<(Vec<T>, Vec<Element>), AwsError> {
    let size = match call.parameters.integer("MaxItems")? {
        None => call.page_size,
        Some(size) => usize::try_from(size).ok().filter(|size| (1..=1000).contains(size)).ok_or_else(|| {
            AwsError::validation("Value at 'maxItems' failed to satisfy constraint: Member must be between 1 and 1000")
        })?,
    };
    let start = match call.parameters.get("Marker") {
        None => 0,
        Some(marker) => marker
            .strip_prefix("from-")
            .and_then(|start| start.parse::<usize>().ok())
            .filter(|start| *start <= items.len())
            .ok_or_else(|| AwsError::validation("Invalid Marker."))?,
    };
    let is_truncated = items.len() > start + size;
    let items = items.into_iter().skip(start).take(size).collect();
    let mut more = vec![Element::text("IsTruncated", is_truncated.to_string())];
    if is_truncated {
        more.push(Element::text("Marker", format!("from-{}", start + size)));
    }
    Ok((items, more))
}

fn date(name: &'static str, seconds: i64) -> Element {
    Element::text(name, rfc3339(seconds).unwrap_or_default())
}

/// The resource that a call without one is checked against.
fn anything(world: &AwsWorld, kind: &str) -> String {
    format!("arn:aws:iam::{}:{kind}/*", world.account)
}
