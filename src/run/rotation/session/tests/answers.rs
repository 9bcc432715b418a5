//! What somebody tells a session while it runs: texts of the automation's, and whether to roll back.

use super::*;

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
            let looks = [Moment::Before, Moment::After].map(|moment| ended.fakes.made(Call::Runtime(moment)));
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
