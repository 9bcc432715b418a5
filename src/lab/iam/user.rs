//! Users and their access keys.

use secrecy::ExposeSecret as _;

use super::document::{self, Kind};
use super::role::LONGEST_POLICY_NAME;
use super::{Call, Element, Fault, Iam, Outcome, add, date, done, exists, no_such};
use crate::lab::clock::now;
use crate::lab::session::unique_id;
use crate::lab::world::{Policy, User};

const LONGEST_NAME: usize = 64;
/// How many access keys a user may have.
const MOST_KEYS: usize = 2;

impl Iam {
    pub(super) fn create_user(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let name = call.name("UserName", LONGEST_NAME)?.to_owned();
        self.authorize(call, "CreateUser", &self.user_arn(&name))?;
        let id = unique_id("AIDA").map_err(|error| Fault::internal(error.to_string()))?;
        let user = User { id, created_at: now(), ..User::default() };
        let result = vec![self.user_element(&name, &user)];
        let added = self.account.change(|world| add(&mut world.users, &name, user));
        if added {
            Ok(Outcome { action: "CreateUser", result })
        } else {
            Err(exists(format!("User with name {name} already exists.")))
        }
    }

    pub(super) fn get_user(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (name, user) = self.named_user(call, "GetUser")?;
        Ok(Outcome { action: "GetUser", result: vec![self.user_element(&name, &user)] })
    }

    pub(super) fn put_user_policy(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (user, _) = self.named_user(call, "PutUserPolicy")?;
        let name = call.name("PolicyName", LONGEST_POLICY_NAME)?.to_owned();
        let policy = call.required("PolicyDocument")?;
        document::check(policy, Kind::Permissions, &self.account.world())?;
        self.change_user(&user, |user| drop(user.policies.insert(name, Policy::Text(policy.to_owned()))));
        Ok(done("PutUserPolicy"))
    }

    pub(super) fn create_access_key(&self, call: &Call<'_>) -> Result<Outcome, Fault> {
        let (user, _) = self.named_user(call, "CreateAccessKey")?;
        if self.account.access_keys(&user).len() >= MOST_KEYS {
            let message = format!("Cannot exceed quota for AccessKeysPerUser: {MOST_KEYS}");
            return Err(Fault::new("LimitExceeded", 409, message));
        }
        let (id, secret) = self.account.open_access_key(&user).map_err(|error| Fault::internal(error.to_string()))?;
        let members = vec![
            Element::text("UserName", user),
            Element::text("AccessKeyId", id),
            Element::text("Status", "Active"),
            Element::text("SecretAccessKey", secret.expose_secret()),
            date("CreateDate", now()),
        ];
        Ok(Outcome { action: "CreateAccessKey", result: vec![Element::of("AccessKey", members)] })
    }

    /// The user that the call names, if the caller may do `action` on them.
    pub(super) fn named_user(&self, call: &Call<'_>, action: &str) -> Result<(String, User), Fault> {
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

    fn user_arn(&self, name: &str) -> String {
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
