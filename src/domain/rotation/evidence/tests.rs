//! Records as they are made, and every way in which a chain of them is broken.

use proptest::prelude::*;
use secrecy::SecretBox;
use serde_json::Value;

use super::super::{Place, RuntimeObservation, Source, Store, StoreSnapshot, Version, Why};
use super::check::{Break, parse, read};
use super::*;
use crate::domain::fingerprint::keyed::{KEY_BYTES, KeyedBecause};
use crate::domain::rotation::Verdict;
use crate::domain::runtime_output::RuntimeOutput;

fn key() -> FingerprintKey {
    FingerprintKey::new(SecretBox::new(Box::new([7; KEY_BYTES])))
}

fn snapshot(value: &str, guessability: Option<Guessability>) -> StoreSnapshot {
    StoreSnapshot {
        place: Place { store: Store::AwsSecretsManager, location: "us-east-1".into() },
        at: 1_760_000_000_042,
        secret_id: Some("arn:aws:secretsmanager:us-east-1:123456789012:secret:s-AbCdEf".into()),
        current: "v2".into(),
        versions: vec![Version {
            id: "v2".into(),
            stages: vec!["AWSCURRENT".into()],
            enabled: true,
            created_at: Some(1_760_000_000),
            fingerprint: Some(Fingerprint::of(value.as_bytes())),
            variants: Vec::new(),
            guessability,
        }],
        sibling: None,
        unseen: Vec::new(),
    }
}

fn sighting(value: &str) -> RuntimeObservation {
    let line = format!("credential.fingerprint={}", Fingerprint::of(value.as_bytes()));
    RuntimeObservation {
        began: 1,
        at: 2,
        source: Source::Kickoff { kickoff_id: "k-1".into() },
        failed: false,
        output: RuntimeOutput::of(&line),
    }
}

fn record(value: &str, guessability: Option<Guessability>, runtime: &str) -> Record {
    let (after, seen) = (snapshot(value, guessability), sighting(runtime));
    let judgement = Judgement { verdict: Verdict::Propagated, why: Why::HasCurrent };
    let rotation = Rotation {
        profile: "p",
        guide: "aws-workload-identity",
        secret: "s#k",
        way: "by-hand".into(),
        started: "2025-10-09T08:53:20Z",
        reader: Some("arn:aws:sts::123456789012:assumed-role/r/s"),
        operator: None,
        clock_skew_s: Some(-2),
        store_before: None,
        store_after: Some(&after),
        written: Some(("v2", 1_760_000_000_000)),
        runtime_before: None,
        runtime_after: Some(&seen),
        kickoffs: &["k-1".to_owned()],
        judgement: &judgement,
        propagated_ms: Some(2_000),
        rolled_back_to: None,
    };
    Record::of(&rotation, &key(), "trustline 0.0.0", 1_760_000_001_000)
}

#[test]
fn a_guessable_value_has_no_bare_fingerprint_in_a_record() {
    let bare = Fingerprint::of(b"summer").as_str().to_owned();
    for (guessability, runtime, bare_ones) in [
        (Some(Guessability::Hard), "summer", 2),
        (Some(Guessability::Pattern), "summer", 0),
        (None, "summer", 0),
        // What the runtime holds was never read, and may be guessable.
        (Some(Guessability::Hard), "winter", 1),
    ] {
        let record = record("summer", guessability, runtime);
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(text.matches("\"sha256:").count(), bare_ones, "{text}");
        assert_eq!(text.contains(&bare), bare_ones > 0, "{text}");
        assert_eq!(record.holds_bare_fingerprints, bare_ones > 0);
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }
    let keyed = record("summer", None, "summer");
    let forms: Vec<_> = keyed.fingerprints().collect();
    assert_eq!(forms[0], forms[1], "store and runtime compare in the keyed form");
    assert_eq!(forms[0].keyed_because, Some(KeyedBecause::ValueNotSeen));
}

fn chain(length: usize) -> Document {
    chain_named(length, 1)
}

fn chain_named(length: usize, name: u8) -> Document {
    let mut document = Document::new(ChainEnd::new([name; 16]));
    for n in 0..length {
        document.append(&record(&format!("value {n}"), None, "x")).unwrap();
    }
    document
}

fn check(document: &Document) -> Vec<Break> {
    read(&serde_json::to_string(document).unwrap()).unwrap().breaks()
}

#[test]
fn a_text_goes_on_as_if_it_were_written_anew() {
    let mut document = chain(2);
    let text = document.to_text().unwrap();
    let kept = text.strip_suffix(&text_behind(&document.head)).unwrap();
    let mut end = read(&text).unwrap().end;
    let more: Vec<Record> = ["\"a\\n\"", "b"].map(|value| record(value, None, "x")).into();
    let added: Vec<_> = more.iter().map(|record| end.link(record).unwrap()).collect();
    more.iter().for_each(|record| document.append(record).unwrap());
    assert_eq!(end.head, document.head);
    assert_eq!(kept.to_owned() + &text_going_on(&added, &end.head).unwrap(), document.to_text().unwrap());
}

#[test]
fn a_chain_is_whole_after_it_was_written_and_read() {
    for length in 1..4 {
        let text = serde_json::to_string_pretty(&chain(length)).unwrap();
        assert_eq!(check(&parse(&text).unwrap()), []);
    }
}

#[test]
fn every_way_of_breaking_a_chain_is_named() {
    type Edit = fn(&mut Document);
    let cases: [(Edit, Vec<Break>); 13] = [
        (|d| d.records[1]["way"] = "command".into(), vec![Break::Changed { at: 2 }]),
        (|d| drop(d.records.remove(1)), vec![Break::Removed { at: 2, from: 2, to: 2 }]),
        (|d| drop(d.records.drain(..2)), vec![Break::Removed { at: 1, from: 1, to: 2 }]),
        (
            |d| d.records.swap(1, 2),
            vec![
                Break::Moved { at: 2, sequence: 3 },
                Break::Moved { at: 3, sequence: 2 },
                Break::Moved { at: 4, sequence: 4 },
            ],
        ),
        (|d| drop(d.records.pop()), vec![Break::CutOff { missing: 1 }]),
        (|d| d.records.truncate(1), vec![Break::CutOff { missing: 3 }]),
        (|d| d.records.clear(), vec![Break::CutOff { missing: 4 }]),
        (
            |d| d.records[2] = chain_named(4, 2).records[2].clone(),
            vec![Break::Foreign { at: 3 }, Break::Removed { at: 4, from: 3, to: 3 }],
        ),
        (
            |d| {
                let again = d.records[0].clone();
                d.records.insert(2, again);
            },
            vec![Break::Repeated { at: 3, first: 1 }],
        ),
        (|d| drop(d.records[3].shift_remove("hash")), vec![Break::NotALink { at: 4 }, Break::OtherHead]),
        // Changed, and its own hash made anew.
        (|d| rehash(d, 1), vec![Break::Unlinked { at: 3 }]),
        (|d| rehash(d, 3), vec![Break::OtherHead]),
        (|d| d.head.records = 3, vec![Break::Added { more: 1 }]),
    ];
    for (at, (edit, expected)) in cases.into_iter().enumerate() {
        let mut document = chain(4);
        edit(&mut document);
        assert_eq!(check(&document), expected, "case {at}");
    }
    assert_eq!(check(&Document::new(ChainEnd::new([0; 16]))), [Break::NoRecords]);
}

fn rehash(document: &mut Document, at: usize) {
    let record = &mut document.records[at];
    record["way"] = "command".into();
    let hash = hash_of(record).unwrap();
    record["hash"] = hash.into();
}

#[test]
fn what_is_no_document_is_told() {
    let whole = serde_json::to_string(&chain(1)).unwrap();
    assert!(matches!(parse(&whole[..whole.len() - 9]), Err(Break::NotJson { cut_off: true, .. })));
    assert!(matches!(parse("hello"), Err(Break::NotJson { cut_off: false, .. })));
    assert!(matches!(parse("{}"), Err(Break::NotEvidence { .. })));
    let older = whole.replace(SCHEMA, "trustline.evidence/0");
    assert_eq!(parse(&older), Err(Break::OtherSchema { schema: "trustline.evidence/0".into() }));
}

/// Every place in a document where a value stands that is no object or array.
fn places(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| places(value, format!("{at}/{key}"), found)),
        Value::Array(items) => items.iter().zip(0..).for_each(|(item, n)| places(item, format!("{at}/{n}"), found)),
        _ => found.push(at),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_single_change_goes_unseen(pick in any::<prop::sample::Index>(), replacement in "[a-z0-9:]{0,8}") {
        let mut value = serde_json::to_value(chain(3)).unwrap();
        let mut found = Vec::new();
        places(&value, String::new(), &mut found);
        let place = &found[pick.index(found.len())];
        let old = value.pointer(place).unwrap().clone();
        let new = if old.is_number() { (old.as_i64().unwrap() + 1).into() } else { Value::from(replacement) };
        prop_assume!(new != old);
        *value.pointer_mut(place).unwrap() = new;
        let breaks = parse(&value.to_string()).map_or_else(|broken| vec![broken], |document| check(&document));
        prop_assert!(!breaks.is_empty(), "{place}");
    }

    #[test]
    fn a_text_cut_anywhere_is_never_whole(cut in any::<prop::sample::Index>()) {
        let text = serde_json::to_string(&chain(2)).unwrap();
        let cut = cut.index(text.len());
        let is_not_json = matches!(parse(text.get(..cut).unwrap_or_default()), Err(Break::NotJson { .. }));
        prop_assert!(is_not_json);
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,80}|\\{\"schema\":\"trustline.evidence/1\",\\PC{0,60}\\}") {
        prop_assert!(parse(&text).is_err());
    }
}

#[test]
fn nothing_stands_beside_the_records_and_nothing_twice() {
    let text = serde_json::to_string(&chain_named(4, 2)).unwrap();
    assert!(super::check::parse(&text).is_ok());
    let chain = text.find("\"records\"").unwrap();
    let told = |text: &str| match super::check::parse(text) {
        Err(Break::NotEvidence { detail }) => detail,
        other => panic!("{other:?}"),
    };
    let with = |more: &str| format!("{}{more},{}", &text[..chain], &text[chain..]);
    assert!(told(&with("\"note\":\"approved\"")).contains("note"));
    assert!(told(&with("\"chain\":\"another\"")).contains("duplicate field `chain`"));
    assert!(told(&text.replacen("\"way\":", "\"way\":\"x\",\"way\":", 1)).contains("`way` occurs twice"));
    assert!(told(&text.replacen("\"head\":{", "\"head\":{\"more\":1,", 1)).contains("more"));
}
