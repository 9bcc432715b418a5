//! What cannot be done is told, and the session goes on with what it has.

use super::*;

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
            |call, _| call == Call::Runtime(Moment::Before),
            None,
            "Runtime(Before) is refused",
            Propagated,
        ),
        (
            RotationMethod::ByHand,
            |call, _| call == Call::Runtime(Moment::After),
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
    assert_eq!((fakes.made(Call::Write), fakes.made(Call::Runtime(Moment::After))), (1, 1));
}
