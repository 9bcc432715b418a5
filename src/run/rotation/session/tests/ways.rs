//! Every way of rotating, from the first event to the last.

use super::*;
use crate::run::rotation::event::Part;

#[tokio::test(start_paused = true)]
async fn every_way_ends_in_its_verdict() {
    let before = ["started", "acting", "clock-skew", "store-seen", "looking", "kicked-off", "runtime-seen"];
    let after = ["store-seen", "looking", "kicked-off", "runtime-seen", "judged", "done"];
    let rows: [(RotationMethod, Option<Duration>, &[&str]); 4] = [
        (RotationMethod::ByHand, Some(3 * SECOND), &["asked", "waiting", "waiting", "written"]),
        (RotationMethod::Command, None, &["writing", "written"]),
        (RotationMethod::Trustline, None, &["writing", "acting", "written"]),
        (RotationMethod::Already, Some(Duration::ZERO), &["store-seen"]),
    ];
    for (way, written, between) in rows {
        let fakes = written.into_iter().fold(Fakes::new(), |fakes, at| fakes.with_write(at, "new"));
        let ended = run(request(way), fakes).await;
        assert_eq!(ended.verdicts(), [Verdict::Propagated], "{way:?}");
        assert_eq!(ended.names(), [&before[..], between, &after[..]].concat(), "{way:?}");
        assert_eq!(ended.judged().next().unwrap().propagated_ms.is_some(), way != RotationMethod::Already, "{way:?}");
        assert_eq!(ended.fakes.made(Call::Write), usize::from(way == RotationMethod::Trustline));
        assert_eq!(ended.fakes.made(Call::RunCommand), usize::from(way == RotationMethod::Command));
        assert_eq!(ended.report.kickoffs.len(), 2, "each run is counted once: {way:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn watching_goes_on_after_each_verdict_until_it_is_cancelled() {
    let fakes = Fakes::new()
        .with_write(3 * SECOND, "second")
        .with_write(20 * SECOND, "third")
        .with_write(40 * SECOND, "second");
    let ended = run_with(request(RotationMethod::Watch), fakes, Vec::new(), Some(60 * SECOND)).await;
    assert_eq!(ended.verdicts(), [Verdict::Propagated, Verdict::Propagated, Verdict::RolledBack]);
    assert_eq!(ended.report.end.unwrap().cut_short.as_deref(), Some("interrupted"));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_to_look_where_nothing_is_to_be_looked_at() {
    for way in [RotationMethod::ByHand, RotationMethod::Trustline, RotationMethod::Already] {
        let store_alone = RotationRequest { runtime: RuntimeFrom::Nowhere, ..request(way) };
        let written = if way == RotationMethod::ByHand { SECOND } else { Duration::ZERO };
        let fakes =
            if way == RotationMethod::Trustline { Fakes::new() } else { Fakes::new().with_write(written, "new") };
        let ended = run(store_alone, fakes).await;
        assert_eq!(ended.verdicts(), [Verdict::Inconclusive], "{way:?}");
        assert!(!ended.names().contains(&"looking".to_owned()), "{way:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_secrets_have_a_verdict_each_and_share_a_look_at_the_automation() {
    let secrets = ["first", "second", "third"].map(|name| SecretRef { name: name.into(), json_key: None });
    let all = RotationRequest { secrets: secrets.to_vec(), ..request(RotationMethod::Trustline) };
    let ended = run(all.clone(), Fakes::new()).await;
    // The automation tells the fingerprint of a value that all three have.
    assert_eq!(ended.verdicts(), [Verdict::Propagated; 3]);
    assert_eq!((ended.fakes.made(Call::Write), ended.report.kickoffs.len()), (3, 2));
    let one_alone =
        RotationRequest { way: RotationMethod::Command, pace: Pace { store: 2 * SECOND, ..all.pace }, ..all };
    let ended = run(one_alone, Fakes::new()).await;
    assert_eq!(ended.verdicts(), [Verdict::Propagated, Verdict::NotRotated, Verdict::NotRotated]);
    assert_eq!(ended.report.verdict(), Verdict::NotRotated);
}

#[tokio::test(start_paused = true)]
async fn the_store_and_the_automation_decide_together() {
    let rows: [(&'static str, Prints, Verdict); 6] = [
        ("new", |_, _, current| Some(line(current)), Verdict::Propagated),
        ("new", |_, _, _| Some(line("old")), Verdict::Stale),
        ("new", |_, _, _| Some(line("of another secret")), Verdict::Foreign),
        ("new", |_, _, _| Some("nothing of use".into()), Verdict::Inconclusive),
        ("new", |_, _, _| None, Verdict::Inconclusive),
        ("old", |_, _, current| Some(line(current)), Verdict::NewVersionSameValue),
    ];
    for (value, prints, verdict) in rows {
        let fakes = Fakes { prints, ..Fakes::new().with_write(3 * SECOND, value) };
        let ended = run(request(RotationMethod::ByHand), fakes).await;
        assert_eq!(ended.verdicts(), [verdict], "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_goes_on_writes_nothing_twice() {
    let earlier = || Earlier {
        stores: vec![("first".into(), snapshot(&["old"]))],
        runtime: None,
        written: vec![("first".into(), now_ms())],
        run: None,
    };
    for way in [RotationMethod::ByHand, RotationMethod::Command, RotationMethod::Trustline] {
        let going_on = RotationRequest { earlier: earlier(), ..request(way) };
        let ended = run(going_on.clone(), Fakes::new().with_write(Duration::ZERO, "new")).await;
        assert_eq!(ended.verdicts(), [Verdict::Propagated], "{way:?}");
        let made = [Call::Write, Call::RunCommand].map(|call| ended.fakes.made(call));
        assert_eq!((made, ended.names().contains(&"asked".to_owned())), ([0, 0], false), "{way:?}");
        // Where it had not come to the writing, it does now.
        let ended = run(going_on, Fakes::new().with_write(9 * SECOND, "new")).await;
        let made = [Call::Write, Call::RunCommand].map(|call| ended.fakes.made(call));
        assert_eq!(
            made,
            [usize::from(way == RotationMethod::Trustline), usize::from(way == RotationMethod::Command)],
            "{way:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_under_way_is_followed_as_long_as_the_deployment_knows_it() {
    let sighting = |value: &str| RuntimeObservation {
        began: now_ms(),
        at: now_ms(),
        source: Source::Text,
        failed: false,
        output: RuntimeOutput::of(&line(value)),
    };
    for (kickoff_id, moment, runs) in
        [("known", Phase::After, 0), ("forgotten", Phase::After, 1), ("known", Phase::Before, 1)]
    {
        let earlier = Earlier {
            stores: vec![("first".into(), snapshot(&["old"]))],
            runtime: Some(sighting("old")),
            written: vec![("first".into(), now_ms())],
            run: Some(EarlierRun { moment, kickoff_id: kickoff_id.into(), began: now_ms() }),
        };
        let going_on = RotationRequest { earlier, ..request(RotationMethod::Trustline) };
        let ended = run(going_on, Fakes::new().with_write(Duration::ZERO, "new")).await;
        assert_eq!(ended.verdicts(), [Verdict::Propagated], "{kickoff_id} {moment:?}");
        assert_eq!(ended.fakes.made(Call::Runtime(Phase::After)), runs, "{kickoff_id} {moment:?}");
        // A run of before the rotation says nothing of after it.
        assert_eq!(ended.fakes.made(Call::Follow), usize::from(moment == Phase::After), "{kickoff_id} {moment:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_reads_and_who_writes_is_told() {
    let ended = run(request(RotationMethod::Trustline), Fakes::new()).await;
    let acting: Vec<(Part, String)> = ended
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            RotationKind::Acting { part, identity } => Some((*part, identity.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(acting, [(Part::Reader, "reader".into()), (Part::Operator, "operator".into())]);
}

fn pasting(way: RotationMethod) -> RotationRequest {
    let mut request = RotationRequest { runtime: RuntimeFrom::Pasted, ..request(way) };
    request.pace.runtime = 30 * SECOND;
    request
}

fn text(at: u64, text: String) -> (Duration, SessionCommand) {
    (Duration::from_secs(at), SessionCommand::Text(text))
}

#[tokio::test(start_paused = true)]
async fn a_pasted_text_is_what_the_automation_shows() {
    for (pasted, verdict) in [
        (line("new"), Verdict::Propagated),
        (line("old"), Verdict::Stale),
        (line("of another secret"), Verdict::Foreign),
        ("nothing of use".to_owned(), Verdict::Inconclusive),
    ] {
        for way in [RotationMethod::Trustline, RotationMethod::Command, RotationMethod::Already] {
            let fakes = if way == RotationMethod::Already {
                Fakes::new().with_write(Duration::ZERO, "new")
            } else {
                Fakes::new()
            };
            let ended = run_with(pasting(way), fakes, vec![text(10, pasted.clone())], None).await;
            assert_eq!(ended.verdicts(), [verdict], "{way:?}: {pasted}");
            assert_eq!(ended.lasted(), 10 * SECOND, "{way:?}");
            let looks = [Phase::Before, Phase::After].map(|moment| ended.fakes.made(Call::Runtime(moment)));
            assert_eq!(looks, [0, 0], "nothing is run for it");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_before_the_rotation_tells_of_before() {
    let texts = vec![text(2, line("old")), text(12, line("new"))];
    let ended =
        run_with(pasting(RotationMethod::ByHand), Fakes::new().with_write(6 * SECOND, "new"), texts, None).await;
    assert_eq!(ended.verdicts(), [Verdict::Propagated]);
    assert_eq!(ended.report.runtime_before.unwrap().output.fingerprints, [Fingerprint::of(b"old")]);
}

#[tokio::test(start_paused = true)]
async fn a_text_that_does_not_come_is_waited_for_until_the_time_is_up_or_somebody_concludes() {
    let ended = run(pasting(RotationMethod::Trustline), Fakes::new()).await;
    assert_eq!(ended.verdicts(), [Verdict::Inconclusive]);
    assert!(ended.lasted() >= 30 * SECOND && ended.lasted() < 31 * SECOND, "{:?}", ended.lasted());
    let concluded = vec![(5 * SECOND, SessionCommand::Conclude)];
    let ended = run_with(pasting(RotationMethod::Trustline), Fakes::new(), concluded, None).await;
    assert_eq!((ended.verdicts(), ended.lasted()), (vec![Verdict::Inconclusive], 5 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_store_can_be_concluded() {
    let concluded = vec![(5 * SECOND, SessionCommand::Conclude)];
    let ended = run_with(request(RotationMethod::ByHand), Fakes::new(), concluded, None).await;
    assert_eq!(ended.verdicts(), [Verdict::NotRotated]);
    assert!(ended.lasted() < 6 * SECOND, "{:?}", ended.lasted());
}

#[test]
fn a_text_is_not_shown() {
    assert_eq!(format!("{:?}", SessionCommand::Text("planted".into())), "Text(…)");
}

#[tokio::test(start_paused = true)]
async fn what_went_wrong_is_rolled_back_as_it_is_wanted() {
    let stale: Prints = |_, _, _| Some(line("old"));
    let healthy: Prints = |_, _, current| Some(line(current));
    let say = |command| vec![(20 * SECOND, command)];
    let rows = [
        (RollBack::Never, stale, vec![], &[][..]),
        (RollBack::OnFailure, healthy, vec![], &[]),
        (RollBack::OnFailure, stale, vec![], &["roll-back-offered", "rolled-back"]),
        (RollBack::Ask, stale, say(SessionCommand::RollBack), &["roll-back-offered", "rolled-back"]),
        (RollBack::Ask, stale, say(SessionCommand::KeepAsIs), &["roll-back-offered"]),
        (RollBack::Ask, healthy, vec![], &[]),
    ];
    for (roll_back, prints, said, told) in rows {
        let wanted = RotationRequest { roll_back, ..request(RotationMethod::Trustline) };
        let ended = run_with(wanted, Fakes { prints, ..Fakes::new() }, said, None).await;
        let names = ended.names();
        let judged = names.iter().position(|name| name == "judged").unwrap();
        assert_eq!(names[judged + 1..names.len() - 1], *told, "{roll_back:?}");
        assert_eq!(ended.fakes.made(Call::RollBack), usize::from(told.len() == 2), "{roll_back:?}");
        let report = &ended.report.secrets[0];
        assert_eq!(report.rolled_back.as_deref(), (told.len() == 2).then_some("1"), "{roll_back:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_roll_back_that_is_refused_is_told() {
    let wanted = RotationRequest { roll_back: RollBack::OnFailure, ..request(RotationMethod::Trustline) };
    let fakes =
        Fakes { prints: |_, _, _| Some(line("old")), refuses: |call, _| call == Call::RollBack, ..Fakes::new() };
    let ended = run(wanted, fakes).await;
    assert_eq!(ended.troubles(), [(Some("first"), "RollBack is refused")]);
    assert_eq!(ended.report.secrets[0].rolled_back, None);
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_nobody_can_answer_is_declined() {
    let (sender, commands) = mpsc::channel(1);
    drop(sender);
    let wanted = RotationRequest { roll_back: RollBack::Ask, ..request(RotationMethod::Trustline) };
    let fakes = Arc::new(Fakes { prints: |_, _, _| Some(line("old")), ..Fakes::new() });
    let mut stream = start(wanted, fakes.clone(), commands, Box::new(|_| Ok(())), CancellationToken::new());
    while stream.recv().await.is_some() {}
    assert_eq!(fakes.made(Call::RollBack), 0);
}
