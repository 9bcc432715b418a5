//! Google's guide of ten steps, walked in the console from an empty profile to the end, while its cloud changes as the commands
//! of the guide would change it.

use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::walk::{SECRET, TOKEN, Walk};
use crate::lab::client::Site;

/// What an operator does at Google for the guide: the pool with its provider, the bindings, the secret and its versions.
struct GoogleSide<'s> {
    site: &'s Site,
    operator: String,
    admin: String,
    project: String,
}

impl<'s> GoogleSide<'s> {
    fn of(site: &'s Site) -> GoogleSide<'s> {
        let token = |token: &secrecy::SecretString| token.expose_secret().to_owned();
        GoogleSide {
            site,
            operator: token(&site.lab.operator.google_token),
            admin: token(&site.lab.secrets_admin.google_token),
            project: site.lab.profile.google.project_id.clone(),
        }
    }

    async fn done(&self, url: String, token: &str, body: serde_json::Value) -> serde_json::Value {
        let (status, answer) = self.site.call(Method::POST, &url, token, Some(body)).await;
        assert_eq!(status, 200, "{url}: {answer}");
        answer
    }

    async fn make_provider(&self, issuer: &str, organization: &str) {
        let pools = format!(
            "{}/v1/projects/{}/locations/global/workloadIdentityPools",
            self.site.lab.endpoints.google.iam, self.project
        );
        self.done(format!("{pools}?workloadIdentityPoolId=crewai-pool"), &self.operator, json!({})).await;
        let provider = json!({
            "oidc": { "issuerUri": issuer },
            "attributeMapping": { "google.subject": "assertion.sub", "attribute.organization": "assertion.organization_id" },
            "attributeCondition": format!("assertion.organization_id == '{organization}'"),
        });
        let providers = format!("{pools}/crewai-pool/providers?workloadIdentityPoolProviderId=crewai-provider");
        self.done(providers, &self.operator, provider).await;
    }

    async fn grant(&self, member: &str) {
        let project = format!("{}/v1/projects/{}", self.site.lab.endpoints.google.resource_manager, self.project);
        let mut policy = self.done(format!("{project}:getIamPolicy"), &self.operator, json!({})).await;
        for role in ["roles/secretmanager.viewer", "roles/secretmanager.secretAccessor"] {
            policy["bindings"].as_array_mut().unwrap().push(json!({ "role": role, "members": [member] }));
        }
        self.done(format!("{project}:setIamPolicy"), &self.operator, json!({ "policy": policy })).await;
    }

    async fn make_secret(&self) {
        let secrets = format!("{}/v1/projects/{}/secrets", self.site.lab.endpoints.google.secretmanager, self.project);
        let automatic = json!({ "replication": { "automatic": {} } });
        self.done(format!("{secrets}?secretId={SECRET}"), &self.admin, automatic).await;
    }

    /// `data` in base64.
    async fn add_version(&self, data: &str) {
        let secrets = format!("{}/v1/projects/{}/secrets", self.site.lab.endpoints.google.secretmanager, self.project);
        let version = json!({ "payload": { "data": data } });
        self.done(format!("{secrets}/{SECRET}:addVersion"), &self.admin, version).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_google_guide_leads_from_an_empty_profile_to_the_end() {
    let site = Site::scenario("gcp-blank");
    let (endpoints, held) = (&site.lab.endpoints.google, site.lab.profile.clone());
    let profile = format!(
        "guide = \"gcp-workload-identity\"\n[gcp]\nsts-endpoint-url = \"{}\"\nsecretmanager-endpoint-url = \"{}\"\n",
        endpoints.sts, endpoints.secretmanager
    );
    let google = GoogleSide::of(&site);
    let mut walk = Walk::begin(&site, &profile, 10);
    walk.enter(&[&held.organization, &held.google.project_id]);
    walk.confirm();
    walk.next(1);
    walk.enter(&[&held.issuer_url]);
    walk.check("verified by issuer.reachable");
    walk.next(3);
    walk.enter(&[&held.google.provider]);
    walk.next(8);
    walk.enter(&["token.jwt"]);
    // Nothing is made yet, and what is missing is named at its step.
    walk.next(3);
    walk.check("provider-disabled");
    google.make_provider(&held.issuer_url, &held.organization).await;
    walk.check("verified by token.claims, gcp.exchange");
    walk.next(4);
    walk.enter(&[SECRET]);
    let pool = held.google.provider.split_once("/providers/").unwrap().0;
    google
        .grant(&format!("principalSet://iam.googleapis.com/{pool}/attribute.organization/{}", held.organization))
        .await;
    google.make_secret().await;
    google.add_version("eA==").await;
    walk.check("verified by gcp.");
    for step in [6, 7] {
        walk.next(step);
        walk.confirm();
    }
    walk.next(9);
    walk.enter(&[&held.deployment.variable, held.deployment.url.as_deref().unwrap(), ""]);
    walk.confirm();
    walk.next(10);
    walk.enter(&["", TOKEN, ""]);
    walk.screen.send("r");
    walk.screen.wait("┄ runtime ");
    walk.at_rest();
    walk.rotation();
    google.add_version("eQ==").await;
    walk.rotated();
    walk.end(&[
        &held.organization,
        &held.google.project_id,
        &held.google.provider,
        "token.jwt",
        SECRET,
        "[confirmed.",
        "[shown.",
    ]);
}
