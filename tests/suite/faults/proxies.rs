//! Every fault of a proxy on the way to every hop: the proxy is the cause.

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use super::super::servers::{VALID, authority, raw, read_head, tls_raw};
use super::super::support::trustline;
use super::{Faulty, HOPS, World, closed, says, swallows};

/// A proxy that reads what it is asked, and answers with this.
fn answers(bytes: &'static [u8]) -> Faulty {
    Faulty::Server(raw(move |mut stream| async move {
        read_head(&mut stream).await?;
        stream.write_all(bytes).await?;
        stream.shutdown().await
    }))
}

test_each! { is_the_cause_at_every_hop:
    asks_for_credentials: ("http", || answers(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
    refuses: ("http", || answers(b"HTTP/1.1 403 Forbidden\r\n\r\n"));
    cannot_connect: ("http", || answers(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    hangs_up: ("http", || answers(b""));
    is_not_there: ("http", closed);
    swallows_packets: ("http", swallows);
    never_answers: ("http", || says(b""));
    is_no_proxy: ("http", || says(b"SSH-2.0-OpenSSH_9.6\r\n"));
    opens_a_tunnel_and_talks_rubbish: ("http", || answers(b"HTTP/1.1 200 OK\r\n\r\nno handshake, just words\n"));
    speaks_tls: ("http", hangs_up_after_tls);
    speaks_no_tls: ("https", || answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    answers_tls_with_http: ("https", || says(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
}

fn hangs_up_after_tls() -> Faulty {
    let identity = authority("Known").identity("localhost", VALID);
    Faulty::Server(tls_raw(identity, |stream| async move {
        drop(stream);
        Ok(())
    }))
}

/// Each hop has its own run; they wait more than they work.
fn is_the_cause_at_every_hop(scheme: &str, proxy: fn() -> Faulty) {
    let (world, proxy) = (World::shared(), proxy());
    std::thread::scope(|scope| {
        for (hop, checks, key) in HOPS.iter().filter(|(hop, ..)| *hop != "keys") {
            let (world, proxy) = (&world, &proxy);
            scope.spawn(move || {
                let lab = world.lab(key);
                let host = if *hop == "vault" { "cloud.vault.azure.net" } else { "cloud.example" };
                let only: Vec<String> = checks.iter().map(ToString::to_string).collect();
                let output = trustline()
                    .env("HTTPS_PROXY", format!("{scheme}://localhost:{}", proxy.port()))
                    // The rest of the chain is the lab's, on this machine.
                    .env("NO_PROXY", "127.0.0.1,localhost")
                    .args(["check", "--output", "json", "--timeout", "3", "--only", &only.join(",")])
                    .args(["--profile-file", &lab.file("profile.toml"), "--ca-file", &lab.file("ca.pem")])
                    .args(["--set", &format!("{key}=https://{host}")])
                    .output()
                    .unwrap();
                let report: Value = serde_json::from_slice(&output.stdout).unwrap();
                let finding = &report["findings"][0];
                assert_eq!(finding["cause"], "proxy", "{hop}: {report:#}");
                assert!(finding.to_string().contains(&format!(":{}", proxy.port())), "{hop}: {report:#}");
            });
        }
    });
}
