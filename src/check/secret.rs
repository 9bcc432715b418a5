//! The check of the secret that was read, in whichever store, and such a secret in words.

use crate::cause::{Cause, Certainty, Finding};
use crate::check::definition::{Check, Link, Reproduction, Traffic, Waits};
use crate::check::facts::secret::{FieldState, SecretList, SecretRead};
use crate::check::facts::{Facts, as_json};
use crate::check::step::Step;
use crate::check::{CheckId, Outcome, Verdict, reproduce};
use crate::domain::ids::Cloud;
use crate::domain::profile::Profile;

/// The secret holds the field that the profile selects.
pub const CHECK: Check = Check {
    id: CheckId::SecretJsonKey,
    title: "secret holds the selected field",
    docs: "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html",
    link: Link::Secret,
    // Of these the plan has the read of the profile's own store.
    needs: &[CheckId::AwsGetSecret, CheckId::AzureGetSecret, CheckId::GcpGetSecret],
    rules_out: &[],
    step: |profile| {
        let read = match profile.guide.cloud() {
            Cloud::Aws => Step::GetSecret,
            Cloud::Azure => Step::VaultGet,
            Cloud::Gcp => Step::GoogleGet,
        };
        profile.secret.as_ref()?.json_key.as_ref().map(|_| read)
    },
    traffic: Traffic::None,
    waits: Waits::IfRefused,
    facts: |facts| facts.secret_read().and_then(|read| as_json(read.field.as_ref())),
    verdict: json_key,
    reproduction: Reproduction::Command(|profile, _| match profile.guide.cloud() {
        Cloud::Aws => reproduce::read_from_secrets_manager(profile),
        Cloud::Azure => reproduce::read_from_vault(profile),
        Cloud::Gcp => reproduce::google::get(profile),
    }),
};

fn json_key(facts: &Facts, _profile: &Profile) -> Verdict {
    let field = facts.secret_read().and_then(|read| read.field.as_ref());
    let Some(field) = field else { return Verdict::inconclusive("no value was read", Vec::new()) };
    let key = &field.json_key;
    let reason = match &field.state {
        FieldState::Found => return Verdict::pass(),
        FieldState::NotText { kind } => {
            let reason = format!("the field `{key}` is {kind}; a consumer that expects a text may not accept it");
            return Verdict { outcome: Outcome::Warn, reason: Some(reason), findings: Vec::new() };
        }
        FieldState::Missing { nearest: Some(nearest) } => {
            format!("the secret has no field `{key}`; it has `{nearest}`")
        }
        FieldState::Missing { nearest: None } => format!("the secret has no field `{key}`"),
        FieldState::NotAnObject => format!("the secret is JSON and no object, so it has no field `{key}`"),
        FieldState::NotJson => format!("the secret is not JSON, so it has no field `{key}`"),
    };
    let mut finding = Finding::new(Cause::JsonKeyMissing, CheckId::SecretJsonKey, Certainty::Proven, reason.clone());
    if let FieldState::Missing { nearest: Some(nearest) } = &field.state {
        finding = finding.with_difference(key, nearest);
    }
    Verdict::fail(reason, vec![finding])
}

/// A secret that was read, in a line: its fingerprint, version and staging labels.
pub fn read_in_words(read: &SecretRead) -> String {
    let mut words = read.fingerprint.as_str().to_owned();
    if let Some(field) = read.field.as_ref().filter(|field| field.state == FieldState::Found) {
        words.push_str(&format!(" of the field `{}`", field.json_key));
    }
    if let Some(version) = &read.version_id {
        words.push_str(&format!(", version {version}"));
    }
    if !read.stages.is_empty() {
        words.push_str(&format!(", {}", read.stages.join(" ")));
    }
    words
}

/// A list of secrets, in words.
pub fn list_in_words(list: &SecretList) -> String {
    let more = if list.more { "the first " } else { "" };
    let plural = if list.seen == 1 { "" } else { "s" };
    format!("{more}{} secret{plural}", list.seen)
}
