//! Credentials the lab has given out, and who holds them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use secrecy::{ExposeSecret as _, SecretString};

use super::LabError;
use super::changing::Changing;
use super::clock::now;
use super::keys::random_text;
use super::world::{AwsWorld, Policy, Role};

const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Who signs a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// An IAM user, by name.
    User(String),
    /// A session of a role.
    Session {
        /// The role's name, without its path.
        role: String,
        session_name: String,
        /// Policies passed along when the session was made; they narrow it.
        session_policies: Vec<String>,
    },
}

/// A set of temporary credentials.
pub(super) struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: SecretString,
    pub session_token: SecretString,
    /// Seconds since the epoch.
    pub expires: i64,
}

struct Issued {
    secret_access_key: SecretString,
    session_token: Option<SecretString>,
    expires: Option<i64>,
    caller: Caller,
}

/// What a key id stands for.
pub(super) struct Found {
    pub secret_access_key: SecretString,
    pub session_token: Option<SecretString>,
    pub expires: Option<i64>,
    pub caller: Caller,
}

/// The account: its world, which IAM's operations change, and the sessions made in it.
pub(super) struct Account {
    world: Changing<AwsWorld>,
    issued: Mutex<HashMap<String, Issued>>,
    started: Instant,
}

/// A unique id, as IAM makes them: four letters that tell the kind, and 17 of chance.
pub(super) fn unique_id(kind: &str) -> Result<String, LabError> {
    Ok(format!("{kind}{}", random_text(17, BASE32)?))
}

impl Account {
    pub(super) fn new(mut world: AwsWorld) -> Result<Self, LabError> {
        // What is not present is kept out of everything from here on.
        world.providers.retain(|_, provider| provider.present);
        world.roles.retain(|_, role| role.present);
        world.users.retain(|_, user| user.present);
        let mut issued = HashMap::new();
        for (name, user) in &world.users {
            let key = Issued {
                secret_access_key: SecretString::from(user.secret_access_key.clone()),
                session_token: None,
                expires: None,
                caller: Caller::User(name.clone()),
            };
            issued.insert(user.access_key_id.clone(), key);
        }
        let created_at = now();
        for role in world.roles.values_mut() {
            (role.id, role.created_at) = (unique_id("AROA")?, created_at);
        }
        for user in world.users.values_mut() {
            (user.id, user.created_at) = (unique_id("AIDA")?, created_at);
        }
        for provider in world.providers.values_mut() {
            provider.created_at = created_at;
        }
        Ok(Account { world: Changing::new(world), issued: Mutex::new(issued), started: Instant::now() })
    }

    /// The account as it is now.
    pub(super) fn world(&self) -> Arc<AwsWorld> {
        self.world.now()
    }

    /// Changes the account.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut AwsWorld) -> R) -> R {
        self.world.change(change)
    }

    /// The role that STS knows under this ARN: in this account, spelt exactly so, and no longer too new.
    pub(super) fn role(&self, arn: &str) -> Option<(String, Role)> {
        let world = self.world();
        let (name, role) = world.roles.iter().find(|(name, role)| world.role_arn(name, role) == arn)?;
        (self.started.elapsed().as_secs() >= role.effective_after_s).then(|| (name.clone(), role.clone()))
    }

    /// Makes a session of the role and keeps it.
    pub(super) fn open_session(&self, caller: Caller, expires: i64) -> Result<Credentials, LabError> {
        let credentials = Credentials {
            access_key_id: format!("ASIA{}", random_text(16, BASE32)?),
            secret_access_key: SecretString::from(random_text(40, BASE64)?),
            session_token: SecretString::from(random_text(356, BASE64)?),
            expires,
        };
        let issued = Issued {
            secret_access_key: credentials.secret_access_key.clone(),
            session_token: Some(credentials.session_token.clone()),
            expires: Some(expires),
            caller,
        };
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).insert(credentials.access_key_id.clone(), issued);
        Ok(credentials)
    }

    /// Makes an access key of the user and keeps it.
    pub(super) fn open_access_key(&self, user: &str) -> Result<(String, SecretString), LabError> {
        let access_key_id = format!("AKIA{}", random_text(16, BASE32)?);
        let secret_access_key = SecretString::from(random_text(40, BASE64)?);
        let issued = Issued {
            secret_access_key: secret_access_key.clone(),
            session_token: None,
            expires: None,
            caller: Caller::User(user.to_owned()),
        };
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).insert(access_key_id.clone(), issued);
        Ok((access_key_id, secret_access_key))
    }

    /// The ids of the user's access keys.
    pub(super) fn access_keys(&self, user: &str) -> Vec<String> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let of_user = |issued: &Issued| issued.caller == Caller::User(user.to_owned());
        let mut ids: Vec<String> = issued.iter().filter(|(_, key)| of_user(key)).map(|(id, _)| id.clone()).collect();
        ids.sort();
        ids
    }

    /// What the access key id stands for.
    pub(super) fn find(&self, access_key_id: &str) -> Option<Found> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.get(access_key_id).map(|issued| Found {
            secret_access_key: SecretString::from(issued.secret_access_key.expose_secret().to_owned()),
            session_token: issued.session_token.clone(),
            expires: issued.expires,
            caller: issued.caller.clone(),
        })
    }

    /// The caller's ARN, as it stands in answers and in denials.
    pub(super) fn arn(&self, caller: &Caller) -> String {
        let account = &self.world().account;
        match caller {
            Caller::User(name) => format!("arn:aws:iam::{account}:user/{name}"),
            Caller::Session { role, session_name, .. } => {
                format!("arn:aws:sts::{account}:assumed-role/{role}/{session_name}")
            }
        }
    }

    /// The caller's unique id.
    pub(super) fn user_id(&self, caller: &Caller) -> String {
        let world = self.world();
        match caller {
            Caller::User(name) => world.users.get(name).map(|user| user.id.clone()).unwrap_or_default(),
            Caller::Session { role, session_name, .. } => {
                format!("{}:{session_name}", world.roles.get(role).map_or("", |role| role.id.as_str()))
            }
        }
    }

    /// The ARN that policies name the caller by: the user's, or the role's.
    pub(super) fn principal_arn(&self, caller: &Caller) -> String {
        match caller {
            Caller::User(_) => self.arn(caller),
            Caller::Session { role: name, .. } => {
                let world = self.world();
                world.roles.get(name).map(|role| world.role_arn(name, role)).unwrap_or_default()
            }
        }
    }

    /// The identity policies that speak for the caller.
    pub(super) fn identity_policies(&self, caller: &Caller) -> Vec<String> {
        let world = self.world();
        let (inline, attached) = match caller {
            Caller::User(name) => world.users.get(name).map(|user| (&user.policies, &user.attached)),
            Caller::Session { role, .. } => world.roles.get(role).map(|role| (&role.policies, &role.attached)),
        }
        .unzip();
        let managed = attached.into_iter().flatten().filter_map(|name| world.policies.get(name)).map(|p| &p.document);
        inline.into_iter().flat_map(BTreeMap::values).chain(managed).map(Policy::text).collect()
    }
}
