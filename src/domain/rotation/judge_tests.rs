//! Every verdict as a row: what the store and the runtime showed, and what follows.

use super::super::fingerprint::Fingerprint;
use super::super::runtime_output::RuntimeOutput;
use super::snapshot::{CURRENT, PENDING, PREVIOUS, Place, Sibling, Store, StoreSnapshot, Version};
use super::*;
use crate::domain::fingerprint::{Variant, VariantFingerprint};

fn print(value: &str) -> Fingerprint {
    Fingerprint::of(value.as_bytes())
}

/// A version `id=value`, with its label behind `@`; `?` for a value that was not read.
fn version(text: &str) -> Version {
    let (text, stage) = text.split_once('@').map_or((text, None), |(text, stage)| (text, Some(stage)));
    let (id, value) = text.split_once('=').unwrap();
    Version {
        id: id.to_owned(),
        stages: stage.map(|s| format!("AWS{s}")).into_iter().collect(),
        enabled: true,
        created_at: None,
        fingerprint: (value != "?").then(|| print(value)),
        guessability: None,
        variants: vec![VariantFingerprint {
            variant: Variant::TrailingNewline,
            fingerprint: print(&format!("{value}\n")),
        }],
    }
}

/// A snapshot of such versions; the first is the current one.
fn snapshot(store: Store, versions: &str) -> Option<StoreSnapshot> {
    if versions.is_empty() {
        return None;
    }
    let versions: Vec<Version> = versions.split(' ').map(version).collect();
    Some(StoreSnapshot {
        place: Place { store, location: "here".into() },
        at: 0,
        secret_id: None,
        current: versions[0].id.clone(),
        versions,
        sibling: Some(Sibling { name: "db_password".into(), fingerprint: print("sibling") }),
        unseen: Vec::new(),
    })
}

fn sighting(output: &str) -> Option<RuntimeObservation> {
    (!output.is_empty()).then(|| RuntimeObservation {
        began: 0,
        at: 0,
        source: Source::Text,
        failed: output == "failed",
        output: RuntimeOutput::of(output),
    })
}

fn line(value: &str) -> String {
    format!("credential.fingerprint={}", print(value).as_str())
}

fn judged(store: Store, before: &str, after: &str, runtime_before: &str, runtime_after: &str) -> Judgement {
    let (before, after) = (snapshot(store, before), snapshot(store, after));
    let (runtime_before, runtime_after) = (sighting(runtime_before), sighting(runtime_after));
    judge(&Facts {
        store_before: before.as_ref(),
        store_after: after.as_ref(),
        runtime_before: runtime_before.as_ref(),
        runtime_after: runtime_after.as_ref(),
    })
}

#[test]
fn every_verdict_on_aws() {
    use Verdict::*;
    let (old, new) = ("1=old@CURRENT 0=older@PREVIOUS", "2=new@CURRENT 1=old@PREVIOUS");
    let newline = line("new\n");
    let both = format!("{}\n{}", line("new"), line("another secret's"));
    for (before, after, seen, verdict) in [
        (old, new, line("new"), Propagated),
        (old, new, both, Propagated),
        (old, new, format!("{}\n{}", line("old"), line("new")), Propagated),
        (old, new, line("old"), Stale),
        (old, new, format!("{}\n{}", line("new"), line("old")), Stale),
        (old, new, line("old\n"), Stale),
        (old, old, line("old"), NotRotated),
        (old, old, String::new(), NotRotated),
        (old, "2=old@CURRENT 1=old@PREVIOUS", line("old"), NewVersionSameValue),
        (old, "0=older@CURRENT 1=old@PREVIOUS", line("older"), RolledBack),
        (old, "1=old@CURRENT 2=new@PREVIOUS", line("old"), RolledBack),
        (old, "3=older@CURRENT 1=old@PREVIOUS", line("older"), RolledBack),
        (old, "3=old@CURRENT 2=new@PREVIOUS", line("old"), RolledBack),
        (old, "1=old@CURRENT 0=older@PREVIOUS 2=new@PENDING", line("old"), PendingStuck),
        (old, new, line("of another region"), Foreign),
        (old, "2=new@CURRENT 1=old@PREVIOUS 0=older", line("older"), Foreign),
        (old, new, newline, NearMiss),
        (old, new, line("sibling"), NearMiss),
        (old, new, String::new(), Inconclusive),
        (old, new, "ERROR: API_KEY env var is not set.".to_owned(), Inconclusive),
        (old, new, "nothing of use".to_owned(), Inconclusive),
        (old, new, "failed".to_owned(), Inconclusive),
        ("", new, line("new"), Inconclusive),
        (old, "", line("new"), Inconclusive),
        (old, "2=?@CURRENT 1=old@PREVIOUS", line("new"), Inconclusive),
    ] {
        let found = judged(Store::AwsSecretsManager, before, after, "", &seen);
        assert_eq!(found.verdict, verdict, "{before} -> {after}, runtime {seen}: {found:?}");
    }
}

#[test]
fn every_verdict_on_azure() {
    use Verdict::*;
    let (old, new) = ("b=old a=older", "c=new b=old a=older");
    for (before, after, seen, verdict) in [
        (old, new, line("new"), Propagated),
        (old, new, line("old"), Stale),
        (old, old, line("old"), NotRotated),
        (old, "c=old b=old a=older", line("old"), NewVersionSameValue),
        (old, "c=older b=old a=older", line("older"), RolledBack),
        (old, "d=old c=new b=old a=older", line("old"), RolledBack),
        (old, new, line("of another vault"), Foreign),
        (old, new, line("older"), Foreign),
        (old, new, line("new\n"), NearMiss),
        (old, new, line("sibling"), NearMiss),
        (old, new, String::new(), Inconclusive),
    ] {
        let found = judged(Store::AzureKeyVault, before, after, "", &seen);
        assert_eq!(found.verdict, verdict, "{before} -> {after}, runtime {seen}: {found:?}");
    }
}

#[test]
fn what_decided_is_told() {
    let (old, new) = ("1=old@CURRENT", "2=new@CURRENT 1=old@PREVIOUS");
    let why = |before: &str, seen: &str| judged(Store::AwsSecretsManager, old, new, before, seen).why;
    assert_eq!(why("", &line("new\n")), Why::HasVariant { variant: Variant::TrailingNewline });
    assert_eq!(why("", &line("old\n")), Why::HasPrevious { variant: Some(Variant::TrailingNewline) });
    assert_eq!(why("", &line("sibling")), Why::HasSibling { name: "db_password".into() });
    assert_eq!(why("", &line("x")), Why::MatchesNothing { unchanged: None });
    assert_eq!(why(&line("x"), &line("x")), Why::MatchesNothing { unchanged: Some(true) });
    assert_eq!(why(&line("old"), &line("x")), Why::MatchesNothing { unchanged: Some(false) });
    let unset = "ERROR: API_KEY env var is not set.";
    assert_eq!(why("", unset), Why::VariableNotSet { variable: "API_KEY".into() });
}

#[test]
fn a_rotation_that_was_made_is_seen_in_one_snapshot() {
    for (store, versions) in [
        (
            Store::AwsSecretsManager,
            format!("2=new@{} 1=old@{} 3=next@{}", &CURRENT[3..], &PREVIOUS[3..], &PENDING[3..]),
        ),
        (Store::AzureKeyVault, "2=new 1=old 0=older".to_owned()),
    ] {
        let after = snapshot(store, &versions).unwrap();
        let before = after.before_last_write().unwrap();
        assert_eq!(before.current().unwrap().fingerprint, Some(print("old")));
        assert!(before.version("2").is_none() && before.version("3").is_none());
    }
    assert_eq!(snapshot(Store::AwsSecretsManager, "1=old@CURRENT").unwrap().before_last_write(), None);
}
