//! The artifacts that are made of lists instead of the profile's own subject: the least trust that admits the one list and keeps
//! out the other.

use serde_json::Value as Json;

use super::super::artifact::Artifact;
use super::super::form::shell::Script;
use super::super::values::{TemplateContext, Values};
use super::{Rendered, google};
use crate::domain::least_trust::{
    Least, Listed, Lists, NoTrust, Wanted, attribute_condition, federated_credentials, trust_policy,
};
use crate::domain::profile::Guide;
use crate::domain::profile::key::Key;

/// The artifacts that say who gets in.
pub const SAY_WHO_GETS_IN: [Artifact; 3] =
    [Artifact::TrustPolicy, Artifact::FederatedCredential, Artifact::ProviderUpdate];

/// Makes the least trust of the lists.
///
/// # Errors
/// Where the lists contradict or name nobody, where the cloud cannot say what they do, and where the proof fails.
pub fn render_least(
    artifact: Artifact,
    values: &Values,
    admit: Vec<Listed>,
    refuse: Vec<Listed>,
) -> Result<Rendered, NoTrust> {
    let mut filling = TemplateContext::new(values);
    let issuer = filling.issuer();
    let asked = match artifact {
        Artifact::FederatedCredential => filling.known(Key::ClientId),
        Artifact::ProviderUpdate => filling.known(Key::GcpProvider),
        _ => filling.known(Key::RoleArn),
    };
    let lists = Lists::of(admit, refuse, &issuer, asked)?;
    if lists.left_out > 0 {
        filling.note(format!("{} of the log left out: another issuer's, or asked for something else", lists.left_out));
    }
    let (text, notes) = match artifact {
        Artifact::FederatedCredential => credentials(&mut filling, &issuer, &lists)?,
        Artifact::ProviderUpdate => provider(&mut filling, &issuer, &lists)?,
        _ => policy(&mut filling, &issuer, &lists)?,
    };
    notes.into_iter().for_each(|note| filling.note(note));
    let (missing, notes) = filling.finish();
    Ok(Rendered { artifact, text, missing, notes })
}

fn policy(filling: &mut TemplateContext<'_>, issuer: &str, lists: &Lists) -> Result<(String, Vec<String>), NoTrust> {
    let (audience, provider) = (filling.audience(), filling.provider_arn());
    if filling.guide() == Guide::AwsAssumeRole {
        let why = "the role is assumed by a user of the account, not with a token".to_owned();
        return Err(NoTrust::NotSaid { what: "a subject".to_owned(), place: "this guide's trust policy", why });
    }
    let Least { trust, notes } = trust_policy(&Wanted { issuer, audience: &audience, lists }, &provider)?;
    Ok((format!("{trust:#}\n"), notes))
}

/// One credential as `az` takes it, or all of them as a list.
fn credentials(
    filling: &mut TemplateContext<'_>,
    issuer: &str,
    lists: &Lists,
) -> Result<(String, Vec<String>), NoTrust> {
    let wanted = Wanted { issuer, audience: filling.azure_cloud().credential_audience, lists };
    let Least { trust, mut notes } = federated_credentials(&wanted, filling.names().credential)?;
    let document = match trust.as_slice() {
        [one] => one.clone(),
        many => {
            notes.push(
                "each member of the list is one credential: `az ad app federated-credential create` takes one"
                    .to_owned(),
            );
            Json::from(many.to_vec())
        }
    };
    Ok((format!("{document:#}\n"), notes))
}

/// The condition alone: whoever is let in, the mapping and the bindings stay as they are.
fn provider(filling: &mut TemplateContext<'_>, issuer: &str, lists: &Lists) -> Result<(String, Vec<String>), NoTrust> {
    let audience = filling.audience();
    let Least { trust, mut notes } = attribute_condition(&Wanted { issuer, audience: &audience, lists })?;
    let update = google::on_provider(filling, "update-oidc").option("--attribute-condition", trust);
    notes
        .push("mapping and bindings stay as they are: what a subject may do is still granted to its member".to_owned());
    Ok((Script::default().run(update).to_string(), notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::document::parse_flag;

    fn rendered(artifact: Artifact, guide: Guide, set: &[&str], admit: &[&str]) -> Result<Rendered, NoTrust> {
        let settings: Vec<_> = set.iter().map(|flag| parse_flag(flag).unwrap()).collect();
        let admit = admit.iter().map(|subject| Listed::written(*subject)).collect();
        render_least(artifact, &Values::of(guide, &settings), admit, Vec::new())
    }

    #[test]
    fn each_cloud_has_its_own_artifact() {
        let issuer = "issuer.url=https://app.example.com";
        let role = "aws.role-arn=arn:aws:iam::123456789012:role/reader";
        let made =
            rendered(Artifact::TrustPolicy, Guide::AwsWorkloadIdentity, &[issuer, role], &["organization:a"]).unwrap();
        assert!(made.text.contains("arn:aws:iam::123456789012:oidc-provider/app.example.com"), "{}", made.text);
        let made =
            rendered(Artifact::FederatedCredential, Guide::AzureWorkloadIdentity, &[issuer], &["a", "b"]).unwrap();
        assert!(made.text.starts_with('[') && made.notes.iter().any(|note| note.contains("takes one")), "{made:?}");
        let pool = "gcp.provider=projects/1/locations/global/workloadIdentityPools/pool/providers/ci";
        let made = rendered(Artifact::ProviderUpdate, Guide::GcpWorkloadIdentity, &[issuer, pool], &["it's"]).unwrap();
        assert!(made.text.contains(r#"--attribute-condition 'assertion.sub == '\''it\'\''s'\'''"#), "{}", made.text);
        assert!(!made.text.contains("--attribute-mapping"), "{}", made.text);
    }

    #[test]
    fn a_role_for_a_user_has_no_subjects() {
        let made = rendered(Artifact::TrustPolicy, Guide::AwsAssumeRole, &[], &["a"]);
        assert!(matches!(made, Err(NoTrust::NotSaid { .. })), "{made:?}");
    }

    #[test]
    fn what_the_profile_lacks_is_named() {
        let made = rendered(Artifact::TrustPolicy, Guide::AwsWorkloadIdentity, &[], &["organization:a"]).unwrap();
        let keys: Vec<&str> = made.missing.iter().map(|missing| missing.key.path()).collect();
        assert_eq!(keys, ["aws.role-arn", "issuer.url"]);
    }
}
