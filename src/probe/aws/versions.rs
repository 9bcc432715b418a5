//! A secret's versions and stages, as a reader sees them: `GetSecretValue` by stage, which the guides' role may call, and
//! `ListSecretVersionIds` where that is allowed too.

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use futures_util::future::join_all;

use super::{AwsTarget, Session, foreign, refused, secret_read, value_of};
use crate::check::facts::secret::SecretRead;
use crate::check::facts::secret::{Answer, Call};
use crate::domain::rotation::snapshot::{CURRENT, PENDING, PREVIOUS};
use crate::domain::rotation::{Place, Sibling, Store, StoreSnapshot, Version};
use crate::domain::secret_ref::SecretRef;
use crate::domain::timestamp::{UnixMillis, UnixSeconds};
use crate::probe::http::ObservedClient;
use crate::probe::new_value::NewValue;

/// Versions without a stage whose values are read too, newest first.
const MOST_OLDER: usize = 4;

/// Which version to read.
#[derive(Clone, Copy)]
enum Which<'a> {
    Stage(&'a str),
    Id(&'a str),
}

impl AwsTarget {
    /// The id of the current version, by `GetSecretValue`; the value is wiped unread.
    pub async fn current_version(&self, session: &Session, secret: &SecretRef) -> Call<String> {
        let client = self.http.client();
        let answer = match self.read(&client, session, secret, Which::Stage(CURRENT)).await {
            Ok(read) => Answer::Granted(read.version_id.unwrap_or_default()),
            Err(answer) => answer,
        };
        self.call(&client, answer)
    }

    /// The versions that can be seen now, with fingerprints. `at` is the local time of the call.
    pub async fn snapshot(&self, session: &Session, secret: &SecretRef, at: UnixMillis) -> Call<StoreSnapshot> {
        let client = self.http.client();
        let (current, previous, pending, listed, sibling) = tokio::join!(
            self.read(&client, session, secret, Which::Stage(CURRENT)),
            self.staged(session, secret, PREVIOUS),
            self.staged(session, secret, PENDING),
            self.listed(session, secret),
            self.sibling(session, secret),
        );
        let current = match current {
            Ok(current) => current,
            Err(answer) => return self.call(&client, answer),
        };
        let secret_id = current.id.clone();
        let current = current.into_version();
        let mut snapshot = StoreSnapshot {
            place: Place { store: Store::AwsSecretsManager, location: self.region.clone() },
            at,
            secret_id,
            current: current.id.clone(),
            versions: vec![current],
            sibling,
            unseen: Vec::new(),
        };
        for staged in [previous, pending] {
            match staged {
                Ok(Some(version)) if snapshot.version(&version.id).is_none() => snapshot.versions.push(version),
                Ok(_) => {}
                Err(why) => snapshot.unseen.push(why),
            }
        }
        self.add_listed(session, secret, &mut snapshot, listed).await;
        self.call(&client, Answer::Granted(snapshot))
    }

    async fn read<T>(
        &self,
        client: &ObservedClient,
        session: &Session,
        secret: &SecretRef,
        which: Which<'_>,
    ) -> Result<SecretRead, Answer<T>> {
        let request = self.secrets(client, session).get_secret_value().secret_id(&secret.name);
        let request = match which {
            // A condition on the stage can deny a read that names none, and a policy one that names it.
            Which::Stage(CURRENT) => request,
            Which::Stage(stage) => request.version_stage(stage),
            Which::Id(id) => request.version_id(id),
        };
        let mut output = request.send().await.map_err(refused)?;
        secret_read(&mut output, secret).ok_or_else(|| foreign("version"))
    }

    /// The version under a label; none where no version has it. The error says why it could not be seen.
    async fn staged(&self, session: &Session, secret: &SecretRef, stage: &str) -> Result<Option<Version>, String> {
        let read = self.read::<()>(&self.http.client(), session, secret, Which::Stage(stage)).await;
        match read {
            Ok(read) => Ok(Some(read.into_version())),
            Err(Answer::Refused(refusal)) if refusal.code == "ResourceNotFoundException" => Ok(None),
            Err(Answer::Refused(refusal)) => Err(format!("the version under {stage}: {}", refusal.code)),
            Err(_) => Err(format!("the version under {stage}: no answer that can be read")),
        }
    }

    /// All versions without their values; where they may not be listed, those with a label, out of the list of secrets.
    async fn listed(&self, session: &Session, secret: &SecretRef) -> Option<Vec<Version>> {
        let client = self.http.client();
        let request = self.secrets(&client, session).list_secret_version_ids().secret_id(&secret.name);
        // Refused where only the guides' policy is attached, which is no fault.
        let Ok(output) = request.include_deprecated(true).max_results(100).send().await else {
            return self.labelled(session, secret).await;
        };
        let versions = output.versions().iter().filter_map(|entry| {
            let created_at = entry.created_date().map(aws_smithy_types::DateTime::secs);
            Some(unread(entry.version_id()?, entry.version_stages(), created_at))
        });
        Some(versions.collect())
    }

    /// The versions with a label, from `ListSecrets`. It may lag five minutes behind, so what it says of the current
    /// version is left out.
    async fn labelled(&self, session: &Session, secret: &SecretRef) -> Option<Vec<Version>> {
        let client = self.http.client();
        let name = secret.name.rsplit_once(":secret:").map_or(secret.name.as_str(), |(_, name)| name);
        let by_name = Filter::builder().key(FilterNameStringType::Name).values(name).build();
        let output = self.secrets(&client, session).list_secrets().filters(by_name).send().await.ok()?;
        let entry = output.secret_list().iter().find(|s| [s.name(), s.arn()].contains(&Some(&secret.name)))?;
        let labelled = entry.secret_versions_to_stages()?.iter();
        let others = labelled.filter(|(_, stages)| !stages.iter().any(|stage| stage == CURRENT));
        Some(others.map(|(id, stages)| unread(id, stages, None)).collect())
    }

    /// Adds the versions that no label leads to; of the newest ones the values are read too.
    async fn add_listed(
        &self,
        session: &Session,
        secret: &SecretRef,
        snapshot: &mut StoreSnapshot,
        listed: Option<Vec<Version>>,
    ) {
        let Some(listed) = listed else { return };
        let mut others: Vec<Version> = listed.into_iter().filter(|v| snapshot.version(&v.id).is_none()).collect();
        others.sort_by_key(|version| std::cmp::Reverse(version.created_at));
        let reads = others.iter().take(MOST_OLDER).map(|version| async {
            self.read::<()>(&self.http.client(), session, secret, Which::Id(&version.id)).await.ok()
        });
        let mut read = join_all(reads).await.into_iter();
        for version in others {
            let known = read.next().flatten().map(SecretRead::into_version);
            snapshot.versions.push(known.unwrap_or(version));
        }
    }

    /// The secret whose name has `_` for `-` or the reverse, where there is one that may be read.
    async fn sibling(&self, session: &Session, secret: &SecretRef) -> Option<Sibling> {
        let other = secret.other_spelling()?;
        let read = self.read::<()>(&self.http.client(), session, &other, Which::Stage(CURRENT)).await.ok()?;
        Some(Sibling { fingerprint: read.into_version().fingerprint?, name: other.name })
    }
}

/// A version whose value was not read.
fn unread(id: &str, stages: &[String], created_at: Option<UnixSeconds>) -> Version {
    Version {
        id: id.to_owned(),
        stages: stages.to_vec(),
        enabled: true,
        created_at,
        fingerprint: None,
        guessability: None,
        variants: Vec::new(),
    }
}

impl AwsTarget {
    /// `PutSecretValue`: the value becomes the current version; yields its id. Of `name#key` only the field is replaced,
    /// after the document has been read.
    pub async fn put_secret_value(&self, session: &Session, secret: &SecretRef, value: &NewValue) -> Call<String> {
        let client = self.http.client();
        let document = match &secret.json_key {
            None => Ok(value.to_text()),
            Some(key) => {
                let read = self.secrets(&client, session).get_secret_value().secret_id(&secret.name).send().await;
                match read {
                    Ok(mut output) => value_of(&mut output)
                        .with_new(key, value)
                        .map_err(|error| Answer::NotSent { detail: error.to_string() }),
                    Err(error) => Err(refused(error)),
                }
            }
        };
        let answer = match document {
            Ok(text) => {
                let request = self.secrets(&client, session).put_secret_value().secret_id(&secret.name);
                match request.secret_string(text.as_str()).send().await {
                    Ok(output) => {
                        output.version_id().map_or_else(|| foreign("version"), |id| Answer::Granted(id.to_owned()))
                    }
                    Err(error) => refused(error),
                }
            }
            Err(answer) => answer,
        };
        self.call(&client, answer)
    }

    /// `UpdateSecretVersionStage`: moves `AWSCURRENT` from one version to another.
    pub async fn move_current(&self, session: &Session, secret: &SecretRef, from: &str, to: &str) -> Call<()> {
        let client = self.http.client();
        let request = self.secrets(&client, session).update_secret_version_stage().secret_id(&secret.name);
        let request = request.version_stage(CURRENT).remove_from_version_id(from).move_to_version_id(to);
        let answer = match request.send().await {
            Ok(_) => Answer::Granted(()),
            Err(error) => refused(error),
        };
        self.call(&client, answer)
    }
}
