//! What a profile may not hold: each mistake with its line, what is wrong and what to write instead.

use std::fs;

use super::{Home, RIGHT, ROLE, refused, stderr, stdout};

/// Line of [`RIGHT`] (from 1), what it becomes, and what the refusal must say.
const WRONG: &[(usize, &str, &[&str])] = &[
    (1, r#"guide = "aws-workload-identy""#, &["guide", "is no guide", "`aws-workload-identity`"]),
    (1, r#"guide = aws"#, &["not TOML"]),
    (3, r#"url = "http://app.example.com""#, &["issuer.url", "plain http", "`https://app.example.com`"]),
    (3, r#"url = "https://app.example.com?tenant=1""#, &["issuer.url", "query", "`https://app.example.com`"]),
    (3, r#"url = "https://app.example.com#x""#, &["fragment"]),
    (3, r#"url = "app.example.com""#, &["no scheme", "`https://app.example.com`"]),
    (3, r#"url = "https://app.example.com/.well-known/openid-configuration""#, &["discovery document"]),
    (3, r#"url = "https://<your-platform-host>""#, &["placeholder `<your-platform-host>`"]),
    (3, r#"url = " https://app.example.com""#, &["a blank (U+0020) at its start"]),
    (3, "url = \"https://app.exa\u{200b}mple.com\"", &["a zero-width space (U+200B) at character 16"]),
    (5, r#"organization = "my-organization""#, &["platform.organization", "no UUID", "8-4-4-4-12"]),
    (
        5,
        r#"organization = "organization:5b1f2c9e-0000-4000-8000-0123456789ab""#,
        &["subject", "write `5b1f2c9e-0000-4000-8000-0123456789ab`"],
    ),
    (5, r#"organization = "<YOUR_CREWAI_ORG_UUID>""#, &["placeholder `<YOUR_CREWAI_ORG_UUID>`"]),
    (5, r#"organization = 42"#, &["is a number", "organization = \"…\""]),
    (7, r#"file = "${TOKEN_FILE}""#, &["`${TOKEN_FILE}`", "nothing expands"]),
    (7, r#"file = "~/token.jwt""#, &["token.file", "`~`"]),
    (7, r#"env = "$MY_TOKEN""#, &["reference", "`MY_TOKEN`"]),
    (7, r#"command = "gcloud auth print-identity-token""#, &["is a text", "command = ["]),
    (7, "file = \"a\"\nenv = \"B\"", &["token.env", "second source", "token.file"]),
    (
        9,
        r#"role-arn = "arn:aws:iam::123456789012:oidc-provider/app.example.com""#,
        &["OIDC identity provider", "role/NAME"],
    ),
    (
        9,
        r#"role-arn = "arn:aws:sts::123456789012:assumed-role/reader/session""#,
        &["session of a role", "`arn:aws:iam::123456789012:role/reader`"],
    ),
    (9, r#"role-arn = "arn:aws:iam::123456789012:user/me""#, &["IAM user"]),
    (9, r#"role-arn = "arn:aws:iam::<YOUR_ACCOUNT_ID>:role/r""#, &["placeholder `<YOUR_ACCOUNT_ID>`"]),
    (9, r#"role-arn = "arn:aws:iam::1234:role/r""#, &["account `1234`", "twelve digits"]),
    (9, r#"role-arn = "arn:aws-china:iam::123456789012:role/r""#, &["partition `aws-china`"]),
    (9, r#"role-arn = "arn:aws-cn:iam::123456789012:role/r""#, &["partition", "`us-east-1`"]),
    (9, r#"role-arn = "reader""#, &["not an ARN", "role/reader"]),
    (9, r#"role_arn = "x""#, &["`aws.role_arn` is no key", "write `aws.role-arn`"]),
    (10, r#"region = "us-east1""#, &["not a region", "write `us-east-1`"]),
    (10, r#"region = "us-east-1a""#, &["availability zone", "write `us-east-1`"]),
    (10, "region = \"us-east-1\u{a0}\"", &["a no-break space (U+00A0) at its end"]),
    (10, "region = \u{201c}us-east-1\u{201d}", &["typographic quotation mark (U+201C)"]),
    (13, r#"tenant-id = "{tenantId}""#, &["azure.tenant-id", "placeholder `{tenantId}`"]),
    (13, r#"tenant-id = "common""#, &["any directory"]),
    (14, r#"client-id = "5b1f2c9e-0000-4000-8000-0123456789ab""#, &["same UUID", "application (client) ID"]),
    (15, r#"vault-url = "my-vault""#, &["a vault's name", "`https://my-vault.vault.azure.net`"]),
    (
        15,
        r#"vault-url = "https://my-vault.vault.azure.net/secrets/db""#,
        &["address of a secret", "secret.name = \"db\""],
    ),
    (17, r#"name = "a#""#, &["secret.name", "`name#json_key`"]),
    (17, r#"name = "a#b#c""#, &["more than one `#`"]),
    (17, r#"name = """#, &["is empty"]),
    (19, r#"url = "http://my-crew.example.com""#, &["deployment.url", "plain http"]),
    (20, r#"token-env = "Bearer abc""#, &["deployment.token-env", "never the value"]),
    (21, r#"variabel = "API_KEY""#, &["`deployment.variabel` is no key", "write `deployment.variable`"]),
];

#[test]
fn bad_profiles_are_refused_with_line_what_and_what_instead() {
    let home = Home::new();
    for (line, replaced, parts) in WRONG {
        let mut lines: Vec<&str> = RIGHT.lines().collect();
        lines[line - 1] = replaced;
        let path = home.write("bad", &lines.join("\n"));
        let output = home.run(&["show", "--profile", "bad"], &[]);
        // Of a partition that differs the region is told, and of two sources the second.
        let told = line + usize::from(replaced.contains("aws-cn") || replaced.contains('\n'));
        refused(&output, &[&[format!("{}:{told}: ", path.display()).as_str()], *parts].concat());
        // What would be right stands on a line of its own.
        assert_eq!(stderr(&output).lines().count(), 2, "{}", stderr(&output));
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let home = Home::new();
    home.write("bad", "[aws]\nrole-arn = \"x y\"\nregion = \"nowhere\"\nnonsense = 1\n");
    let output = home.run(&["show", "--profile", "bad", "--set", "secret.name=a#"], &[]);
    refused(&output, &["`bad` has 4 mistakes", "bad.toml:2", "bad.toml:3", "bad.toml:4", "--set: secret.name"]);
}

#[test]
fn secrets_in_the_wrong_place_are_refused_and_never_printed() {
    let home = Home::new();
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.c2lnbmF0dXJl", "eyJzdWIiOiJ4In0".repeat(3));
    let key = "AKIAABCDEFGHIJKLMNOP";
    for secret in [token.as_str(), key, "-----BEGIN PRIVATE KEY-----"] {
        for (table, entry) in [
            ("token", format!("env = \"{secret}\"")),
            ("token", format!("file = \"{secret}\"")),
            ("token", format!("command = [\"print\", \"{secret}\"]")),
            ("deployment", format!("token-env = \"{secret}\"")),
            ("aws", format!("external-id = \"{secret}\"")),
            ("aws", format!("\"{secret}\" = 1")),
        ] {
            home.write("p", &format!("[{table}]\n{entry}\n"));
            for args in [&["show", "--profile", "p"][..], &["list"], &["list", "--output", "json"]] {
                let output = home.run(args, &[]);
                let said = stdout(&output) + &stderr(&output);
                assert!(!said.contains(secret), "{entry}: {said}");
                assert!(args[0] == "list" || output.status.code() == Some(2), "{entry}: {said}");
            }
        }
        let flag = format!("token.env={secret}");
        let bare = format!("--set={secret}");
        for args in [&["show", "--set", &flag][..], &["show", &bare], &["new", "q", "--set", &flag]] {
            let output = home.run(args, &[]);
            refused(&output, &["--set"]);
            assert!(!stderr(&output).contains(secret), "{}", stderr(&output));
        }
    }
    let shown = home.run(&["show", "--output", "json"], &[("CIRCLE_OIDC_TOKEN", &token), ("AWS_ROLE_ARN", ROLE)]);
    assert!(stdout(&shown).contains("CIRCLE_OIDC_TOKEN") && !stdout(&shown).contains(&token));
    let password = home.run(&["show", "--set", "issuer.url=https://me:hunter2@app.example.com"], &[]);
    refused(&password, &["user name or password"]);
    assert!(!stderr(&password).contains("hunter2"));
    let external = home.run(&["show", "--set", "aws.external-id=kept-to-ourselves"], &[]);
    assert!(!stdout(&external).contains("kept-to-ourselves") && stdout(&external).contains("not shown"));
}

#[test]
fn nothing_in_a_profile_steers_the_terminal() {
    let home = Home::new();
    home.write("p", "[aws]\nregion = \"\\u001b[2Jx\"\n\"\\u001b[31mkey\" = 1\n");
    let output = home.run(&["show", "--profile", "p"], &[]);
    refused(&output, &["control character (U+001B)"]);
    assert!(!output.stderr.contains(&0x1b), "{}", stderr(&output));
}

#[test]
fn large_and_broken_files_are_refused_at_once() {
    let home = Home::new();
    home.write("p", &"[aws]\n".repeat(200_000));
    refused(&home.run(&["show", "--profile", "p"], &[]), &["64 KiB"]);
    fs::write(home.folder().join("p.toml"), b"[aws]\nregion = \"\xff\"\n").unwrap();
    refused(&home.run(&["show", "--profile", "p"], &[]), &["p.toml:2", "not UTF-8"]);
    fs::remove_file(home.folder().join("p.toml")).unwrap();
    fs::create_dir(home.folder().join("p.toml")).unwrap();
    refused(&home.run(&["show", "--profile", "p"], &[]), &["cannot be read"]);
}
