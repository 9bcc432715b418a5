//! Every fault of a proxy on the way to every hop: the proxy is the cause.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use super::super::secrets::planted::Lab;
use super::super::servers::{VALID, authority, raw, read_head, tls_raw};
use super::super::support::trustline;
use super::{Faulty, HOPS, MARGIN, closed, says, swallows};

/// How many runs at once; they wait more than they work.
const AT_ONCE: usize = 6;
/// What one run may take.
const WHOLE: Duration = Duration::from_secs(3);

/// A proxy that reads what it is asked, and answers with this.
fn answers(bytes: &'static [u8]) -> Faulty {
    Faulty::Server(raw(move |mut stream| async move {
        read_head(&mut stream).await?;
        stream.write_all(bytes).await?;
        stream.shutdown().await
    }))
}

#[test]
fn a_proxy_in_the_way_is_the_cause_at_every_hop() {
    let (aws, azure) = (Lab::with_planted_value(), Lab::on_azure());
    let speaks_tls = tls_raw(authority("Known").identity("localhost", VALID), |stream| async move {
        drop(stream);
        Ok(())
    });
    let proxies: Vec<(&str, &str, Faulty)> = vec![
        ("asks for credentials", "http", answers(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")),
        ("refuses", "http", answers(b"HTTP/1.1 403 Forbidden\r\n\r\n")),
        ("cannot connect", "http", answers(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")),
        ("hangs up", "http", answers(b"")),
        ("is not there", "http", closed()),
        ("swallows packets", "http", swallows()),
        ("never answers", "http", says(b"")),
        ("is no proxy", "http", says(b"SSH-2.0-OpenSSH_9.6\r\n")),
        ("speaks TLS", "http", Faulty::Server(speaks_tls)),
        ("speaks no TLS", "https", answers(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        ("answers TLS with HTTP", "https", says(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    ];
    let cases: Vec<_> = proxies
        .iter()
        .flat_map(|proxy| HOPS.iter().filter(|(hop, ..)| *hop != "keys").map(move |hop| (proxy, hop)))
        .collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(((fault, scheme, proxy), (hop, checks, key))) =
                    cases.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let lab = if key.starts_with("azure") { &azure } else { &aws };
                    let host = if *hop == "vault" { "cloud.vault.azure.net" } else { "cloud.example" };
                    let only: Vec<String> = checks.iter().map(ToString::to_string).collect();
                    let began = Instant::now();
                    let output = trustline()
                        .env("HTTPS_PROXY", format!("{scheme}://localhost:{}", proxy.port()))
                        // The rest of the chain is the lab's, on this machine.
                        .env("NO_PROXY", "127.0.0.1,localhost")
                        .args(["check", "--output", "json", "--only", &only.join(",")])
                        .args(["--timeout", &WHOLE.as_secs().to_string()])
                        .args(["--profile-file", &lab.file("profile.toml"), "--ca-file", &lab.file("ca.pem")])
                        .args(["--set", &format!("{key}=https://{host}")])
                        .output()
                        .unwrap();
                    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
                    let finding = &report["findings"][0];
                    let named = finding.to_string().contains(&format!(":{}", proxy.port()));
                    if finding["cause"] != "proxy" || !named || began.elapsed() > WHOLE + MARGIN {
                        wrong.lock().unwrap().push(format!("{fault} at {hop}: {:?} {report:#}", began.elapsed()));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
