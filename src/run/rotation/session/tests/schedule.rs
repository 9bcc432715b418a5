//! When a session looks, how long, and how late it can be to see what happened.

use super::*;

#[tokio::test(start_paused = true)]
async fn pauses_double_up_to_the_longest_and_end_with_the_deadline() {
    let mut waiting = request(RotationMethod::ByHand);
    waiting.pace.store = 20 * SECOND;
    let ended = run(waiting, Fakes::new()).await;
    assert_eq!(ended.verdicts(), [Verdict::NotRotated]);
    let pauses = ended.pauses();
    assert_eq!(pauses[..6], [250, 500, 1000, 2000, 4000, 5000]);
    assert!(pauses.iter().all(|pause| *pause <= 5000), "{pauses:?}");
    let looks: Vec<Duration> = {
        let calls = ended.fakes.calls.lock().unwrap();
        calls.iter().filter(|(call, _)| *call == Call::Current).map(|(_, at)| *at).collect()
    };
    assert_eq!(*looks.last().unwrap() - looks[0], 20 * SECOND, "the last look is at the deadline, not after it");
}

#[tokio::test(start_paused = true)]
async fn a_write_is_seen_within_one_pause_and_one_request() {
    for way in [RotationMethod::ByHand, RotationMethod::Watch] {
        let mut latest = Duration::ZERO;
        // Odd steps, so that the writes fall at every place between two looks.
        for step in 0..80 {
            let written = 3 * SECOND + Duration::from_millis(step * 371);
            let cancelled = (way == RotationMethod::Watch).then_some(written + 20 * SECOND);
            let ended = run_with(request(way), Fakes::new().with_write(written, "new"), Vec::new(), cancelled).await;
            let late = ended.seen_at("first").unwrap() - written;
            assert!(late <= 5 * SECOND + REQUEST, "{way:?}, written at {written:?}: seen {late:?} later");
            latest = latest.max(late);
        }
        assert!(latest > 4 * SECOND, "the schedule was not tried where it is slow: {latest:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_secrets_are_looked_at_together() {
    let mut three = request(RotationMethod::ByHand);
    three.secrets = ["second", "third", "first"].map(|name| SecretRef { name: name.into(), json_key: None }).to_vec();
    three.pace.store = 30 * SECOND;
    for step in 0..20 {
        let written = 9 * SECOND + Duration::from_millis(step * 371);
        let ended = run(three.clone(), Fakes::new().with_write(written, "new")).await;
        let late = ended.seen_at("first").unwrap() - written;
        assert!(late <= 5 * SECOND + REQUEST, "written at {written:?}: seen {late:?} later");
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_can_be_hastened() {
    let written = 15 * SECOND;
    let hastened = vec![(written, SessionCommand::LookNow)];
    let ended =
        run_with(request(RotationMethod::ByHand), Fakes::new().with_write(written, "new"), hastened, None).await;
    assert!(ended.seen_at("first").unwrap() <= written + REQUEST * 2, "{:?}", ended.seen_at("first"));
}

#[tokio::test(start_paused = true)]
async fn an_automation_with_the_old_value_is_looked_at_again_until_the_time_is_up() {
    let patient = |wait: u64| {
        let mut request = request(RotationMethod::Trustline);
        request.pace.runtime = Duration::from_secs(wait);
        request
    };
    let prints: Prints = |_, at, current| Some(line(if at > 20 * SECOND { current } else { "old" }));
    let ended = run(patient(60), Fakes { prints, ..Fakes::new() }).await;
    assert_eq!(ended.verdicts(), [Verdict::Propagated]);
    assert!(ended.lasted() < 20 * SECOND + 5 * SECOND + REQUEST + RUN * 2, "{:?}", ended.lasted());
    let ended = run(patient(10), Fakes { prints, ..Fakes::new() }).await;
    assert_eq!(ended.verdicts(), [Verdict::Stale]);
    let ended = run(patient(0), Fakes { prints, ..Fakes::new() }).await;
    assert_eq!((ended.verdicts(), ended.fakes.made(Call::Runtime(Phase::After))), (vec![Verdict::Stale], 1));
}

#[tokio::test(start_paused = true)]
async fn a_session_can_be_cancelled_at_any_moment() {
    for way in [RotationMethod::ByHand, RotationMethod::Command, RotationMethod::Trustline, RotationMethod::Already] {
        let fakes = || match way {
            RotationMethod::ByHand => Fakes::new().with_write(3 * SECOND, "new"),
            RotationMethod::Already => Fakes::new().with_write(Duration::ZERO, "new"),
            _ => Fakes::new(),
        };
        let whole = run(request(way), fakes()).await;
        let names = whole.names();
        let mut at = Duration::from_millis(1);
        while at < whole.lasted() {
            let cut = run_with(request(way), fakes(), Vec::new(), Some(at)).await;
            assert_eq!(cut.report.end.as_ref().unwrap().cut_short.as_deref(), Some("interrupted"), "{way:?} at {at:?}");
            assert_eq!(cut.lasted(), at, "{way:?}: it ends at once");
            let told = cut.names();
            assert_eq!(told[..told.len() - 1], names[..told.len() - 1], "{way:?} at {at:?}");
            assert!(cut.verdicts().is_empty(), "{way:?} at {at:?}: no verdict on half of what is to be seen");
            at += Duration::from_millis(43);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_kickoff_is_told_before_its_run_ends() {
    let cut = run_with(request(RotationMethod::Trustline), Fakes::new(), Vec::new(), Some(SECOND)).await;
    assert_eq!(cut.names().last_chunk(), Some(&["looking".to_owned(), "kicked-off".into(), "done".into()]));
    assert_eq!(cut.report.kickoffs.len(), 1);
}

/// The way, the calls that fail, the secret that is told, the reason, and the verdict.
type Row = (RotationMethod, fn(Call, usize) -> bool, Option<&'static str>, &'static str, Verdict);

#[tokio::test(start_paused = true)]
async fn each_refusal_is_told_and_leads_to_its_verdict() {
    use Verdict::*;
    let of_first = Some("first");
    let rows: [Row; 9] = [
        (RotationMethod::ByHand, |call, _| call == Call::Open, None, "Open is refused", Inconclusive),
        (
            RotationMethod::ByHand,
            |call, nth| call == Call::Snapshot && nth == 0,
            of_first,
            "Snapshot is refused",
            Inconclusive,
        ),
        (
            RotationMethod::ByHand,
            |call, nth| call == Call::Snapshot && nth == 1,
            of_first,
            "Snapshot is refused",
            Inconclusive,
        ),
        (
            RotationMethod::ByHand,
            |call, nth| call == Call::Current && nth < 3,
            of_first,
            "Current is refused",
            Propagated,
        ),
        (
            RotationMethod::ByHand,
            |call, _| call == Call::Runtime(Phase::Before),
            None,
            "Runtime(Before) is refused",
            Propagated,
        ),
        (
            RotationMethod::ByHand,
            |call, _| call == Call::Runtime(Phase::After),
            None,
            "Runtime(After) is refused",
            Inconclusive,
        ),
        (RotationMethod::Trustline, |call, _| call == Call::Write, of_first, "Write is refused", NotRotated),
        (RotationMethod::Command, |call, _| call == Call::RunCommand, None, "RunCommand is refused", NotRotated),
        (RotationMethod::Already, |call, _| call == Call::Snapshot, of_first, "Snapshot is refused", Inconclusive),
    ];
    for (way, refuses, secret, reason, verdict) in rows {
        let fakes = match way {
            RotationMethod::ByHand => Fakes::new().with_write(3 * SECOND, "new"),
            RotationMethod::Already => Fakes::new().with_write(Duration::ZERO, "new"),
            _ => Fakes::new(),
        };
        let ended = run(request(way), Fakes { refuses, ..fakes }).await;
        assert_eq!(ended.troubles().first(), Some(&(secret, reason)), "{way:?}");
        assert_eq!(ended.verdicts(), [verdict], "{way:?}: {reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_over_what_could_not_be_read() {
    let refuses: fn(Call, usize) -> bool = |call, _| call == Call::Snapshot;
    let ended = run(request(RotationMethod::Trustline), Fakes { refuses, ..Fakes::new() }).await;
    assert_eq!((ended.verdicts(), ended.fakes.made(Call::Write)), (vec![Verdict::Inconclusive], 0));
    assert!(ended.troubles().iter().any(|(_, reason)| reason.contains("was not written")), "{:?}", ended.troubles());
}

#[tokio::test(start_paused = true)]
async fn the_other_secrets_go_on() {
    let mut two = request(RotationMethod::Trustline);
    two.secrets.push(SecretRef { name: "second".into(), json_key: None });
    let refuses: fn(Call, usize) -> bool = |call, nth| call == Call::Write && nth == 0;
    let ended = run(two, Fakes { refuses, prints: |_, _, _| Some(line("new")), ..Fakes::new() }).await;
    assert_eq!(ended.verdicts(), [Verdict::NotRotated, Verdict::Propagated]);
    assert_eq!(ended.troubles(), [(Some("first"), "Write is refused")]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_survives_a_store_that_fails_for_a_while() {
    let refuses: fn(Call, usize) -> bool = |call, nth| call == Call::Current && nth % 2 == 0;
    let fakes = Fakes { refuses, ..Fakes::new().with_write(10 * SECOND, "new") };
    let ended = run_with(request(RotationMethod::Watch), fakes, Vec::new(), Some(60 * SECOND)).await;
    assert_eq!(ended.verdicts(), [Verdict::Propagated]);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_cannot_be_written_is_told_and_stops_nothing() {
    let (_sender, commands) = mpsc::channel(1);
    let journal: Journal = Box::new(|event| match event.kind {
        RotationKind::Writing { .. } => Err("the disk is full".into()),
        _ => Ok(()),
    });
    let mut stream =
        start(request(RotationMethod::Trustline), Arc::new(Fakes::new()), commands, journal, CancellationToken::new());
    let mut report = RotationReport::default();
    while let Some(event) = stream.recv().await {
        report.apply(&event);
    }
    assert_eq!(report.troubles[0].reason, "the disk is full");
    assert_eq!(report.verdict(), Verdict::Propagated);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_has_gone_away_does_not_stop_a_session_in_the_middle_of_a_write() {
    let (_sender, commands) = mpsc::channel(1);
    let fakes = Arc::new(Fakes::new());
    let stream = start(
        request(RotationMethod::Trustline),
        fakes.clone(),
        commands,
        Box::new(|_| Ok(())),
        CancellationToken::new(),
    );
    drop(stream);
    sleep(60 * SECOND).await;
    assert_eq!((fakes.made(Call::Write), fakes.made(Call::Runtime(Phase::After))), (1, 1));
}
