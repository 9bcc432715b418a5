//! The fixes on the cluster's side: annotations of a service account, by `kubectl`, with the way back. Pods are only told of:
//! whatever made them makes them again.

use super::{Context, HEAD, check, variable};
use crate::cause::{Cause, Finding, Fix};
use crate::check::facts::cluster::{CLIENT_ID, ROLE_ARN, USE_LABEL};
use crate::domain::ids::{CheckId, Cloud};
use crate::domain::text::quote;

/// How long a pod may take to come up again, in seconds.
const POD_S: u32 = 120;

/// The fixes for what the cluster's own side shows; none where the catalogue's serve.
pub fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let made = match (finding.check, finding.cause) {
        (check, Cause::EnvNotSet | Cause::EnvConflict) if check == CheckId::KubernetesServiceAccount => {
            annotated(context)
        }
        (check, Cause::EnvNotSet) if check == CheckId::KubernetesPod => again(context),
        _ => None,
    };
    made.into_iter().collect()
}

fn start(context: Context<'_>) -> Option<String> {
    let side = context.facts.operator.cluster.as_ref()?;
    let names = [("NAMESPACE", &side.namespace), ("ACCOUNT", &side.account)];
    Some(names.iter().fold(HEAD.to_owned(), |script, (name, value)| script + &variable(name, Some(value), "")))
}

/// Annotates the account for the profile's identity.
fn annotated(context: Context<'_>) -> Option<Fix> {
    let profile = context.profile;
    let (name, wanted) = match profile.guide.cloud() {
        Cloud::Aws => (ROLE_ARN, profile.aws.role_arn.as_ref()?.to_string()),
        Cloud::Azure => (CLIENT_ID, profile.azure.client_id.clone()?),
        Cloud::Gcp => return None,
    };
    // What is not there cannot be annotated.
    let held = context.facts.operator.cluster.as_ref()?.service_account.seen()?;
    let annotate = |value: &str| {
        format!(
            "kubectl annotate serviceaccount \"$ACCOUNT\" --namespace \"$NAMESPACE\" --overwrite {}\n",
            quote(value)
        )
    };
    let start = start(context)?;
    let before = held.annotations.get(name).map_or_else(|| format!("{name}-"), |own| format!("{name}={own}"));
    Some(Fix {
        text: format!(
            "Annotate the service account with `{name}` for the profile's identity, then make its pods again (`kubectl rollout \
             restart` of what runs them): the webhook looks at a pod when it is made."
        ),
        command: Some(format!("{start}{}", annotate(&format!("{name}={wanted}")))),
        undo: Some(format!("{start}{}", annotate(&before))),
        verify: Some(check(profile, Some(POD_S))),
        ..Fix::default()
    })
}

/// What has to change of whatever makes the pods: text, for the manifest is elsewhere.
fn again(context: Context<'_>) -> Option<Fix> {
    let what = match context.profile.guide.cloud() {
        Cloud::Azure => format!("Put the label `{USE_LABEL}: \"true\"` into the pod template"),
        Cloud::Aws => "Let the webhook see the pods".to_owned(),
        Cloud::Gcp => {
            "Put the projected volume of `trustline render kubernetes-manifest` into the pod template".to_owned()
        }
    };
    Some(Fix {
        text: format!(
            "{what}, and make the pods again (`kubectl rollout restart` of the Deployment, StatefulSet or DaemonSet that runs \
             them). A label on a pod that is there changes nothing."
        ),
        verify: Some(check(context.profile, Some(POD_S))),
        ..Fix::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Certainty;
    use crate::check::facts::Facts;
    use crate::check::facts::cluster::{AccountInCluster, ClusterRead, ClusterSide};
    use crate::domain::profile::{Guide, Profile};

    #[test]
    fn an_annotation_is_set_and_the_way_back_restores_what_was_there() {
        let mut profile = Profile::bare("p", Guide::KubernetesAzure);
        profile.azure.client_id = Some("0f1e2d3c-0000-4000-8000-000000000002".into());
        for (own, back) in [(None, format!("{CLIENT_ID}-")), (Some("it's"), format!("'{CLIENT_ID}=it'\\''s'"))] {
            let annotations = own.map(|value| (CLIENT_ID.to_owned(), value.to_owned())).into_iter().collect();
            let mut facts = Facts::default();
            facts.operator.cluster = Some(ClusterSide {
                namespace: "team".into(),
                account: "reader".into(),
                service_account: ClusterRead::Seen(AccountInCluster { annotations, automounts: None }),
                pods: ClusterRead::Seen(Vec::new()),
            });
            let finding = Finding::new(Cause::EnvNotSet, CheckId::KubernetesServiceAccount, Certainty::Proven, "x");
            let fix = fixes(&finding, Context { profile: &profile, facts: &facts }).remove(0);
            let (command, undo) = (fix.command.unwrap(), fix.undo.unwrap());
            assert!(command.contains("client-id=0f1e2d3c-0000-4000-8000-000000000002"), "{command}");
            assert!(undo.contains(&back), "{undo}");
            for script in [command, undo] {
                let read = std::process::Command::new("sh").args(["-n", "-c", &script]).status().unwrap();
                assert!(read.success(), "{script}");
            }
        }
    }
}
