//! Credentials the lab has given out, and who holds them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use secrecy::{ExposeSecret as _, SecretString};

use super::LabError;
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

/// The account: its world, and the sessions made in it.
pub(super) struct Account {
    pub world: AwsWorld,
    role_ids: HashMap<String, String>,
    issued: Mutex<HashMap<String, Issued>>,
    started: Instant,
}

impl Account {
    pub(super) fn new(world: AwsWorld) -> Result<Self, LabError> {
        let mut issued = HashMap::new();
        for (name, user) in world.users.iter().filter(|(_, user)| user.present) {
            let key = Issued {
                secret_access_key: SecretString::from(user.secret_access_key.clone()),
                session_token: None,
                expires: None,
                caller: Caller::User(name.clone()),
            };
            issued.insert(user.access_key_id.clone(), key);
        }
        let mut role_ids = HashMap::new();
        for name in world.roles.keys() {
            role_ids.insert(name.clone(), format!("AROA{}", random_text(17, BASE32)?));
        }
        Ok(Account { world, role_ids, issued: Mutex::new(issued), started: Instant::now() })
    }

    /// The role that STS knows under this ARN: present, in this account, spelt exactly so, and no longer too new.
    pub(super) fn role(&self, arn: &str) -> Option<(&str, &Role)> {
        let (name, role) = self
            .world
            .roles
            .iter()
            .find(|(name, role)| role.present && format!("{}{}", self.role_arn_start(&role.path), name) == arn)?;
        (self.started.elapsed().as_secs() >= role.effective_after_s).then_some((name.as_str(), role))
    }

    fn role_arn_start(&self, path: &str) -> String {
        format!("arn:aws:iam::{}:role{path}", self.world.account)
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
        let account = &self.world.account;
        match caller {
            Caller::User(name) => format!("arn:aws:iam::{account}:user/{name}"),
            Caller::Session { role, session_name, .. } => {
                format!("arn:aws:sts::{account}:assumed-role/{role}/{session_name}")
            }
        }
    }

    /// The caller's unique id.
    pub(super) fn user_id(&self, caller: &Caller) -> String {
        match caller {
            Caller::User(name) => self
                .world
                .users
                .get(name)
                .map_or_else(String::new, |user| format!("AIDA{}", user.access_key_id.trim_start_matches("AKIA"))),
            Caller::Session { role, session_name, .. } => format!("{}:{session_name}", self.role_id(role)),
        }
    }

    /// The role's unique id.
    pub(super) fn role_id(&self, role: &str) -> &str {
        self.role_ids.get(role).map_or("", String::as_str)
    }

    /// The ARN that policies name the caller by: the user's, or the role's.
    pub(super) fn principal_arn(&self, caller: &Caller) -> String {
        match caller {
            Caller::User(_) => self.arn(caller),
            Caller::Session { role, .. } => {
                let path = self.world.roles.get(role).map_or("/", |role| role.path.as_str());
                format!("{}{role}", self.role_arn_start(path))
            }
        }
    }

    /// The identity policies that speak for the caller.
    pub(super) fn identity_policies(&self, caller: &Caller) -> Vec<String> {
        let policies = match caller {
            Caller::User(name) => self.world.users.get(name).map(|user| &user.policies),
            Caller::Session { role, .. } => self.world.roles.get(role).map(|role| &role.policies),
        };
        policies.into_iter().flatten().map(|(_, policy)| Policy::text(policy)).collect()
    }
}
