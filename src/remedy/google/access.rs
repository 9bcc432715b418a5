//! Bindings, and the secret itself: roles for the one member that is meant; a value is never printed, overwritten or passed
//! as an argument.

use super::identity::{federated_member, member};
use super::{PROPAGATION_S, WORK, head};
use crate::cause::{Finding, Fix};
use crate::domain::profile::key::Key;
use crate::domain::secret_ref::SecretRef;
use crate::domain::text::quote;
use crate::remedy::{Context, check, profile_set, variable};

/// The value of a secret: from `$VALUE_FILE`, else typed without being shown.
const VALUE: &str = concat!(include_str!("../../../assets/remedy/value.sh"), "\n");

/// A role, and the command of gcloud that grants it at its place.
struct Grant {
    on: &'static str,
    place: String,
    role: &'static str,
    condition: &'static str,
}

/// Grants roles to one member, and takes them back.
fn granted(context: Context<'_>, member: &str, what: &str, grants: &[Grant]) -> Fix {
    let head = head(context) + &variable("MEMBER", Some(member), "");
    let script = |head: &str, action: &str| {
        grants.iter().fold(head.to_owned(), |script, Grant { on, place, role, condition }| {
            script
                + &format!(
                    "gcloud {on} {action}-iam-policy-binding {place} \\\n  --role {role} --member \"$MEMBER\"{condition} >/dev/null\n"
                )
        })
    };
    let held = match grants {
        [only] => only.held_already().unwrap_or_default(),
        _ => String::new(),
    };
    Fix {
        text: format!("Let `{member}` {what}"),
        command: Some(script(&(head.clone() + &held), "add")),
        undo: Some(script(&head, "remove")),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        ..Fix::default()
    }
}

impl Grant {
    /// Ends the script where the role is granted on the secret or on its project: a refusal does not tell a binding that is
    /// missing from a deny policy, and no binding helps against that. Who may not read the project's policy goes on.
    fn held_already(&self) -> Option<String> {
        let Grant { on, place, role, .. } = self;
        (*on == "secrets").then(|| {
            format!(
                "held=$({{ gcloud secrets get-iam-policy {place} --format json\n  \
                 gcloud projects get-iam-policy \"$PROJECT\" --format json 2>/dev/null || true; }} |\n  \
                 jq -s --arg member \"$MEMBER\" 'any(.[].bindings[]?;\n    \
                 .role == \"{role}\" and (.members | index($member)) and (has(\"condition\") | not))')\n\
                 [ \"$held\" = false ] || stop \"{role} is granted already. It takes a minute or two to count; \
                 where it still does not, a deny policy or a service perimeter refuses the read, \
                 which a check with --operator names.\"\n"
            )
        })
    }
}

fn of_accessor(context: Context<'_>) -> Option<Grant> {
    let secret = &context.profile.secret.as_ref()?.name;
    let place = format!("{} --project \"$PROJECT\"{}", quote(secret), location(context));
    Some(Grant { on: "secrets", place, role: "roles/secretmanager.secretAccessor", condition: "" })
}

/// No binding of one secret lets anybody list.
fn of_viewer() -> Grant {
    let place = "\"$PROJECT\"".to_owned();
    Grant { on: "projects", place, role: "roles/secretmanager.viewer", condition: " --condition None" }
}

/// Lets the member read the one secret.
pub(super) fn accessor(context: Context<'_>) -> Option<Fix> {
    let what = "read this one secret. Other bindings stay as they are.";
    Some(granted(context, &member(context)?, what, &[of_accessor(context)?]))
}

/// Lets the member list the project's secrets.
pub(super) fn viewer(context: Context<'_>) -> Option<Fix> {
    let what = "list the project's secrets: names and settings, no values.";
    Some(granted(context, &member(context)?, what, &[of_viewer()]))
}

/// Lets the member read the one secret and list them all.
pub(super) fn both(context: Context<'_>) -> Option<Fix> {
    let what =
        "read this one secret, and list the project's secrets without their values. Other bindings stay as they are.";
    Some(granted(context, &member(context)?, what, &[of_accessor(context)?, of_viewer()]))
}

/// Lets the federated identity take the service account's place.
pub(super) fn impersonation(context: Context<'_>) -> Option<Fix> {
    let account = context.profile.gcp.service_account.as_deref()?;
    let place = format!("{} --project \"$PROJECT\"", quote(account));
    let role = "roles/iam.workloadIdentityUser";
    let grant = Grant { on: "iam service-accounts", place, role, condition: "" };
    let what = format!("take the place of {account}. Other bindings stay as they are.");
    Some(granted(context, &federated_member(context)?, &what, &[grant]))
}

/// Makes the service account, where it would be one of the project with the secrets.
pub(super) fn account_made(context: Context<'_>) -> Option<Fix> {
    let account = context.profile.gcp.service_account.as_deref()?;
    let project = context.profile.gcp.project_id.as_deref()?;
    let id = account.strip_suffix(&format!("@{project}.iam.gserviceaccount.com"))?;
    let script = |action: &str, named: &str, more: &str| {
        format!("{}gcloud iam service-accounts {action} {} --project \"$PROJECT\"{more}\n", head(context), quote(named))
    };
    Some(Fix {
        text: format!(
            "Make {account}, unless the address is misspelt: then correct `gcp.service-account`. The check names the roles \
             that the new account lacks."
        ),
        command: Some(script("create", id, "")),
        undo: Some(script("delete", account, " --quiet")),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        ..Fix::default()
    })
}

fn location(context: Context<'_>) -> String {
    context.profile.gcp.location.as_ref().map(|location| format!(" --location {}", quote(location))).unwrap_or_default()
}

/// Enables the version that was asked for; one that was destroyed gets a successor.
pub(super) fn version(context: Context<'_>) -> Option<Fix> {
    let refusal = context.facts.google.secret.as_ref()?.call.refusal()?;
    let (_, version) = refusal.message.split_once("/versions/")?;
    let number: String = version.chars().take_while(char::is_ascii_digit).collect();
    if !refusal.message.contains("DISABLED") || number.is_empty() {
        return value_stored(context);
    }
    let secret = quote(&context.profile.secret.as_ref()?.name);
    let act = |action: &str| {
        format!(
            "{}gcloud secrets versions {action} {number} --secret {secret} --project \"$PROJECT\"{}\n",
            head(context),
            location(context)
        )
    };
    Some(Fix {
        text: format!(
            "Enable version {number} of the secret, unless somebody disabled it on purpose: then store a new one."
        ),
        command: Some(act("enable")),
        undo: Some(act("disable")),
        verify: Some(check(context.profile, None)),
        ..Fix::default()
    })
}

/// Stores a new version.
pub(super) fn value_stored(context: Context<'_>) -> Option<Fix> {
    let secret = context.profile.secret.as_ref()?;
    let name = quote(&secret.name);
    let place = format!("--project \"$PROJECT\"{}", location(context));
    Some(Fix {
        text: format!(
            "Store a value.{} It is read from $VALUE_FILE, or typed without being shown; it is no argument of any command.",
            shape(secret)
        ),
        command: Some(format!(
            "{}{WORK}{VALUE}gcloud secrets versions add {name} {place} --data-file \"$work/value\" >/dev/null\n",
            head(context)
        )),
        undo: Some(format!(
            "{}version=$(gcloud secrets versions list {name} {place} --limit 1 --format 'value(name)')\n\
             gcloud secrets versions disable \"$version\" --secret {name} {place}\n",
            head(context)
        )),
        verify: Some(check(context.profile, None)),
        ..Fix::default()
    })
}

fn shape(secret: &SecretRef) -> String {
    match &secret.json_key {
        Some(key) => format!(" It is a JSON object with the field `{key}`."),
        None => String::new(),
    }
}

/// The nearest name that the project has, or the secret that is missing.
pub(super) fn not_found(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let Some(secret) = &context.profile.secret else { return Vec::new() };
    let near = finding.actual.as_ref().map(|name| {
        let reference = SecretRef { name: name.clone(), json_key: secret.json_key.clone() };
        profile_set(context.profile, &[(Key::SecretName, reference.to_string())])
    });
    let name = quote(&secret.name);
    let place = format!("--project \"$PROJECT\"{}", location(context));
    let replication = if context.profile.gcp.location.is_some() { "" } else { " --replication-policy automatic" };
    let created = Fix {
        text: format!(
            "Store the secret.{} Its value is read from $VALUE_FILE, or typed without being shown; it is no argument of any command.",
            shape(secret)
        ),
        command: Some(format!(
            "{}{WORK}{VALUE}gcloud secrets create {name} {place}{replication} --data-file \"$work/value\"\n",
            head(context)
        )),
        undo: Some(format!("{}gcloud secrets delete {name} {place} --quiet\n", head(context))),
        verify: Some(check(context.profile, None)),
        ..Fix::default()
    };
    near.into_iter().chain([created]).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::facts::google::{GoogleCall, GoogleSecret};
    use crate::check::facts::secret::{Answer, Call, Refusal};
    use crate::remedy::google::tests::{Case, ORGANIZATION};

    #[test]
    fn roles_go_to_the_member_that_is_meant_and_come_back() {
        let case = Case::with_provider(&[], &[]);
        let fix = accessor(case.context()).unwrap();
        let command = fix.command.unwrap();
        assert!(
            command.contains("gcloud secrets add-iam-policy-binding db-password --project \"$PROJECT\""),
            "{command}"
        );
        assert!(command.contains(&format!("/attribute.organization/{ORGANIZATION}")), "{command}");
        assert!(command.find("get-iam-policy") < command.find("add-iam-policy-binding"), "{command}");
        let undo = fix.undo.unwrap();
        assert!(undo.contains("remove-iam-policy-binding db-password") && !undo.contains("granted already"), "{undo}");
        let stranger = Case::with_provider(&[], &[("sub", json!("organization:other"))]);
        assert!(accessor(stranger.context()).is_none() && viewer(stranger.context()).is_none());
    }

    #[test]
    fn an_account_is_made_in_its_own_project_alone() {
        let mut case = Case::bare();
        case.profile.gcp.service_account = Some("reader@my-project.iam.gserviceaccount.com".into());
        let fix = account_made(case.context()).unwrap();
        assert!(fix.command.unwrap().contains("gcloud iam service-accounts create reader --project"));
        assert!(fix.undo.unwrap().contains("delete reader@my-project.iam.gserviceaccount.com"));
        case.profile.gcp.service_account = Some("reader@other.iam.gserviceaccount.com".into());
        assert!(account_made(case.context()).is_none());
    }

    #[test]
    fn a_disabled_version_is_enabled_by_its_number_and_a_destroyed_one_gets_a_successor() {
        let fixed = |state: &str| {
            let mut case = Case::bare();
            let message = format!("Secret Version [projects/123/secrets/db-password/versions/7] is in {state} state.");
            let refusal = Refusal { code: "FAILED_PRECONDITION".into(), message, http_status: 400, request_id: None };
            let call = Call::<GoogleSecret> {
                region: None,
                attempts: 1,
                waited_ms: 0,
                answer: Answer::Refused(refusal),
                exchange: None,
            };
            case.facts.google.secret = Some(GoogleCall { endpoint: String::new(), call, error: None });
            version(case.context()).unwrap().command.unwrap()
        };
        assert!(fixed("DISABLED").contains("gcloud secrets versions enable 7 --secret db-password"));
        assert!(fixed("DESTROYED").contains("gcloud secrets versions add db-password"));
    }
}
