//! Rotations to look at: a secret before and after, judged by the program's own verdicts.

use secrecy::SecretBox;
use trustline::cause::rotation::{ReadAt, findings};
use trustline::domain::fingerprint::Fingerprint;
use trustline::domain::fingerprint::guess::guessability;
use trustline::domain::fingerprint::keyed::{FingerprintKey, KEY_BYTES};
use trustline::domain::fingerprint::{Variant, VariantFingerprint};
use trustline::domain::rotation::{Facts, Place, RuntimeObservation, Source, Store, StoreSnapshot, Version, judge};
use trustline::domain::runtime_output::RuntimeOutput;
use trustline::run::rotation::event::{Awaited, Judged, Part, Phase, RotationEvent, RotationKind, RotationMethod};
use trustline::run::rotation::keyed::KeyedRotation;

use super::sample::NOW_MS;

pub const SECRET: &str = "crewai-test-keyword";
const OLD: &str = "a4d7c9b2-5e0f-4c1b-9a6d-0f3e2b7c8d91";
const NEW: &str = "e1f2a3b4-6c5d-4e7f-8a9b-1c2d3e4f5a6b";

fn version(id: &str, value: &str, stage: &str, created_at: i64) -> Version {
    Version {
        id: id.into(),
        stages: vec![stage.into()],
        enabled: true,
        created_at: Some(created_at),
        fingerprint: Some(Fingerprint::of(value.as_bytes())),
        guessability: Some(guessability(value.as_bytes())),
        variants: vec![VariantFingerprint {
            variant: Variant::TrailingNewline,
            fingerprint: Fingerprint::of(format!("{value}\n").as_bytes()),
        }],
    }
}

fn snapshot(at: i64, versions: Vec<Version>) -> StoreSnapshot {
    StoreSnapshot {
        place: Place { store: Store::AwsSecretsManager, location: "us-east-1".into() },
        at,
        secret_id: Some(format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{SECRET}-a1b2c3")),
        current: versions[0].id.clone(),
        versions,
        sibling: None,
        unseen: vec![],
    }
}

pub fn before() -> StoreSnapshot {
    snapshot(NOW_MS, vec![version(OLD, "old", "AWSCURRENT", NOW_MS / 1000 - 8_000_000)])
}

pub fn after() -> StoreSnapshot {
    let written = NOW_MS / 1000 + 4;
    let old = version(OLD, "old", "AWSPREVIOUS", NOW_MS / 1000 - 8_000_000);
    snapshot(NOW_MS + 5_000, vec![version(NEW, "rotated value", "AWSCURRENT", written), old])
}

pub fn sighting(at: i64, id: &str, output: &str) -> RuntimeObservation {
    RuntimeObservation {
        began: at - 1_500,
        at,
        source: Source::Kickoff { kickoff_id: id.into() },
        failed: false,
        output: RuntimeOutput::of(output),
    }
}

fn line(value: &str) -> String {
    let print = Fingerprint::of(value.as_bytes());
    format!("Workload identity config 'aws-prod' (aws): 1 secret(s) resolved\ncredential.fingerprint={print}")
}

/// Events with their numbers and times, in the form in which a screen gets them.
pub struct Script {
    pub events: Vec<RotationEvent>,
    keyed: KeyedRotation,
}

impl Script {
    pub fn of(kinds: Vec<RotationKind>) -> Self {
        let none = Script { events: Vec::new(), keyed: KeyedRotation::default() };
        kinds.into_iter().fold(none, Script::then)
    }

    pub fn then(mut self, kind: RotationKind) -> Self {
        let key = FingerprintKey::new(SecretBox::new(Box::new([1; KEY_BYTES])));
        let kind = self.keyed.apply(&key, kind).unwrap();
        let seq = self.events.len() as u64;
        self.events.push(RotationEvent { seq, at_ms: seq * 700, kind });
        self
    }
}

fn beginning(way: RotationMethod, secrets: &[&str]) -> Vec<RotationKind> {
    vec![
        RotationKind::Started {
            profile: "prod-aws".into(),
            guide: "aws-workload-identity".into(),
            started: "2026-03-01T12:00:00Z".into(),
            secrets: secrets.iter().map(|name| (*name).to_owned()).collect(),
            way,
            runtime: true,
        },
        RotationKind::Acting {
            part: Part::Reader,
            identity: "arn:aws:sts::123456789012:assumed-role/crewai-secrets-reader/trustline".into(),
        },
        RotationKind::ClockSkew { seconds: 2 },
        seen(SECRET, Phase::Before, before()),
        RotationKind::Looking { moment: Phase::Before },
        RotationKind::RuntimeSeen { moment: Phase::Before, sighting: sighting(NOW_MS + 1_000, "k-0001", &line("old")) },
    ]
}

pub fn seen(secret: &str, moment: Phase, snapshot: StoreSnapshot) -> RotationKind {
    RotationKind::StoreSeen { secret: secret.into(), moment, snapshot }
}

/// By hand: waiting for the person.
pub fn asked() -> Script {
    let command = format!(
        "aws secretsmanager put-secret-value --region us-east-1 --secret-id {SECRET} --secret-string file:///dev/stdin"
    );
    Script::of(beginning(RotationMethod::ByHand, &[SECRET]))
        .then(RotationKind::Asked { secret: SECRET.into(), command })
        .then(RotationKind::Waiting { awaited: Awaited::Store, attempt: 5, next_ms: 8_000 })
}

/// The new value is in the store, and the automation still has another.
pub fn waiting_for_runtime() -> Script {
    let mut script = asked()
        .then(RotationKind::Written { secret: SECRET.into(), version: NEW.into(), at: NOW_MS + 4_000 })
        .then(seen(SECRET, Phase::After, after()));
    script = script.then(RotationKind::RuntimeSeen {
        moment: Phase::After,
        sighting: sighting(NOW_MS + 7_000, "k-0002", &line("old")),
    });
    script.then(RotationKind::Waiting { awaited: Awaited::Runtime, attempt: 2, next_ms: 4_000 })
}

/// A whole session whose automation shows this in the end; what it shows decides the verdict.
pub fn ended(after: &StoreSnapshot, output: &str) -> Script {
    let runtime = sighting(NOW_MS + 13_200, "k-0003", output);
    let runtime_before = sighting(NOW_MS + 1_000, "k-0001", &line("old"));
    let before = before();
    let facts = Facts {
        store_before: Some(&before),
        store_after: Some(after),
        runtime_before: Some(&runtime_before),
        runtime_after: Some(&runtime),
    };
    let judgement = judge(&facts);
    let propagated = judgement.verdict == trustline::domain::rotation::Verdict::Propagated;
    let judged = Judged {
        secret: SECRET.into(),
        findings: findings(&judgement, &facts, ReadAt::Kickoff),
        judgement,
        propagated_ms: propagated.then_some(9_200),
    };
    waiting_for_runtime()
        .then(seen(SECRET, Phase::After, after.clone()))
        .then(RotationKind::RuntimeSeen { moment: Phase::After, sighting: runtime })
        .then(RotationKind::Judged(Box::new(judged)))
}

fn done(script: Script) -> Script {
    script.then(RotationKind::Done { duration_ms: 13_900, cut_short: None })
}

pub fn propagated() -> Script {
    done(ended(&after(), &line("rotated value")))
}

pub fn stale() -> Script {
    ended(&after(), &line("old")).then(RotationKind::RollBackOffered { secret: SECRET.into(), version: OLD.into() })
}

pub fn near_miss() -> Script {
    done(ended(&after(), &line("rotated value\n")))
}

pub fn foreign() -> Script {
    done(ended(&after(), &line("of another region")))
}

pub fn not_rotated() -> Script {
    done(ended(&before(), &line("old")))
}

pub fn inconclusive() -> Script {
    done(ended(&after(), "all is well"))
}

/// Two secrets, watched; one has rotated twice.
pub fn watched() -> Script {
    let mut script = Script::of(beginning(RotationMethod::Watch, &[SECRET, "stripe/api#key"]));
    script = script.then(seen("stripe/api#key", Phase::Before, before()));
    for event in propagated().events.into_iter().rev().take(2) {
        if let RotationKind::Judged(judged) = event.kind {
            script = script.then(seen(SECRET, Phase::After, after())).then(RotationKind::Judged(judged));
        }
    }
    script.then(RotationKind::Waiting { awaited: Awaited::Store, attempt: 41, next_ms: 15_000 })
}

/// All of these.
pub fn all() -> Vec<Script> {
    vec![asked(), waiting_for_runtime(), propagated(), stale(), watched()]
}
