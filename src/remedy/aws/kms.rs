//! The customer key of a secret: who may decrypt with it, and its state.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::meant::{Principal, via_service};
use super::permissions::{added, document_at_hand, edit};
use super::{Sh, piece};
use crate::cause::{Cause, Finding, Fix};
use crate::domain::arn::Arn;
use crate::domain::iam::{AccessRequest, Decision, OtherKeys, Policy, evaluate_access};
use crate::remedy::Context;
use crate::remedy::check;

const DECRYPT: &str = "kms:Decrypt";
const POLICY_NAME: &str = "DecryptSecrets";

/// The fixes for a key that the reader may not use, or that cannot be used.
pub(super) fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let fix = match finding.cause {
        Cause::KmsKeyState => Some(state(finding, context)),
        _ => decrypt(context),
    };
    fix.into_iter().collect()
}

/// The key's ARN, where the list or the profile has it.
fn known_key(context: Context<'_>) -> Option<String> {
    let side = context.facts.operator.aws.secret.as_ref().and_then(|secret| secret.key.as_ref());
    let read = side.and_then(|key| Some(key.key.seen()?.arn.clone()));
    let listed = context.facts.aws.list.as_ref().and_then(|call| call.granted()).and_then(|list| list.key.clone());
    read.or(listed)
        .or_else(|| context.profile.aws.kms_key_arn.clone())
        .filter(|key| key.starts_with("arn:") && key.contains(":key/"))
}

fn decrypt(context: Context<'_>) -> Option<Fix> {
    let reader = Principal::reading(context)?;
    let service = via_service(context.profile)?;
    let statement = |key: &str| {
        json!({ "Effect": "Allow", "Action": DECRYPT, "Resource": key,
            "Condition": { "StringEquals": { "kms:ViaService": service } } })
    };
    let key = known_key(context);
    let at_hand = key.as_deref().zip(document_at_hand(context));
    match at_hand {
        Some((key, document)) if allows(&document, key, &service) => {
            key_policy(&reader, Some(key), &service, Own::Allows, context)
        }
        Some((key, document)) => {
            let after = added(&document, statement(key));
            if !allows(&after, key, &service) {
                return None;
            }
            let mut fix = edit(
                &reader,
                &document,
                &after,
                context,
                format!("so that it allows `{DECRYPT}` with {key} for secrets"),
            );
            fix.text.push_str(" The key's own policy follows, where it does not leave the decision to the account.");
            let variables = |sh: Sh| with_key(sh, &reader, Some(key), &service, context);
            append(&mut fix.command, variables, piece!("key-policy.sh"));
            append(&mut fix.undo, variables, piece!("key-policy-undo.sh"));
            Some(fix)
        }
        None => key_policy(&reader, key.as_deref(), &service, Own::Unknown, context),
    }
}

/// The variables of the pieces about a key.
fn with_key(sh: Sh, reader: &Principal, key: Option<&str>, service: &str, context: Context<'_>) -> Sh {
    let secret = context.profile.secret.as_ref().map_or("", |secret| secret.name.as_str());
    let sh = sh
        .with("PRINCIPAL", &reader.arn)
        .with("ROOT", &reader.root())
        .with("SERVICE", service)
        .with("SECRET", secret)
        .with("POLICY_NAME", POLICY_NAME);
    match key {
        Some(key) => sh.with("KEY", key),
        None => sh,
    }
}

/// Goes on with the key's policy at a script's end.
fn append(script: &mut Option<String>, variables: impl Fn(Sh) -> Sh, change: &str) {
    if let Some(script) = script {
        script.push_str(&variables(Sh::rest()).run(piece!("key.sh")).run(change).lines());
    }
}

fn allows(document: &Value, key: &str, service: &str) -> bool {
    let Ok(policy) = Policy::parse(&document.to_string()) else { return false };
    let context = BTreeMap::from([("kms:viaservice".to_owned(), service.to_owned())]);
    let request = AccessRequest { action: DECRYPT, resource: key, context: &context, others: OtherKeys::Unknown };
    evaluate_access(&[policy], &request).decision == Decision::Allow
}

/// The key's policy, where it does not let the reader, and the reader's own permission where that is not known to be there.
fn key_policy(reader: &Principal, key: Option<&str>, service: &str, own: Own, context: Context<'_>) -> Option<Fix> {
    context.profile.secret.as_ref()?;
    let script = |pieces: &[&str]| {
        let sh = Sh::new(context.profile).with("KIND", reader.kind).with("NAME", &reader.name);
        let sh = with_key(sh, reader, key, service, context);
        let sh = sh.in_account(Some(&reader.account)).run(piece!("key.sh"));
        pieces.iter().fold(sh, |sh, piece| sh.run(piece)).finish()
    };
    let (forth, back): (&[&str], &[&str]) = match own {
        Own::Allows => (
            &[piece!("key-policy.sh"), piece!("key-was-it.sh"), piece!("decrypt.sh"), piece!("grant.sh")],
            &[piece!("key-policy-undo.sh"), piece!("key-was-it.sh"), piece!("decrypt.sh"), piece!("ungrant.sh")],
        ),
        Own::Unknown => (
            &[piece!("key-policy.sh"), piece!("decrypt.sh"), piece!("grant.sh")],
            &[piece!("key-policy-undo.sh"), piece!("decrypt.sh"), piece!("ungrant.sh")],
        ),
    };
    Some(Fix {
        text: match own {
            Own::Allows => format!(
                "Let {} decrypt secrets, and nothing else, by the key's own policy; where that lets it already, by a \
                 policy of its own, which the copy at hand then wrongly shows.",
                reader.arn
            ),
            Own::Unknown => format!(
                "Let {} decrypt secrets with this key, and nothing else: by a policy of its own, and by the key's where \
                 that does not leave it to the account.",
                reader.arn
            ),
        },
        command: Some(script(forth)),
        verify: Some(check(context.profile, Some(60))),
        undo: Some(script(back)),
        ..Fix::default()
    })
}

/// Whether the reader's own policies at hand allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    Allows,
    Unknown,
}

fn state(finding: &Finding, context: Context<'_>) -> Fix {
    let named = finding.evidence.iter().find_map(|line| {
        let at = line.find("arn:")?;
        let arn = line.get(at..)?.split(|c: char| c.is_whitespace() || c == ',' || c == ')').next()?;
        arn.contains(":key/").then(|| arn.to_owned())
    });
    let key = known_key(context).or(named);
    let of_key = key.as_deref().and_then(Arn::parse).map(|arn| arn.account.to_owned());
    let account = of_key.or_else(|| Principal::reading(context).map(|reader| reader.account));
    let was_pending = finding.evidence.iter().any(|line| line.contains("pending deletion"));
    let script = |pieces: &[&str]| {
        let sh = Sh::new(context.profile).with_known("KEY", key.as_deref(), "the id or ARN of the secret's KMS key");
        let sh = sh.in_account(account.as_deref());
        pieces.iter().fold(sh, |sh, piece| sh.run(piece)).finish()
    };
    let back: &[&str] = if was_pending {
        &[piece!("key-disable.sh"), piece!("key-schedule.sh")]
    } else {
        &[piece!("key-disable.sh"), piece!("key-off.sh")]
    };
    Fix {
        text: "Enable the key again; where it waits for its deletion, cancel that first.".to_owned(),
        command: Some(script(&[piece!("key-state.sh")])),
        verify: Some(check(context.profile, Some(60))),
        undo: Some(script(back)),
        ..Fix::default()
    }
}
