//! Texts that are no JSON: ARNs, addresses, subjects, `KEY=VALUE` lines, tokens.

use super::{Reader, json};
use crate::domain::arn::Arn;
use crate::domain::national_cloud;
use crate::domain::profile::document::parse_flag;
use crate::domain::profile::key::Key;
use crate::domain::region;
use crate::domain::token::{RawToken, decode, looks_like_jwt};

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Reads a text that is not empty, and says what it was.
pub(super) fn read(text: &str, reader: &mut Reader) -> &'static str {
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(text)
        && (value.is_object() || value.is_array())
    {
        json::read(&value, reader);
        return "JSON";
    }
    let (raw, _) = RawToken::clean(text);
    if looks_like_jwt(raw.expose()) {
        token(&raw, reader);
        return "a token";
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let keyed = |line: &&str| line.split_once('=').is_some_and(|(key, _)| Key::parse(key.trim()).is_some());
    if lines.iter().any(keyed) {
        lines.iter().for_each(|line| assignment(line, reader));
        return "lines of KEY=VALUE";
    }
    let text = text.trim_matches(['"', '\'', '`', ',']);
    if text.starts_with("arn:") {
        arn(text, "the ARN", reader);
        "an ARN"
    } else if text.starts_with("https://") {
        address(text, reader);
        "an address"
    } else if !subject(text, "the subject", reader) {
        word(text, reader);
        "text"
    } else {
        "a subject"
    }
}

/// A single word whose form says what it is.
fn word(text: &str, reader: &mut Reader) {
    if region::partition_of(text).is_ok() {
        reader.offer(Key::Region, text, "the region");
    } else if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        reader.offer(Key::AccountId, text, "the account");
    } else if text.len() == 36 && text.matches('-').count() == 4 {
        reader.leave("the UUID", "nothing says whose it is; write it into its field");
    }
}

fn assignment(line: &str, reader: &mut Reader) {
    let Some((key, value)) = line.split_once('=') else { return };
    let (key, value) = (key.trim(), value.trim().trim_matches('"'));
    if key == Key::Guide.path() {
        return;
    }
    match parse_flag(&format!("{key}={value}")) {
        Ok(setting) => reader.offer(setting.key, &setting.value.to_string(), key),
        Err(problem) => reader.leave("a line", format!("{}; {}", problem.wrong, problem.instead)),
    }
}

fn token(raw: &RawToken, reader: &mut Reader) {
    let decoded = decode(raw);
    reader.leave("the token itself", "is not kept: a profile names where the token is");
    match decoded.issuer() {
        Some(issuer) => reader.offer(Key::IssuerUrl, issuer, "the token's `iss`"),
        None => reader.leave("the token's `iss`", "cannot be read"),
    }
    match decoded.subject() {
        Some(found) if subject(found, "the token's `sub`", reader) => {}
        Some(_) => reader.leave("the token's `sub`", "is of no form that this guide knows"),
        None => reader.leave("the token's `sub`", "cannot be read"),
    }
    for audience in decoded.audiences() {
        if audience.starts_with("api://") {
            reader.leave("the token's `aud`", "is Entra's, which follows from the cloud");
        } else if reader.fields.contains(&Key::AwsAudience) {
            reader.offer(Key::AwsAudience, audience, "the token's `aud`");
        }
    }
}

/// Reads the parts of a subject; `false` where its form is another.
pub(super) fn subject(text: &str, from: &str, reader: &mut Reader) -> bool {
    let mut part = |key: Key, text: &str| {
        // A part that may vary names nothing.
        if !text.contains('*') {
            reader.offer(key, text, from);
        }
    };
    if let Some(organization) = text.strip_prefix("organization:") {
        part(Key::Organization, organization);
        return true;
    }
    let gitlab = text.strip_prefix("project_path:").and_then(|rest| rest.split_once(":ref_type:"));
    if let Some((project, (kind, reference))) =
        gitlab.and_then(|(project, rest)| Some((project, rest.split_once(":ref:")?)))
    {
        part(Key::GitlabProject, project);
        part(Key::GitlabRefType, kind);
        part(Key::GitlabRef, reference);
        return true;
    }
    let circleci = text.strip_prefix("org/").and_then(|rest| rest.split_once("/project/"));
    if let Some((organization, rest)) = circleci {
        part(Key::Organization, organization);
        part(Key::CircleciProject, rest.split('/').next().unwrap_or_default());
        return true;
    }
    false
}

/// An ARN fills what it names.
pub(super) fn arn(text: &str, from: &str, reader: &mut Reader) {
    let Some(Arn { service, region, account, resource, .. }) = Arn::parse(text) else {
        return reader.leave(from, "is not a whole ARN");
    };
    match (service, resource.split_once('/')) {
        ("iam", Some(("role", _))) => reader.offer(Key::RoleArn, text, from),
        ("iam", Some(("oidc-provider", host))) => reader.offer(Key::IssuerUrl, &format!("https://{host}"), from),
        ("iam", Some(("user", _))) => reader.offer(Key::AccountId, account, from),
        ("sts", Some(("assumed-role", _))) => reader.leave(
            from,
            "is that of a session, which lacks the role's path; paste the role's own (`aws iam get-role`)",
        ),
        ("kms", Some(("key", _))) => reader.offer(Key::KmsKeyArn, text, from),
        ("secretsmanager", _) if resource.starts_with("secret:") => {
            reader.offer(Key::Region, region, from);
            if resource.contains('*') {
                reader.leave(from, "is a pattern of secrets, not one");
            } else {
                reader.offer(Key::SecretName, text, from);
            }
        }
        _ => reader.leave(from, "is the ARN of something that no field names"),
    }
}

/// An address whose form says whose it is.
fn address(text: &str, reader: &mut Reader) {
    if let Some((issuer, _)) = text.split_once(DISCOVERY) {
        reader.offer(Key::IssuerUrl, issuer, "the discovery document's address");
    } else if national_cloud::of_vault(text).is_some() {
        vault(text, "the vault's address", reader);
    } else {
        reader.leave("the address", "nothing says whose it is; write it into issuer.url or deployment.url");
    }
}

/// A vault's address, with or without a secret of it.
pub(super) fn vault(text: &str, from: &str, reader: &mut Reader) {
    let rest = text.strip_prefix("https://").unwrap_or(text);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    reader.offer(Key::VaultUrl, &format!("https://{host}"), from);
    if let Some(secret) = path.strip_prefix("secrets/") {
        reader.offer(Key::SecretName, secret.split('/').next().unwrap_or_default(), from);
    }
}
