//! The files as a session leaves them, and as others may have left them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::domain::fingerprint::guess::Guessability;
use crate::domain::rotation::evidence::check::{parse, read};
use crate::domain::rotation::evidence::{ChainEnd, Document};
use crate::domain::rotation::{
    self as rotations, Judgement, RuntimeObservation, Source, Store, StoreSnapshot, Verdict, Version,
};
use crate::domain::runtime_output::RuntimeOutput;
use crate::report::rotation::evidence::markdown as evidence_as_markdown;
use crate::run::rotation::event::Phase;

const GUESSABLE: &str = "summer";

fn snapshot(id: &str, value: &str) -> StoreSnapshot {
    StoreSnapshot {
        place: rotations::Place { store: Store::AwsSecretsManager, location: "us-east-1".into() },
        at: 1,
        secret_id: None,
        current: id.into(),
        versions: vec![Version {
            id: id.into(),
            stages: Vec::new(),
            enabled: true,
            created_at: None,
            fingerprint: Some(Fingerprint::of(value.as_bytes())),
            variants: Vec::new(),
            guessability: Some(Guessability::Pattern),
        }],
        sibling: None,
        unseen: Vec::new(),
    }
}

fn events(way: RotationMethod) -> Vec<RotationKind> {
    let secret = || "s".to_owned();
    let output = RuntimeOutput::of(Fingerprint::of(GUESSABLE.as_bytes()).as_str());
    let sighting = RuntimeObservation { began: 1, at: 2, source: Source::Text, failed: false, output };
    let judgement = Judgement { verdict: Verdict::Stale, why: Why::HasPrevious { variant: None } };
    vec![
        RotationKind::Started {
            profile: "p".into(),
            guide: "aws-workload-identity".into(),
            started: "2026-01-01T00:00:00Z".into(),
            secrets: vec![secret()],
            way,
            runtime: true,
        },
        RotationKind::StoreSeen { secret: secret(), moment: Phase::Before, snapshot: snapshot("v1", GUESSABLE) },
        RotationKind::RuntimeSeen { moment: Phase::Before, sighting },
        RotationKind::Writing { secret: secret() },
        RotationKind::Written { secret: secret(), version: "v2".into(), at: 5 },
        RotationKind::StoreSeen { secret: secret(), moment: Phase::After, snapshot: snapshot("v2", "winter") },
        RotationKind::Judged(Box::new(Judged {
            secret: secret(),
            judgement,
            propagated_ms: None,
            findings: Vec::new(),
        })),
        RotationKind::Done { duration_ms: 9, cut_short: None },
    ]
}

fn note(files: &mut RotationFiles, kinds: &[RotationKind]) {
    for (kind, seq) in kinds.iter().zip(0..) {
        files.note(&RotationEvent { seq, at_ms: 0, kind: kind.clone() }).unwrap();
    }
}

fn place(folder: &Path) -> Place {
    Place { folder: folder.join("state"), profile: "p.key".into(), session: "p.json".into() }
}

fn all_text(folder: &Path) -> String {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { all_text(&path) } else { fs::read_to_string(path).unwrap() })
        .collect()
}

#[test]
fn a_session_is_kept_until_it_is_judged_and_shows_no_guessable_fingerprint() {
    let folder = tempfile::tempdir().unwrap();
    let (place, evidence) = (place(folder.path()), folder.path().join("e.json"));
    let kinds = events(RotationMethod::Trustline);
    for seen in 0..=kinds.len() {
        let _ = fs::remove_file(place.folder.join("p.json"));
        let mut files = RotationFiles::open(Some(&place), Some(&evidence)).unwrap();
        note(&mut files, &kinds[..seen]);
        drop(files);
        let kept = RotationFiles::open(Some(&place), None).unwrap().interrupted().unwrap();
        assert_eq!(kept.is_some(), (2..kinds.len()).contains(&seen), "{seen}");
        if let Some(kept) = kept {
            assert_eq!(kept.begun, seen > 3);
            let earlier = kept.earlier();
            assert_eq!(earlier.stores, [("s".to_owned(), snapshot("v1", GUESSABLE))]);
            assert_eq!(earlier.runtime.is_some(), seen > 2);
            assert_eq!(earlier.written, if seen > 4 { vec![("s".to_owned(), 5)] } else { Vec::new() });
        }
        let bare = Fingerprint::of(GUESSABLE.as_bytes()).as_str().to_owned();
        assert!(!all_text(folder.path()).contains(&bare), "{seen}");
    }
    let chain = read(&fs::read_to_string(&evidence).unwrap()).unwrap();
    assert_eq!((chain.records(), chain.breaks()), (1, Vec::new()));
    assert!(fs::read_to_string(folder.path().join("e.md")).unwrap().contains("## 1. s: stale"));
    for file in [&evidence, &folder.path().join("e.md"), &place.folder.join("p.key")] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn what_goes_on_keeps_that_it_had_begun() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = events(RotationMethod::ByHand);
    let mut files = RotationFiles::open(Some(&place(folder.path())), None).unwrap();
    note(&mut files, &kinds[..5]);
    let beside = RotationFiles::open(Some(&place(folder.path())), None).unwrap();
    assert_eq!(beside.interrupted().unwrap(), None, "a session that goes on was not interrupted");
    drop((files, beside));
    let mut again = RotationFiles::open(Some(&place(folder.path())), None).unwrap();
    again.go_on(again.interrupted().unwrap().unwrap());
    note(&mut again, &kinds[..3]);
    let kept = again.interrupted().unwrap().unwrap();
    assert!(kept.begun && kept.earlier().written == [("s".to_owned(), 5)]);
}

#[test]
fn watching_and_looking_back_keep_no_session() {
    let folder = tempfile::tempdir().unwrap();
    for way in [RotationMethod::Watch, RotationMethod::Already] {
        let mut files = RotationFiles::open(Some(&place(folder.path())), None).unwrap();
        note(&mut files, &events(way)[..6]);
        assert_eq!(files.interrupted().unwrap(), None);
    }
}

#[test]
fn a_watch_writes_down_each_rotation_as_it_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("e.json");
    let mut files = RotationFiles::open(None, Some(&evidence)).unwrap();
    let kinds = events(RotationMethod::Watch);
    note(&mut files, &kinds[..7]);
    note(&mut files, &kinds[1..]);
    assert_eq!(parse(&fs::read_to_string(&evidence).unwrap()).unwrap().records.len(), 2);
}

#[test]
fn what_stands_in_the_way_is_told_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("other.json"), "{\"schema\":\"else\"}").unwrap();
    symlink(at("nowhere"), at("link.json")).unwrap();
    let mut broken = Document::new(ChainEnd::new([0; 16]));
    broken.head.records = 2;
    fs::write(at("broken.json"), serde_json::to_string(&broken).unwrap()).unwrap();
    fs::create_dir(at("folder.json")).unwrap();
    for (name, said) in [
        ("other.json", "schema `else`"),
        ("link.json", "symbolic link"),
        ("broken.json", "the last 2 records are missing"),
        ("folder.json", "is no file"),
        ("a.md", "the name for the Markdown"),
        ("none/e.json", "No such file"),
    ] {
        let refused = RotationFiles::open(None, Some(&at(name))).err().unwrap();
        assert!(refused.message.contains(said), "{name}: {}", refused.message);
    }
    assert!(!at("nowhere").exists());
}

#[test]
fn a_key_that_others_can_read_or_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path());
    let id = |place: &Place| RotationFiles::open(Some(place), None).map(|files| files.key.id());
    let first = id(&place).unwrap();
    assert_eq!(id(&place).unwrap(), first, "it is kept");
    let path = place.folder.join("p.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(id(&place).unwrap_err().message.contains("read by others"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "é".repeat(32)).unwrap();
    assert!(id(&place).unwrap_err().message.contains("is no key"));
    fs::remove_file(&path).unwrap();
    assert_ne!(id(&place).unwrap(), first);
}

#[test]
fn many_at_a_time_lose_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("e.json");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    note(&mut RotationFiles::open(None, Some(&evidence)).unwrap(), &events(RotationMethod::ByHand));
                }
            });
        }
    });
    let text = fs::read_to_string(&evidence).unwrap();
    let chain = read(&text).unwrap();
    assert_eq!((chain.records(), chain.breaks()), (20, Vec::new()));
    // Whether they were written anew or went on, they are the same.
    let document = parse(&text).unwrap();
    assert_eq!(text, document.to_text().unwrap());
    let markdown = fs::read_to_string(evidence.with_extension("md")).unwrap();
    assert_eq!(markdown, evidence_as_markdown(&document));
}

#[test]
fn files_of_another_layout_are_written_anew_and_one_that_was_broken_meanwhile_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("e.json");
    let add = || note(&mut RotationFiles::open(None, Some(&evidence)).unwrap(), &events(RotationMethod::ByHand));
    add();
    let document = parse(&fs::read_to_string(&evidence).unwrap()).unwrap();
    fs::write(&evidence, serde_json::to_string(&document).unwrap()).unwrap();
    fs::write(evidence.with_extension("md"), "notes").unwrap();
    add();
    let document = parse(&fs::read_to_string(&evidence).unwrap()).unwrap();
    assert_eq!(document.records.len(), 2);
    assert_eq!(fs::read_to_string(evidence.with_extension("md")).unwrap(), evidence_as_markdown(&document));

    let mut files = RotationFiles::open(None, Some(&evidence)).unwrap();
    let broken = fs::read_to_string(&evidence).unwrap().replacen("by-hand", "by-hind", 1);
    fs::write(&evidence, &broken).unwrap();
    let refused = events(RotationMethod::ByHand)
        .into_iter()
        .zip(0..)
        .find_map(|(kind, seq)| files.note(&RotationEvent { seq, at_ms: 0, kind }).err());
    assert!(refused.is_some_and(|refused| refused.contains("record 1 was changed")));
    assert_eq!(fs::read_to_string(&evidence).unwrap(), broken);
}
