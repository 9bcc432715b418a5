//! The thumbprint that an IAM provider registers is that of the host of the keys, and everything that tells one says so.

use std::collections::HashMap;
use std::fs;

use serde_json::Value;

use super::servers::{Authority, VALID, authority, json, tls};
use super::support::trustline;

fn sha1(authority: &Authority) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &authority.der());
    digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn where_the_keys_are_on_another_host_that_one_is_meant() {
    let (documents, keys) = (authority("Of The Document"), authority("Of The Keys"));
    let key_server = tls(keys.identity("localhost", VALID), |_| HashMap::from([("/keys", json("{\"keys\":[]}"))]));
    let jwks_uri = format!("https://localhost:{}/keys", key_server.port);
    let server = tls(documents.identity("localhost", VALID), |port| {
        let document = serde_json::json!({
            "issuer": format!("https://localhost:{port}"), "jwks_uri": jwks_uri,
            "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        HashMap::from([("/.well-known/openid-configuration", json(&document.to_string()))])
    });
    let ca = tempfile::NamedTempFile::new().unwrap();
    let both = [&documents, &keys].map(|authority| fs::read_to_string(authority.file.path()).unwrap());
    fs::write(ca.path(), both.concat()).unwrap();
    let (ca, issuer) = (ca.path().to_str().unwrap(), format!("https://localhost:{}", server.port));
    let (meant, other) = (sha1(&keys), sha1(&documents));

    let seen = trustline().args(["issuer", &issuer, "--ca-file", ca, "--output", "json"]).output().unwrap();
    let seen: Value = serde_json::from_slice(&seen.stdout).unwrap();
    assert_eq!(seen["tls"]["chain"][1]["thumbprint_sha1"], other, "{seen:#}");
    assert_eq!(
        (&seen["tls"]["thumbprint_sha1"], &seen["tls"]["thumbprint_host"]),
        (&meant.clone().into(), &"localhost".into())
    );
    assert_eq!(seen["jwks"]["tls"]["chain"][1]["thumbprint_sha1"], meant);

    let shown = trustline().args(["issuer", &issuer, "--ca-file", ca]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let marked: Vec<&str> = shown.lines().filter(|line| line.contains("<- the thumbprint")).collect();
    assert!(marked.len() == 1 && marked[0].contains(&meant), "{shown}");
    assert!(shown.contains("registers that of localhost, where the keys are"), "{shown}");

    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("p.toml");
    fs::write(&profile, format!("guide = \"aws-workload-identity\"\n[issuer]\nurl = \"{issuer}\"\n")).unwrap();
    let rendered = trustline()
        .args([
            "render",
            "create-oidc-provider",
            "--live",
            "--ca-file",
            ca,
            "--profile-file",
            profile.to_str().unwrap(),
        ])
        .output()
        .unwrap();
    let rendered = String::from_utf8(rendered.stdout).unwrap();
    assert!(rendered.contains(&meant) && !rendered.contains(&other), "{rendered}");
}
