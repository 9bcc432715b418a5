//! The secret: its name in the profile, its place, its value.

use super::meant::Principal;
use super::{Sh, piece};
use crate::cause::{Cause, Finding, Fix};
use crate::check::facts::secret::FieldState;
use crate::domain::profile::key::Key;
use crate::domain::secret_ref::SecretRef;
use crate::remedy::check;
use crate::remedy::{Context, profile_set};

/// The fixes for a secret that is not there, has no value, or is called by another name.
pub(super) fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let Some(secret) = &context.profile.secret else { return Vec::new() };
    let fix = match finding.cause {
        Cause::SecretWrongRegion => {
            finding.expected.as_ref().map(|region| profile_set(context.profile, &[(Key::Region, region.clone())]))
        }
        Cause::SecretNotFound => Some(match nearest(context) {
            Some(name) => renamed(name, secret.json_key.clone(), context),
            None => create(secret, context),
        }),
        Cause::SecretEmpty => Some(first_value(secret, context)),
        Cause::SecretPendingDeletion => Some(restore(secret, context)),
        Cause::JsonKeyMissing => other_field(secret, context),
        _ => None,
    };
    fix.into_iter().collect()
}

/// The name that the list has and that is spelt most like the profile's.
fn nearest(context: Context<'_>) -> Option<String> {
    context.facts.aws.list.as_ref()?.granted()?.nearest.clone()
}

fn renamed(name: String, json_key: Option<String>, context: Context<'_>) -> Fix {
    let reference = SecretRef { name, json_key };
    profile_set(context.profile, &[(Key::SecretName, reference.to_string())])
}

/// The reference is wrong, the secret is right: no field is ever written.
fn other_field(secret: &SecretRef, context: Context<'_>) -> Option<Fix> {
    match &context.facts.secret_read()?.field.as_ref()?.state {
        FieldState::Missing { nearest: Some(nearest) } => {
            Some(renamed(secret.name.clone(), Some(nearest.clone()), context))
        }
        FieldState::NotJson => Some(renamed(secret.name.clone(), None, context)),
        _ => None,
    }
}

fn account(context: Context<'_>) -> Option<String> {
    Principal::reading(context).map(|reader| reader.account)
}

/// The script that reads a value where nobody sees it, up to its being in the working folder.
fn with_value(secret: &SecretRef, context: Context<'_>) -> Sh {
    let sh = Sh::new(context.profile)
        .with("SECRET", &new_name(&secret.name))
        .in_account(account(context).as_deref())
        .run(piece!("../value.sh"));
    match &secret.json_key {
        Some(field) => sh.with("FIELD", field).run(piece!("field.sh")),
        None => sh,
    }
}

/// The name in an ARN, without the six characters at its end.
fn new_name(name: &str) -> String {
    let Some((_, resource)) = name.split_once(":secret:") else { return name.to_owned() };
    resource.rsplit_once('-').filter(|(_, end)| end.len() == 6).map_or(resource, |(name, _)| name).to_owned()
}

fn create(secret: &SecretRef, context: Context<'_>) -> Fix {
    let name = new_name(&secret.name);
    let sh = with_value(secret, context);
    let sh = match &context.profile.aws.kms_key_arn {
        Some(key) => sh.with("KEY", key).run(piece!("create-secret-with-key.sh")),
        None => sh.run(piece!("create-secret.sh")),
    };
    let undo = Sh::new(context.profile)
        .with("SECRET", &name)
        .in_account(account(context).as_deref())
        .run(piece!("delete-secret.sh"));
    Fix {
        text: format!(
            "Make the secret `{name}`. Its value comes from the file that VALUE_FILE names, or is asked for without being shown."
        ),
        command: Some(sh.finish()),
        verify: Some(check(context.profile, Some(60))),
        undo: Some(undo.finish()),
        ..Fix::default()
    }
}

fn first_value(secret: &SecretRef, context: Context<'_>) -> Fix {
    let earlier = Sh::new(context.profile)
        .with("SECRET", &secret.name)
        .in_account(account(context).as_deref())
        .run(piece!("earlier-value.sh"));
    Fix {
        text: format!(
            "Give the secret `{}` its first value, from the file that VALUE_FILE names, or asked for without being shown. \
             AWS keeps a current value once there is one: the way back makes the earlier version current, where there is one.",
            secret.name
        ),
        undo: Some(earlier.finish()),
        command: Some(with_value(secret, context).with("SECRET", &secret.name).run(piece!("first-value.sh")).finish()),
        verify: Some(check(context.profile, None)),
        ..Fix::default()
    }
}

fn restore(secret: &SecretRef, context: Context<'_>) -> Fix {
    let script = |change: &str| {
        Sh::new(context.profile)
            .with("SECRET", &secret.name)
            .in_account(account(context).as_deref())
            .run(change)
            .finish()
    };
    Fix {
        text: "Take the secret back from its deletion; its values are as they were.".to_owned(),
        command: Some(script(piece!("restore-secret.sh"))),
        verify: Some(check(context.profile, None)),
        undo: Some(script(piece!("delete-secret.sh"))),
        ..Fix::default()
    }
}
