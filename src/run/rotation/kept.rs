//! What a rotation session keeps of itself, so that it can go on after an interruption: what was there before, and how far
//! it came. Held in memory with bare fingerprints; in files they are sealed.

use serde::{Deserialize, Serialize};

use super::event::{Moment, RotationEvent, RotationKind, Way};
use super::session::{Earlier, EarlierRun};
use crate::domain::rotation::{Sighting, StoreSnapshot};
use crate::domain::timestamp::UnixMillis;

/// The schema's name.
pub const SCHEMA: &str = "trustline.rotation-session/1";

/// A session as far as it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptSession {
    pub schema: String,
    /// RFC 3339 UTC.
    pub started: String,
    pub profile: String,
    pub way: Way,
    pub secrets: Vec<String>,
    /// Whether the rotation has begun: from here on the store may hold a new version.
    pub begun: bool,
    /// What the store held before.
    pub stores: Vec<KeptStore>,
    /// What the running automation showed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Sighting>,
    /// What was written.
    pub written: Vec<KeptWrite>,
    /// The run of the automation that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<EarlierRun>,
}

/// What the store held of one secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptStore {
    pub secret: String,
    pub snapshot: StoreSnapshot,
}

/// When a new version was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWrite {
    pub secret: String,
    pub at: UnixMillis,
}

impl KeptSession {
    /// A session that begins with this event; none where the event begins none, or one that has no end to go on to.
    pub fn begin(event: &RotationEvent) -> Option<Self> {
        match &event.kind {
            RotationKind::Started { profile, started, secrets, way, .. }
                if !matches!(way, Way::Watch | Way::Already) =>
            {
                Some(KeptSession {
                    schema: SCHEMA.to_owned(),
                    started: started.clone(),
                    profile: profile.clone(),
                    way: *way,
                    secrets: secrets.clone(),
                    begun: false,
                    stores: Vec::new(),
                    runtime: None,
                    written: Vec::new(),
                    run: None,
                })
            }
            _ => None,
        }
    }

    /// Takes in an event; whether that changed what is kept.
    pub fn apply(&mut self, event: &RotationEvent) -> bool {
        match &event.kind {
            RotationKind::StoreSeen { secret, moment: Moment::Before, snapshot } => {
                self.stores.retain(|known| known.secret != *secret);
                self.stores.push(KeptStore { secret: secret.clone(), snapshot: snapshot.clone() });
            }
            RotationKind::KickedOff { moment, kickoff_id, began } => {
                self.run = Some(EarlierRun { moment: *moment, kickoff_id: kickoff_id.clone(), began: *began });
            }
            RotationKind::RuntimeSeen { moment, sighting } => {
                self.run = None;
                if *moment == Moment::Before {
                    self.runtime = Some(sighting.clone());
                }
            }
            RotationKind::Asked { .. } | RotationKind::Writing { .. } if !self.begun => self.begun = true,
            RotationKind::Written { secret, at, .. } => {
                self.begun = true;
                self.written.retain(|known| known.secret != *secret);
                self.written.push(KeptWrite { secret: secret.clone(), at: *at });
            }
            _ => return false,
        }
        true
    }

    /// What a session that goes on has from this one.
    pub fn earlier(&self) -> Earlier {
        Earlier {
            stores: self.stores.iter().map(|kept| (kept.secret.clone(), kept.snapshot.clone())).collect(),
            runtime: self.runtime.clone(),
            written: self.written.iter().map(|kept| (kept.secret.clone(), kept.at)).collect(),
            run: self.run.clone(),
        }
    }
}
