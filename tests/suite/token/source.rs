//! Where tokens and keys come from: files, variables, programs, standard input, addresses, issuers, GitHub Actions.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use super::super::support::trustline;
use super::signing::RSA;
use super::{Case, causes, claims, sound, text_of};

#[test]
fn sources_give_the_same_token() {
    let token = sound();
    let case = Case::new(&token, &[RSA.jwk("k1")]);
    let wrapped = token.as_bytes().chunks(64).map(|c| std::str::from_utf8(c).unwrap()).collect::<Vec<_>>().join("\r\n");
    let pasted = format!("Authorization: Bearer \"{wrapped}\"\n");
    let arguments = ["--now", "2023-11-14T22:13:20Z", "--jwks", "jwks.json", "--output", "json"];
    for (source, stdin, variable) in [
        (&["-"][..], token.as_str(), ""),
        (&[], &pasted, ""),
        (&["--env", "MY_TOKEN"], "", token.as_str()),
        (&["token.jwt"], "", ""),
    ] {
        let mut command = trustline();
        command.current_dir(case.folder.path()).arg("token").args(source).args(arguments).write_stdin(stdin);
        let output = command.env("MY_TOKEN", variable).assert().success().get_output().stdout.clone();
        let document: Value = serde_json::from_slice(&output).unwrap();
        assert_eq!((&document["signature"], &document["claims"]), (&json!("verified"), &claims()), "{source:?}");
    }
    let mut command = trustline();
    command.current_dir(case.folder.path()).args(["token", "--now", "1700000000", "--command", "cat", "token.jwt"]);
    assert!(text_of(&command.env("PATH", "/usr/bin:/bin").assert().success()).contains("token from program cat"));
}

#[test]
fn input_errors_say_what_to_write_instead() {
    let case = Case::new(sound(), &[]);
    std::fs::write(case.path("empty"), "\n").unwrap();
    std::fs::write(case.path("page.json"), "<!doctype html>").unwrap();
    let mut large = std::fs::File::create(case.path("large")).unwrap();
    large.write_all(&vec![b'a'; (1 << 20) + 1]).unwrap();
    for (arguments, told) in [
        (&["absent.jwt"][..], "file absent.jwt is not there"),
        (&["."], "is a directory"),
        (&["empty"], "file empty is empty"),
        (&["large"], "more than 1 MiB"),
        (&["--env", "NOT_SET"], "variable NOT_SET is not set"),
        (&["--env", "EMPTY"], "variable EMPTY is empty"),
        (&["token.jwt", "--jwks", "absent.json"], "key set absent.json cannot be read"),
        (&["token.jwt", "--jwks", "page.json"], "a web page (HTML) instead of a key set"),
        (&["token.jwt", "--now", "noon"], "write a time such as"),
        (&["token.jwt", "--output", "junit"], "possible values: text, json"),
        (&["token.jwt", "--issuer", "ftp://x"], "--issuer"),
        (&["--command", "/nonexistent/program"], "cannot be started"),
    ] {
        let mut command = trustline();
        command.current_dir(case.folder.path()).env("EMPTY", "").arg("token").args(arguments);
        let text = text_of(&command.assert().code(2));
        assert!(text.contains(told), "{arguments:?}: {text}");
    }
}

#[test]
fn an_address_is_asked_only_when_it_is_named() {
    // Nothing listens there: the answer must be "could not check", never "failed".
    let case = Case::new(sound(), &[]);
    for arguments in [["--jwks", "https://127.0.0.1:9/keys"], ["--issuer", "https://127.0.0.1:9"]] {
        let (code, document) = case.json(&[&arguments[..], &["--timeout", "5"]].concat());
        assert_eq!(document["signature"], "cannot-check", "{document:#}");
        let unreachable = |cause: &&str| matches!(*cause, "connect-refused" | "jwks-unreachable");
        assert!(causes(&document).iter().any(unreachable), "{document:#}");
        // With an issuer named, the token's `iss` is compared with it, and differs here.
        assert_eq!(code, if arguments[0] == "--issuer" { 1 } else { 3 });
    }
}

/// A server on loopback that gives one answer for each path, to as many requests as there are answers, and yields
/// the requests' heads.
fn serve(answers: Vec<(&'static str, u16, String)>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let own = base.clone();
    let served = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for _ in 0..answers.len() {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(&stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty());
            let head = lines.collect::<Vec<_>>().join("\n");
            let (_, status, body) =
                answers.iter().find(|(path, ..)| head.starts_with(&format!("GET {path}"))).expect(&head);
            let body = body.replace("{base}", &own);
            let length = body.len();
            write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
                .unwrap();
            heads.push(head);
        }
        heads
    });
    (base, served)
}

#[test]
fn keys_come_from_an_address_or_from_the_issuer() {
    let set = json!({ "keys": [RSA.jwk("k1")] }).to_string();
    let case = Case::new(sound(), &[]);
    let (base, served) = serve(vec![("/keys", 200, set.clone())]);
    let (code, document) = case.json(&["--jwks", &format!("{base}/keys")]);
    assert_eq!((code, &document["signature"]), (0, &json!("verified")), "{document:#}");
    served.join().unwrap();

    let discovery = r#"{"issuer":"{base}","jwks_uri":"{base}/keys","response_types_supported":["id_token"],
        "subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"],"claims_supported":["sub"]}"#;
    let (base, served) = serve(vec![("/.well-known", 200, discovery.to_owned()), ("/keys", 200, set)]);
    let mut claims = claims();
    claims["iss"] = json!(base);
    let token = RSA.token(&json!({"alg": "RS256", "kid": "k1"}), &claims);
    let (code, document) = Case::new(token, &[]).json(&["--issuer", &base]);
    assert_eq!((code, &document["signature"]), (0, &json!("verified")), "{document:#}");
    assert_eq!(document["keys_from"], format!("{base}/keys"));
    served.join().unwrap();
}

#[test]
fn an_answer_that_is_no_key_set_fails_nobody() {
    let case = Case::new(sound(), &[]);
    for (status, body, cause) in [(503, "busy", "jwks-unreachable"), (200, "<html>", "jwks-invalid")] {
        let (base, served) = serve(vec![("/keys", status, body.to_owned())]);
        let (code, document) = case.json(&["--jwks", &format!("{base}/keys")]);
        assert_eq!((code, &document["signature"]), (3, &json!("cannot-check")), "{document:#}");
        assert_eq!(causes(&document), [cause], "{document:#}");
        served.join().unwrap();
    }
}

#[test]
fn github_actions_is_asked_for_the_audience() {
    let run = |base: &str| {
        let mut command = trustline();
        command.args(["token", "--github-actions", "--audience", "sts.amazonaws.com", "--now", "1700000000"]);
        if !base.is_empty() {
            command.env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{base}/idtoken?api-version=2.0"));
            command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-secret");
        }
        let assert = command.assert();
        let text = text_of(&assert);
        assert!(!text.contains("request-secret"), "{text}");
        (assert.get_output().status.code(), text)
    };
    let (base, served) = serve(vec![("/idtoken", 200, json!({"value": sound(), "count": 1}).to_string())]);
    let (code, text) = run(&base);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("token from GitHub Actions' token request"), "{text}");
    let head = served.join().unwrap().remove(0);
    assert!(head.starts_with("GET /idtoken?api-version=2.0&audience=sts.amazonaws.com HTTP/1.1"), "{head}");
    assert!(head.contains("authorization: Bearer request-secret"), "{head}");

    for (status, body, told) in [
        (403, "denied", "HTTP status 403; the job needs `permissions: id-token: write`"),
        (500, "oops", "HTTP status 500"),
        (200, "<html>", "not a JSON object with a `value`"),
        (200, "{\"count\":1}", "not a JSON object with a `value`"),
    ] {
        let (base, served) = serve(vec![("/idtoken", status, body.to_owned())]);
        let (code, text) = run(&base);
        assert!(code == Some(2) && text.contains(told), "{text}");
        served.join().unwrap();
    }
    let (code, text) = run("");
    assert_eq!(code, Some(2));
    assert!(text.contains("ACTIONS_ID_TOKEN_REQUEST_URL is not set") && text.contains("id-token: write"), "{text}");
    assert!(run("http://127.0.0.1:9").1.contains("got no answer"));
}
