//! Deny policies: which one it is, and how its owner excepts the reader. Nothing here changes or deletes one.

use super::identity::{federated_member, member};
use super::is_about_impersonation;
use crate::cause::{Finding, Fix};
use crate::domain::gcp::DenyPolicy;
use crate::domain::text::quote;
use crate::remedy::{Context, HEAD, check, variable};

/// The policy that a finding names, and what to ask its owner for; `None` where it names none.
pub(super) fn excepted(finding: &Finding, context: Context<'_>) -> Option<Fix> {
    let rights = context.facts.operator.google.rights.as_ref()?;
    let named = |policy: &&DenyPolicy| finding.evidence.iter().any(|told| told.ends_with(&policy.name));
    let policy = rights.denying().find(named)?;
    let attached = policy.name.strip_prefix("policies/")?.split('/').next()?;
    let attached = attached.replace("%2F", "/");
    let place = attached.trim_start_matches("cloudresourcemanager.googleapis.com/");
    let id = policy.id();
    let reader = match is_about_impersonation(finding, context) {
        true => federated_member(context),
        false => member(context),
    };
    let reader =
        reader.map_or_else(|| "the reader's own principal".to_owned(), |reader| format!("`{}`", as_denied(&reader)));
    let update = format!(
        "gcloud iam policies update {} --attachment-point={} --kind=denypolicies --policy-file=FILE",
        quote(id),
        quote(&attached)
    );
    let text = format!(
        "The deny policy `{id}` of {place} belongs to whoever has roles/iam.denyAdmin there, and may be meant. Look at it; if this \
         reader is to read, ask them to add {reader} to `exceptionPrincipals` of the rule, in the file that this prints, and \
         to put it in force with `{update}`. No binding helps, and the policy stays for everybody else."
    );
    let script = format!(
        "{HEAD}{}{}gcloud iam policies get \"$POLICY\" --attachment-point=\"$ATTACHED\" --kind=denypolicies --format=json\n",
        variable("POLICY", Some(id), ""),
        variable("ATTACHED", Some(&attached), "")
    );
    Some(Fix { text, command: Some(script), verify: Some(check(context.profile, None)), ..Fix::default() })
}

/// A member of a binding as deny policies write it.
fn as_denied(member: &str) -> String {
    match member.strip_prefix("serviceAccount:") {
        Some(address) => format!("principal://iam.googleapis.com/projects/-/serviceAccounts/{address}"),
        None => member.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cause::gcp_rights::{GoogleRight, denied};
    use crate::check::facts::operator_google::{DenySide, RightsSide};
    use crate::check::facts::read::{Read, Throttled};
    use crate::check::facts::secret::{Answer, Call};
    use crate::domain::ids::CheckId;
    use crate::remedy::google::tests::{Case, ORGANIZATION};

    const POLICY: &str = "policies/cloudresourcemanager.googleapis.com%2Ffolders%2F42/denypolicies/no-values";

    fn read<T>(seen: T) -> Read<T> {
        let call = Call { region: None, attempts: 1, waited_ms: 0, answer: Answer::Granted(seen), exchange: None };
        Read { permission: "a.b.get", call, throttled: Throttled::default() }
    }

    #[test]
    fn the_owner_is_asked_for_an_exception_and_nothing_is_changed() {
        let mut case = Case::with_provider(&[], &[]);
        let policy = DenyPolicy::read(&json!({"name": POLICY})).unwrap();
        case.facts.operator.google.rights = Some(RightsSide {
            project: read(Vec::new()),
            secret: None,
            account: None,
            above: Vec::new(),
            denies: Some(DenySide { listed: read(Vec::new()), policies: vec![read(policy)] }),
            roles: Vec::new(),
        });
        let told = |name: &str| denied(CheckId::GcpBindings.into(), GoogleRight::Read, name, "everybody", "reader");
        let fix = excepted(&told(POLICY), case.context()).unwrap();
        assert!(fix.text.contains(&format!("attribute.organization/{ORGANIZATION}")), "{}", fix.text);
        assert!(fix.text.contains("of folders/42") && fix.text.contains("exceptionPrincipals"), "{}", fix.text);
        let script = fix.command.unwrap();
        let ended = std::process::Command::new("sh").args(["-n", "-c", &script]).status().unwrap();
        assert!(
            ended.success() && script.contains("gcloud iam policies get") && !script.contains("update"),
            "{script}"
        );
        // A service account has another name in deny policies.
        case.profile.gcp.service_account = Some("r@p.iam.gserviceaccount.com".into());
        let fix = excepted(&told(POLICY), case.context()).unwrap();
        let principal = "`principal://iam.googleapis.com/projects/-/serviceAccounts/r@p.iam.gserviceaccount.com`";
        assert!(fix.text.contains(principal), "{}", fix.text);
        assert_eq!(excepted(&told("policies/x/denypolicies/other"), case.context()), None);
    }
}
