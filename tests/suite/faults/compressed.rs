//! Answers that come compressed, unasked: nothing is inflated, and the cause is told.

use std::collections::HashMap;
use std::fs;
use std::process::{Command as Process, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::servers::{Reply, plain, raw, tls_raw};
use super::super::support::trustline;
use super::*;

/// How much the bomb inflates to, in bytes: far more than the program takes.
const INFLATED: usize = 150 << 20;

/// `INFLATED` blanks in gzip (RFC 1951, 1952): one blank, and then "the last byte 258 times more", again and again.
fn bomb() -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut held, mut count) = (0u32, 0);
    let mut put = |code: &str| {
        for bit in code.chars() {
            held |= u32::from(bit == '1') << count;
            count += 1;
            if count == 8 {
                bytes.push(held as u8);
                (held, count) = (0, 0);
            }
        }
    };
    // The last block, of fixed codes; a blank; as many repetitions; the end; what fills the last byte.
    put("110");
    put("01010000");
    for _ in 0..INFLATED / 258 {
        put("1100010100000");
    }
    put("0000000");
    put("0000000");
    // A checksum comes when all is inflated, which must not happen.
    bytes.extend([0; 4]);
    bytes.extend(u32::try_from(INFLATED / 258 * 258 + 1).unwrap().to_le_bytes());
    bytes
}

/// The bomb as an answer.
pub fn answer(encoding: &str) -> Vec<u8> {
    let body = bomb();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: {encoding}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

/// `{"keys":[]}` in gzip, as a web server compresses it.
const HONEST: &[u8] = &[
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xab, 0x56, 0xca, 0x4e, 0xad, 0x2c, 0x56, 0xb2, 0x8a, 0x8e, 0xad, 5, 0, 0xef,
    0x67, 0x88, 0x2a, 11, 0, 0, 0,
];

#[test]
fn what_comes_compressed_is_named_as_that() {
    for encoding in ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, gzip"] {
        let server = plain(|_| HashMap::from([("/.well-known/openid-configuration", Reply::Bytes(answer(encoding)))]));
        let url = format!("http://127.0.0.1:{}", server.port);
        let output = trustline().args(["issuer", &url, "--output", "json"]).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let problem = &report["problems"][0];
        assert_eq!((output.status.code(), &problem["cause"]), (Some(1), &"discovery-invalid".into()), "{report:#}");
        let told = problem["summary"].as_str().unwrap();
        assert!(told.contains(&format!("compressed (Content-Encoding: {encoding})")), "{told}");
    }
}

#[test]
fn honest_compression_of_keys_is_named_too() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", HONEST.len());
    let server = plain(|port| {
        let document = serde_json::json!({
            "issuer": format!("http://127.0.0.1:{port}"), "jwks_uri": format!("http://127.0.0.1:{port}/keys"),
            "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        HashMap::from([
            ("/.well-known/openid-configuration", json(&document.to_string())),
            ("/keys", Reply::Bytes([head.as_bytes(), HONEST].concat())),
        ])
    });
    let url = format!("http://127.0.0.1:{}", server.port);
    let output = trustline().args(["issuer", &url, "--output", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = report["problems"].as_array().unwrap();
    let found = problems.iter().find(|problem| problem["cause"] == "jwks-invalid");
    let told = found.unwrap_or_else(|| panic!("{report:#}"))["summary"].as_str().unwrap();
    assert!(told.contains("compressed (Content-Encoding: gzip)"), "{told}");
}

/// The memory that a process takes now, in bytes; none of one that has ended.
fn memory(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[test]
fn memory_stays_flat() {
    // All but the last byte, and then a wait: the program has what it will ever get.
    let (waits, waiting) = std::sync::mpsc::channel();
    let server = raw(move |mut stream| {
        let waits = waits.clone();
        async move {
            let bytes = answer("gzip");
            stream.write_all(&bytes[..bytes.len() - 1]).await?;
            stream.flush().await?;
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = waits.send(());
            std::future::pending().await
        }
    });
    let mut process = Process::new(assert_cmd::cargo::cargo_bin!("trustline"))
        .args(["issuer", &format!("http://127.0.0.1:{}", server.port), "--timeout", "2"])
        .env_clear()
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    waiting.recv_timeout(WHOLE).unwrap();
    let mut most = 0;
    while process.try_wait().unwrap().is_none() {
        most = most.max(memory(process.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!((1..INFLATED / 2).contains(&most), "{most} bytes");
}

#[test]
fn no_request_asks_for_compression() {
    let world = World::shared();
    let http = world.http();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = heads.clone();
    let server = tls_raw(world.good(), move |mut stream| {
        let seen = seen.clone();
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await?);
            }
            seen.lock().unwrap().push(String::from_utf8_lossy(&head).to_lowercase());
            stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await?;
            stream.shutdown().await
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (hop, checks, key) in HOPS.iter().filter(|(hop, ..)| *hop != "keys") {
        let request = request(world.lab(key), checks, &[format!("{key}=https://localhost:{}", server.port)]);
        runtime.block_on(told(request, http.clone()));
        let asked = std::mem::take(&mut *heads.lock().unwrap());
        assert!(!asked.is_empty(), "{hop} was not asked");
        for head in asked {
            let lines: Vec<&str> = head.lines().filter(|line| line.starts_with("accept-encoding:")).collect();
            assert_eq!(lines, ["accept-encoding: identity"], "{hop}: {head}");
        }
    }
}
