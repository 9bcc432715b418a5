//! A name with addresses of both families, of which one is dead: the other one serves in time, and what happened is told.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use trustline::check::Outcome;
use trustline::domain::profile::Profile;
use trustline::run::event::FinishedCheck;

use super::*;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// How a family is dead.
#[derive(Clone, Copy, Debug)]
enum Dead {
    Refused,
    BlackHole,
}

/// A port that carries connections at one address to another port of this machine.
struct Carrier {
    port: u16,
    _runtime: tokio::runtime::Runtime,
}

impl Carrier {
    fn new(at: IpAddr, to: u16) -> Carrier {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = TcpListener::bind((at, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((mut from, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut onward = tokio::net::TcpStream::connect((V4, to)).await?;
                    tokio::io::copy_bidirectional(&mut from, &mut onward).await
                });
            }
        });
        Carrier { port, _runtime: runtime }
    }
}

/// A carrier, and the same port dead at the other address. Others may have that port there: then another one is tried.
fn beside(dead: IpAddr, how: Dead, carrier: impl Fn() -> Carrier) -> (Carrier, Box<dyn std::any::Any>) {
    loop {
        let carrier = carrier();
        let address = SocketAddr::new(dead, carrier.port);
        // What is bound and does not listen refuses.
        let socket = if dead.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.unwrap();
        if socket.bind(address).is_err() {
            continue;
        }
        return match how {
            Dead::Refused => (carrier, Box::new(socket)),
            Dead::BlackHole => (carrier, Box::new(swallowing(socket))),
        };
    }
}

/// Where a hop of a lab is.
fn address(hop: &str, profile: &Profile) -> u16 {
    let url = match hop {
        "discovery" => &profile.issuer_url,
        "sts" => &profile.aws.sts_endpoint_url,
        "secrets" => &profile.aws.secretsmanager_endpoint_url,
        "entra" => &profile.azure.authority_host,
        "vault" => &profile.azure.vault_url,
        _ => &profile.deployment.url,
    };
    url::Url::parse(url.as_ref().unwrap()).unwrap().port().unwrap()
}

fn localhost_at(http: &HttpStack, addresses: &[IpAddr]) -> HttpStack {
    http.clone().with_addresses(BTreeMap::from([("localhost".to_owned(), addresses.to_vec())]))
}

async fn finished(request: RunRequest, http: HttpStack, check: CheckId) -> FinishedCheck {
    let probes = Arc::new(NetworkProbes { http, timeout: OPERATION });
    let mut events = runner::start(request, probes, CancellationToken::new());
    let mut report = Report::default();
    while let Some(event) = events.recv().await {
        report.apply(&event);
    }
    report.finished().find(|finished| finished.id == check).unwrap().clone()
}

#[test]
fn one_dead_family_costs_no_check() {
    let world = World::shared();
    let http = world.http();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut held, mut runs) = (Vec::new(), Vec::new());
    for (dead, alive) in [(V6, V4), (V4, V6)] {
        for how in [Dead::Refused, Dead::BlackHole] {
            for (hop, checks, key) in HOPS.iter().filter(|(hop, ..)| *hop != "keys") {
                let lab = world.lab(key);
                let of_lab = request(lab, checks, &[]).profile;
                let (carrier, hole) = beside(dead, how, || Carrier::new(alive, address(hop, &of_lab)));
                let request = request(lab, checks, &[format!("{key}=https://localhost:{}", carrier.port)]);
                let run = finished(request, localhost_at(&http, &[dead, alive]), checks[0]);
                runs.push((dead, alive, how, *hop, runtime.spawn(run)));
                held.push((carrier, hole));
            }
        }
    }
    for (dead, alive, how, hop, run) in runs {
        let found = runtime.block_on(run).unwrap();
        assert_eq!(found.outcome, Outcome::Pass, "{dead} {how:?} at {hop}: {found:#?}");
        // A vault is asked twice, and the second request finds the connection open.
        if hop == "vault" {
            continue;
        }
        let told = found.reason.unwrap_or_default();
        assert!(told.contains(&format!("{alive} (")) && told.contains(&format!("{dead} (")), "{hop}: {told}");
    }
    runtime.shutdown_background();
}

#[test]
fn where_both_are_dead_both_are_named() {
    let world = World::shared();
    let http = world.http();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let free = closed().port();
    let v4_hole = swallows();
    let v6_hole = swallows_at(SocketAddr::new(V6, 0));
    for (addresses, port, cause) in [
        ([V6, V4], free, "connect-refused"),
        ([V4, V6], free, "connect-refused"),
        ([V6, V4], v4_hole.port(), "connect-timeout"),
        ([V4, V6], v6_hole.port(), "connect-timeout"),
    ] {
        let request =
            request(&world.aws, &[CheckId::IssuerReachable], &[format!("issuer.url=https://localhost:{port}")]);
        let found = runtime.block_on(finished(request, localhost_at(&http, &addresses), CheckId::IssuerReachable));
        let finding = &found.findings[0];
        assert_eq!(finding.cause.to_string(), cause, "{addresses:?}: {found:#?}");
        let listed = format!("the name leads to {}, {}", addresses[0], addresses[1]);
        assert!(finding.evidence.iter().any(|line| line.contains(&listed)), "{:?}", finding.evidence);
    }
}

#[test]
fn a_name_can_be_told_its_addresses() {
    let known = authority("Known Authority");
    let server = tls(known.identity("app.example.com", VALID), |_| HashMap::new());
    let url = format!("https://app.example.com:{}", server.port);
    let issuer = |resolve: &str| {
        let ca = known.file.path().to_str().unwrap();
        let output = super::super::support::trustline()
            .args(["issuer", &url, "--ca-file", ca, "--output", "json", "--resolve", resolve])
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, report) = issuer("App.Example.com=::1,127.0.0.1");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((status, &report["status"]), (Some(1), &404.into()), "{report:#}");
    assert_eq!(report["addresses"][0]["ip"], "::1");
    assert_eq!(issuer("app.example.com").0, Some(2));
    assert_eq!(issuer("app.example.com=here").0, Some(2));
}
