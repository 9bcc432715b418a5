//! A clock that is wrong, as rows of the table: what looks like a bad token, signature or certificate is the clock's fault,
//! and the two times are told.

use trustline::cause::Finding;

use super::super::servers::{Server, tls_raw};
use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A lab whose clocks are all ahead of this machine's, the platform's too.
fn lab_ahead(seconds: i64, more: &str) -> RunningLab {
    RunningLab::world(&format!("name = \"ahead\"\ntitle = \"clocks\"\nclock-offset-s = {seconds}\n{more}"))
}

async fn report(request: RunRequest, http: HttpStack) -> Report {
    let probes = Arc::new(NetworkProbes { http, timeout: OPERATION });
    let mut events = runner::start(request, probes, CancellationToken::new());
    let mut report = Report::default();
    while let Some(event) = events.recv().await {
        report.apply(&event);
    }
    report
}

fn run(lab: &RunningLab, authorities: &[&str], checks: &[CheckId], set: &[String]) -> Report {
    let own = lab.file("ca.pem");
    let http = stack(&[&[own.as_str()], authorities].concat());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(report(request(lab, checks, set), http))
}

fn has(finding: &Finding, part: &str) -> bool {
    finding.evidence.iter().any(|line| line.contains(part))
}

#[test]
fn a_wrong_local_clock_is_the_cause_of_all_that_is_told_by_time() {
    const AWS: &str = "guide = \"aws-workload-identity\"\n";
    const AZURE: &str = "guide = \"azure-workload-identity\"\n";
    const STATIC: &str = "guide = \"aws-static\"\n";
    for (ahead, guide, check, told) in [
        (2 * HOUR, AWS, CheckId::TokenTime, "this machine's clock is 2 h 0 min behind"),
        (2 * HOUR, AWS, CheckId::AwsListSecrets, "this machine's clock is 2 h 0 min behind"),
        (-2 * HOUR, AWS, CheckId::TokenTime, "this machine's clock is 2 h 0 min ahead"),
        (-2 * HOUR, AWS, CheckId::AwsGetSecret, "this machine's clock is 2 h 0 min ahead"),
        (600, AWS, CheckId::AwsListSecrets, "this machine's clock is 10 min"),
        // One server tells its time: its word, and its refusal, are all there is.
        (2 * HOUR, STATIC, CheckId::AwsCallerIdentity, ""),
        (-2 * HOUR, STATIC, CheckId::AwsCallerIdentity, ""),
        (2 * HOUR, AZURE, CheckId::TokenTime, "this machine's clock is 2 h 0 min behind"),
        (-2 * HOUR, AZURE, CheckId::TokenTime, "this machine's clock is 2 h 0 min ahead"),
    ] {
        let report = run(&lab_ahead(ahead, guide), &[], &[], &[]);
        let first = &report.findings[0];
        assert_eq!(first.cause.to_string(), "clock-skew", "{ahead}: {:#?}", report.findings);
        let wrong: Vec<_> =
            report.findings.iter().filter(|finding| finding.cause.to_string() != "clock-skew").collect();
        assert!(wrong.is_empty(), "{ahead}: {wrong:#?}");
        let finished = report.finished().find(|finished| finished.id == check).unwrap();
        let found = finished.findings.first().unwrap_or_else(|| panic!("{ahead} {check}: {finished:#?}"));
        assert!(found.summary.contains(told), "{ahead}: {found:#?}");
        assert!(
            has(found, "by the Date header of 127.0.0.1:") && has(found, "this machine's clock said"),
            "{found:#?}"
        );
    }
}

/// The time as servers write it, some seconds ahead of now.
fn http_date(ahead: i64) -> String {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    (time::OffsetDateTime::now_utc() + time::Duration::seconds(ahead)).format(format).unwrap()
}

/// A server that refuses every request, and tells a time.
fn refuses_at(authority: &Authority, days: Days, ahead: i64) -> Server {
    let date = http_date(ahead);
    tls_raw(authority.identity("localhost", days), move |mut stream| {
        let answer =
            format!("HTTP/1.1 403 Forbidden\r\ndate: {date}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        async move {
            read_head(&mut stream).await?;
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        }
    })
}

#[test]
fn certificates_outside_their_dates_are_weighed_with_the_clocks_seen() {
    let known = authority("Known Authority");
    let lab = RunningLab::with_planted_value();
    let (early, late) = (Days { from: 1, to: 30 }, Days { from: -30, to: -1 });
    let other_late = Days { from: -30, to: -3 };
    let long = Days { from: -300, to: 300 };
    let of_tls = |report: &Report| {
        let finished = report.finished().find(|finished| finished.id == CheckId::IssuerTls);
        finished.unwrap().findings.clone()
    };
    for (name, issuer, sts, sts_ahead, told, part) in [
        ("another answers, days ahead", early, long, 2 * DAY, &["clock-skew proven"][..], "by the Date header of"),
        ("another answers, days behind", late, long, -2 * DAY, &["clock-skew proven"], "by the Date header of"),
        ("another agrees", late, long, 0, &["tls-expired proven"], "agree on the time"),
        ("another agrees, early", early, long, 0, &["tls-expired proven"], "agree on the time"),
        ("two are early", early, Days { from: 2, to: 30 }, 0, &["clock-skew likely"], "so it is with that of"),
        ("two are late", late, other_late, 0, &["tls-expired proven"], "this machine's clock said"),
    ] {
        let issuer = refuses_at(&known, issuer, 0);
        let sts = refuses_at(&known, sts, sts_ahead);
        let set = [
            format!("issuer.url=https://localhost:{}", issuer.port),
            format!("aws.sts-endpoint-url=https://localhost:{}", sts.port),
            // It would agree, being the lab's.
            format!("deployment.url={}", closed().url()),
        ];
        let checks = [CheckId::IssuerTls, CheckId::AwsAssumeRoleWithWebIdentity];
        let report = run(&lab, &[known.file.path().to_str().unwrap()], &checks, &set);
        let findings = of_tls(&report);
        let causes: Vec<String> = findings
            .iter()
            .map(|finding| format!("{} {:?}", finding.cause, finding.certainty).to_lowercase())
            .collect();
        assert_eq!(causes, told, "{name}: {findings:#?}");
        assert!(has(&findings[0], part), "{name}: {findings:#?}");
    }
}

#[test]
fn a_token_that_ends_early_is_not_blamed_on_clocks_that_agree() {
    let lab = RunningLab::world(
        "name = \"old\"\ntitle = \"old\"\nguide = \"aws-workload-identity\"\n[token]\nage-s = 7200\n",
    );
    let report = run(&lab, &[], &[], &[]);
    assert_eq!(report.findings[0].cause.to_string(), "token-expired", "{:#?}", report.findings);
}
