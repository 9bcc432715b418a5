//! Credentials the lab has given out, and who holds them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use secrecy::{ExposeSecret as _, SecretString};

use super::LabError;
use super::denials::{Denials, NamedPolicy};
use super::journal::Journal;
use super::keys::random_text;
use super::server::now;
use super::trail::Trail;
use super::world::SharedState;
use super::world::{AwsWorld, Policy, Role};
use crate::domain::timestamp::rfc3339;

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
        /// Its session tags.
        tags: BTreeMap<String, String>,
    },
}

/// The condition keys of a call, and their values.
pub(super) type Keys = Vec<(Cow<'static, str>, String)>;

impl Caller {
    /// The condition keys that tell of the caller and the moment, and are in every signed call
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>).
    pub(super) fn keys(&self, account: &Account) -> Keys {
        let now = now();
        let mut keys: Keys = vec![
            ("aws:PrincipalArn".into(), account.principal_arn(self)),
            ("aws:PrincipalAccount".into(), account.world().account.clone()),
            ("aws:userid".into(), account.user_id(self)),
            ("aws:SecureTransport".into(), "true".to_owned()),
            ("aws:ViaAWSService".into(), "false".to_owned()),
            ("aws:PrincipalIsAWSService".into(), "false".to_owned()),
            ("aws:SourceIp".into(), "127.0.0.1".to_owned()),
            ("aws:EpochTime".into(), now.to_string()),
        ];
        keys.extend(rfc3339(now).map(|time| ("aws:CurrentTime".into(), time)));
        match self {
            Caller::User(name) => {
                keys.push(("aws:PrincipalType".into(), "User".to_owned()));
                keys.push(("aws:username".into(), name.clone()));
            }
            Caller::Session { tags, .. } => {
                keys.push(("aws:PrincipalType".into(), "AssumedRole".to_owned()));
                keys.extend(tags.iter().map(|(tag, value)| (format!("aws:PrincipalTag/{tag}").into(), value.clone())));
            }
        }
        keys
    }
}

/// A set of temporary credentials.
pub(super) struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: SecretString,
    pub session_token: SecretString,
    /// Seconds since the epoch.
    pub expires: i64,
}

/// The most sessions that an account remembers: a client that exchanges in a loop would fill the memory before the first
/// of its sessions expires.
const MAX_SESSIONS: usize = 10_000;

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

/// The credentials that an account has given out.
#[derive(Default)]
struct Issues {
    by_key: HashMap<String, Issued>,
    /// The key ids of sessions, the oldest first.
    sessions: VecDeque<String>,
}

impl Issues {
    /// Keeps a session, and forgets the oldest ones that have expired by `now` or are too many.
    fn add_session(&mut self, key_id: String, issued: Issued, now: i64) {
        let expired = |issued: &Issued| issued.expires.is_some_and(|expires| expires <= now);
        while let Some(oldest) = self.sessions.front()
            && (self.sessions.len() >= MAX_SESSIONS || self.by_key.get(oldest).is_none_or(expired))
        {
            self.by_key.remove(oldest);
            self.sessions.pop_front();
        }
        self.sessions.push_back(key_id.clone());
        self.by_key.insert(key_id, issued);
    }
}

/// The account: its world, which IAM's operations change, and the sessions made in it.
pub(super) struct Account {
    world: SharedState<AwsWorld>,
    issued: Mutex<Issues>,
    started: Instant,
    /// Reads of IAM that were refused for having been asked too often.
    too_often: AtomicU32,
    /// What was asked with its keys.
    pub(super) journal: Journal,
    /// What CloudTrail has of it.
    pub(super) trail: Trail,
    /// What was denied, for IAM's toolbox.
    pub(super) denials: Denials,
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
        let mut issued = Issues::default();
        for (name, user) in &world.users {
            let key = Issued {
                secret_access_key: SecretString::from(user.secret_access_key.clone()),
                session_token: user.session_token.clone().map(SecretString::from),
                expires: user.expires_s.map(|seconds| now() + seconds),
                caller: Caller::User(name.clone()),
            };
            issued.by_key.insert(user.access_key_id.clone(), key);
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
        let world = SharedState::new(world);
        Ok(Account {
            world,
            issued: Mutex::new(issued),
            started: Instant::now(),
            too_often: AtomicU32::new(0),
            journal: Journal::default(),
            trail: Trail::default(),
            denials: Denials::default(),
        })
    }

    fn issued(&self) -> MutexGuard<'_, Issues> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account as it is now.
    pub(super) fn world(&self) -> Arc<AwsWorld> {
        self.world.now()
    }

    /// Changes the account.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut AwsWorld) -> R) -> R {
        self.world.change(change)
    }

    /// Whether this read of IAM is one too many.
    pub(super) fn is_too_often(&self) -> bool {
        let most = self.world().throttled_reads;
        let counted = |refused: u32| (refused < most).then_some(refused + 1);
        self.too_often.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted).is_ok()
    }

    /// The role that STS knows under this ARN: in this account, spelt exactly so, and no longer too new.
    pub(super) fn role(&self, arn: &str) -> Option<(String, Role)> {
        let world = self.world();
        let (name, role) = world.roles.iter().find(|(name, role)| world.role_arn(name, role) == arn)?;
        let age = self.started.elapsed().as_secs();
        let mut role = Some(role).filter(|role| age >= role.effective_after_s)?.clone();
        if let Some(former) = role.former_trust_policy.take().filter(|_| age < role.trust_effective_after_s) {
            role.trust_policy = former;
        }
        Some((name.clone(), role))
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
        self.issued().add_session(credentials.access_key_id.clone(), issued, now());
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
        self.issued().by_key.insert(access_key_id.clone(), issued);
        Ok((access_key_id, secret_access_key))
    }

    /// Takes an access key away; whether there was one of this user.
    pub(super) fn close_access_key(&self, user: &str, id: &str) -> bool {
        let mut issued = self.issued();
        let of_user = issued.by_key.get(id).is_some_and(|key| key.caller == Caller::User(user.to_owned()));
        of_user && issued.by_key.remove(id).is_some()
    }

    /// The ids of the user's access keys.
    pub(super) fn access_keys(&self, user: &str) -> Vec<String> {
        let issued = self.issued();
        let of_user = |issued: &Issued| issued.caller == Caller::User(user.to_owned());
        let mut ids: Vec<String> =
            issued.by_key.iter().filter(|(_, key)| of_user(key)).map(|(id, _)| id.clone()).collect();
        ids.sort();
        ids
    }

    /// What the access key id stands for.
    pub(super) fn find(&self, access_key_id: &str) -> Option<Found> {
        self.issued().by_key.get(access_key_id).map(|issued| Found {
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

    /// The policy that bounds what the caller's identity policies may grant, where there is one.
    pub(super) fn boundary(&self, caller: &Caller) -> Option<NamedPolicy> {
        let Caller::Session { role, .. } = caller else { return None };
        let world = self.world();
        let name = world.roles.get(role)?.boundary.as_ref()?;
        world.policies.get(name).map(|policy| NamedPolicy {
            arn: Some(world.policy_arn(name, policy)),
            attached_to: self.principal_arn(caller),
            text: policy.document.text(),
        })
    }

    /// The identity policies that speak for the caller.
    pub(super) fn identity_policies(&self, caller: &Caller) -> Vec<String> {
        self.named_identity_policies(caller).into_iter().map(|policy| policy.text).collect()
    }

    /// The same, with what they are called.
    pub(super) fn named_identity_policies(&self, caller: &Caller) -> Vec<NamedPolicy> {
        let attached_to = self.principal_arn(caller);
        let named = |arn, policy: &Policy| NamedPolicy { arn, attached_to: attached_to.clone(), text: policy.text() };
        let world = self.world();
        let (inline, attached) = match caller {
            Caller::User(name) => world.users.get(name).map(|user| (&user.policies, &user.attached)),
            Caller::Session { role, .. } => world.roles.get(role).map(|role| (&role.policies, &role.attached)),
        }
        .unzip();
        let managed = attached.into_iter().flatten().filter_map(|name| world.policies.get_key_value(name));
        let managed = managed.map(|(name, policy)| named(Some(world.policy_arn(name, policy)), &policy.document));
        inline.into_iter().flat_map(BTreeMap::values).map(|policy| named(None, policy)).chain(managed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(expires: i64) -> Issued {
        Issued {
            secret_access_key: SecretString::from("s"),
            session_token: None,
            expires: Some(expires),
            caller: Caller::User("u".into()),
        }
    }

    #[test]
    fn sessions_are_freed_once_expired_and_never_too_many() {
        let mut issues = Issues::default();
        issues.by_key.insert("AKIA".into(), Issued { expires: None, ..session(0) });
        for n in 0..2 * MAX_SESSIONS {
            issues.add_session(n.to_string(), session(1000), 0);
        }
        assert_eq!(issues.sessions.len(), MAX_SESSIONS);
        assert!(issues.by_key.contains_key(&(2 * MAX_SESSIONS - 1).to_string()), "the newest stay");
        issues.add_session("next".into(), session(2000), 1000);
        let kept: Vec<&str> = issues.sessions.iter().map(String::as_str).collect();
        assert_eq!(kept, ["next"]);
        assert!(issues.by_key.contains_key("AKIA") && issues.by_key.len() == 2, "an access key does not expire");
    }
}
