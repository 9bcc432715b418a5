//! Who is sent a token may repeat it in any spelling; a token may carry secrets of others. Neither is shown or kept.

use std::collections::HashMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::servers::{Reply, http, plain};
use crate::support::{RunningLab, trustline};

/// STS's refusal with these words.
fn refusal(words: &str) -> Reply {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    http(
        "400 Bad Request",
        &["content-type: text/xml"],
        &format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>InvalidIdentityToken</Code><Message>no good: {words}: try again</Message></Error>\
             <RequestId>1</RequestId></ErrorResponse>"
        ),
    )
}

fn in_lines(text: &str, width: usize, between: &str) -> String {
    let lines: Vec<&str> = text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join(between)
}

/// The parts of a text that are long enough to tell it, in the spellings that are looked for.
fn squashed(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[test]
fn a_refusal_that_repeats_the_token_is_shown_and_kept_without_it() {
    let lab = RunningLab::start("healthy");
    let token = fs::read_to_string(lab.file("token.jwt")).unwrap().trim().to_owned();
    let each = |form: &dyn Fn(u8) -> String| token.bytes().map(form).collect::<String>();
    let backwards: String = token.chars().rev().collect();
    let hex = each(&|byte| format!("{byte:02x}"));
    let base64 = STANDARD.encode(&token);
    let folder = tempfile::tempdir().unwrap();
    for (name, words) in [
        ("lines of 40", in_lines(&token, 40, "\n")),
        ("lines of 76", in_lines(&token, 76, "\r\n")),
        ("lines of 64 and blanks", in_lines(&token, 64, "  \r\n  ")),
        ("quoted-printable", in_lines(&token, 72, "=\r\n")),
        ("percent", each(&|byte| format!("%{byte:02X}"))),
        ("hexadecimal", hex.clone()),
        ("Base64", base64.clone()),
        ("backwards", backwards.clone()),
        ("capitals", token.to_uppercase()),
    ] {
        let server = plain(|_| HashMap::from([("/", refusal(&words))]));
        let record = folder.path().join(name.replace(' ', "-"));
        let output = trustline()
            .args(["check", "--profile-file", &lab.file("profile.toml"), "--ca-file", &lab.file("ca.pem")])
            .args(["--set", &format!("aws.sts-endpoint-url=http://127.0.0.1:{}", server.port), "--record"])
            .arg(&record)
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(shown.contains("no good") && shown.contains("[withheld]"), "{name}: {shown}");
        let kept = squashed(&(shown + &fs::read_to_string(&record).unwrap()));
        for form in [&token, &backwards, &hex, &base64] {
            let form = squashed(form);
            let (middle, end) = (form.len() / 2, form.len() - 30);
            for from in [40, middle, end] {
                assert!(!kept.contains(&form[from..from + 24]), "{name}: {from} of {form}");
            }
        }
    }
}

#[test]
fn secrets_in_claims_are_cut_from_what_is_shown_and_kept() {
    let inner = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let nested =
        format!("{}.{}.{}", inner("{\"alg\":\"RS256\"}"), inner("{\"sub\":\"inner\"}"), inner("planted signature"));
    let planted = [
        nested.rsplit('.').next().unwrap(),
        "plantedPassword0",
        "AKIAPLANTEDPLANTED00",
        "ghp_plantedplantedplantedplanted0000",
        "xoxb-123456789012-plantedplanted",
        "MIIEplantedplanted",
        "plantedOfUrl0",
    ];
    let claims = serde_json::json!({
        "act": { "list": [1, format!("Bearer {nested}")] },
        "password": planted[1],
        "aws": { "id": planted[2] },
        "gh": planted[3],
        "chat": planted[4],
        "key": format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", planted[5]),
        "url": format!("https://user:{}@host.example/x", planted[6]),
        "plain": "kept as it is",
    });
    let world = serde_json::json!({ "name": "w", "title": "t", "guide": "aws-workload-identity", "token": { "claims": claims } });
    let lab = RunningLab::world(&world.to_string());
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("record");
    let (token, profile, ca) = (lab.file("token.jwt"), lab.file("profile.toml"), lab.file("ca.pem"));
    let run = |arguments: &[&str]| {
        let output = trustline().args(arguments).env("NO_PROXY", "127.0.0.1").output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let check = ["check", "--profile-file", &profile, "--ca-file", &ca];
    for (name, shown) in [
        ("token", run(&["token", &token])),
        ("token json", run(&["token", &token, "--output", "json"])),
        ("check", run(&[&check[..], &["--record", record.to_str().unwrap()]].concat())),
        ("check json", run(&[&check[..], &["--output", "json"]].concat())),
        ("recording", fs::read_to_string(&record).unwrap()),
    ] {
        for secret in planted {
            assert!(!shown.contains(secret), "{name}: {secret} in {shown}");
        }
        if name != "check" {
            assert!(shown.contains("kept as it is") && shown.contains("[cut]"), "{name}: {shown}");
        }
    }
    assert!(run(&["token", &token]).contains("looks like a secret: "), "it is said where something was cut");
}
