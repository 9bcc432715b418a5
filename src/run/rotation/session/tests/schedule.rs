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
    assert_eq!((ended.verdicts(), ended.fakes.made(Call::Runtime(Moment::After))), (vec![Verdict::Stale], 1));
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
