//! Users and their access keys.

use secrecy::ExposeSecret as _;

use super::document::{self, Kind};
use super::role::LONGEST_POLICY_NAME;
use super::{AwsError, Call, Element, Iam, Outcome, add, date, done, exists, in_use, no_such, page, whole};
use crate::lab::server::now;
use crate::lab::session::{Caller, unique_id};
use crate::lab::world::{Policy, User};

const LONGEST_NAME: usize = 64;
/// How many access keys a user may have.
const MOST_KEYS: usize = 2;

impl Iam {
    pub(super) fn create_user(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let name = call.name("UserName", LONGEST_NAME)?.to_owned();
        self.authorize(call, "CreateUser", &self.user_arn(&name))?;
        let id = unique_id("AIDA").map_err(|error| AwsError::internal(error.to_string()))?;
        let user = User { id, created_at: now(), ..User::default() };
        let result = vec![self.user_element(&name, &user)];
        let added = self.account.change(|world| add(&mut world.users, &name, user));
        if added {
            Ok(Outcome { action: "CreateUser", result })
        } else {
            Err(exists(format!("User with name {name} already exists.")))
        }
    }

    pub(super) fn get_user(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, user) = self.named_user(call, "GetUser")?;
        Ok(Outcome { action: "GetUser", result: vec![self.user_element(&name, &user)] })
    }

    /// The lab's users are in no group.
    pub(super) fn list_groups_for_user(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        self.named_user(call, "ListGroupsForUser")?;
        Ok(Outcome { action: "ListGroupsForUser", result: whole(Element::of("Groups", Vec::new())) })
    }

    pub(super) fn put_user_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (user, _) = self.named_user(call, "PutUserPolicy")?;
        let name = call.name("PolicyName", LONGEST_POLICY_NAME)?.to_owned();
        let policy = call.required("PolicyDocument")?;
        document::check(policy, Kind::Permissions, &self.account.world())?;
        self.change_user(&user, |user| drop(user.policies.insert(name, Policy::Text(policy.to_owned()))));
        Ok(done("PutUserPolicy"))
    }

    pub(super) fn create_access_key(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (user, _) = self.named_user(call, "CreateAccessKey")?;
        if self.account.access_keys(&user).len() >= MOST_KEYS {
            let message = format!("Cannot exceed quota for AccessKeysPerUser: {MOST_KEYS}");
            return Err(AwsError::new("LimitExceeded", 409, message));
        }
        let (id, secret) =
            self.account.open_access_key(&user).map_err(|error| AwsError::internal(error.to_string()))?;
        let members = vec![
            Element::text("UserName", user),
            Element::text("AccessKeyId", id),
            Element::text("Status", "Active"),
            Element::text("SecretAccessKey", secret.expose_secret()),
            date("CreateDate", now()),
        ];
        Ok(Outcome { action: "CreateAccessKey", result: vec![Element::of("AccessKey", members)] })
    }

    pub(super) fn delete_user(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, user) = self.named_user(call, "DeleteUser")?;
        if !self.account.access_keys(&name).is_empty() {
            return Err(in_use("Cannot delete entity, must delete access keys first."));
        }
        if !user.policies.is_empty() || !user.attached.is_empty() {
            return Err(in_use("Cannot delete entity, must delete policies first."));
        }
        self.account.change(|world| drop(world.users.remove(&name)));
        Ok(done("DeleteUser"))
    }

    pub(super) fn get_user_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (user_name, user) = self.named_user(call, "GetUserPolicy")?;
        let name = call.name("PolicyName", LONGEST_POLICY_NAME)?;
        let policy = user.policies.get(name).ok_or_else(|| no_such_user_policy(name))?;
        let result = vec![
            Element::text("UserName", user_name),
            Element::text("PolicyName", name),
            Element::text("PolicyDocument", document::encoded(&policy.text())),
        ];
        Ok(Outcome { action: "GetUserPolicy", result })
    }

    pub(super) fn list_user_policies(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (_, user) = self.named_user(call, "ListUserPolicies")?;
        let names = user.policies.into_keys().map(|name| Element::text("member", name)).collect();
        let result = page(call, "PolicyNames", names)?;
        Ok(Outcome { action: "ListUserPolicies", result })
    }

    pub(super) fn delete_user_policy(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (user_name, user) = self.named_user(call, "DeleteUserPolicy")?;
        let name = call.name("PolicyName", LONGEST_POLICY_NAME)?;
        if !user.policies.contains_key(name) {
            return Err(no_such_user_policy(name));
        }
        self.change_user(&user_name, |user| drop(user.policies.remove(name)));
        Ok(done("DeleteUserPolicy"))
    }

    pub(super) fn list_access_keys(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, _) = self.named_user(call, "ListAccessKeys")?;
        let entry = |id: String| {
            let members = vec![
                Element::text("UserName", name.clone()),
                Element::text("AccessKeyId", id),
                Element::text("Status", "Active"),
            ];
            Element::of("member", members)
        };
        let keys = self.account.access_keys(&name).into_iter().map(entry).collect();
        Ok(Outcome { action: "ListAccessKeys", result: whole(Element::of("AccessKeyMetadata", keys)) })
    }

    /// Whose key it is, above all; of its use the lab keeps nothing.
    pub(super) fn access_key_last_used(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let id = call.required("AccessKeyId")?;
        let owner = match self.account.find(id).map(|found| found.caller) {
            Some(Caller::User(name)) => name,
            _ => String::new(),
        };
        self.authorize(call, "GetAccessKeyLastUsed", &self.user_arn(&owner))?;
        if owner.is_empty() {
            return Err(no_such(format!("The Access Key with id {id} cannot be found")));
        }
        let last = vec![Element::text("Region", "N/A"), Element::text("ServiceName", "N/A")];
        let result = vec![Element::text("UserName", owner), Element::of("AccessKeyLastUsed", last)];
        Ok(Outcome { action: "GetAccessKeyLastUsed", result })
    }

    pub(super) fn delete_access_key(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (name, _) = self.named_user(call, "DeleteAccessKey")?;
        let id = call.required("AccessKeyId")?;
        if self.account.close_access_key(&name, id) {
            Ok(done("DeleteAccessKey"))
        } else {
            Err(no_such(format!("The Access Key with id {id} cannot be found.")))
        }
    }

    /// The user that the call names, if the caller may do `action` on them.
    pub(super) fn named_user(&self, call: &Call<'_>, action: &str) -> Result<(String, User), AwsError> {
        let name = call.name("UserName", LONGEST_NAME)?;
        self.authorize(call, action, &self.user_arn(name))?;
        match self.account.world().users.get(name) {
            Some(user) => Ok((name.to_owned(), user.clone())),
            None => Err(no_such(format!("The user with name {name} cannot be found."))),
        }
    }

    pub(super) fn change_user(&self, name: &str, change: impl FnOnce(&mut User)) {
        self.account.change(|world| world.users.get_mut(name).map(change));
    }

    pub(super) fn user_arn(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:user/{name}", self.account.world().account)
    }

    fn user_element(&self, name: &str, user: &User) -> Element {
        let members = vec![
            Element::text("Path", "/"),
            Element::text("UserName", name),
            Element::text("UserId", user.id.clone()),
            Element::text("Arn", self.user_arn(name)),
            date("CreateDate", user.created_at),
        ];
        Element::of("User", members)
    }
}

fn no_such_user_policy(name: &str) -> AwsError {
    no_such(format!("The user policy with name {name} cannot be found."))
}
