//! Both guides of ten steps, walked in the console from an empty profile to the end. The clouds are another process's,
//! and change as the commands of the guide would change them.

use nix::sys::signal::Signal;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::screen::Screen;
use crate::lab::aws_operations::{operator, permissions};
use crate::lab::azure_operations::{ROLES, SECRETS_USER, VAULT};
use crate::lab::client::Site;

pub(super) const SECRET: &str = "crewai-test-keyword";
/// The variable that the deployment's bearer token is in.
pub(super) const TOKEN: &str = "DEPLOYMENT_TOKEN";

/// A guide being followed by keys.
pub(super) struct Walk {
    pub(super) screen: Screen,
    /// How many steps the guide counts.
    steps: u8,
}

impl Walk {
    pub(super) fn begin(site: &Site, profile: &str, steps: u8) -> Walk {
        let files = [("ca.pem", site.lab.ca_pem.as_str()), ("token.jwt", &site.workload_token())];
        let arguments = ["--profile", "walk", "--ca-file", "ca.pem"];
        let token = site.lab.profile.deployment.token.expose_secret();
        let variables = [(TOKEN, Some(token))];
        let walk = Walk { screen: Screen::with_profile(profile, &files, &arguments, &variables, (140, 45)), steps };
        walk.screen.wait("values are missing");
        walk.at_rest();
        walk
    }

    pub(super) fn at_rest(&self) {
        self.screen.wait_for("the run is over", |text| !text.contains("running"));
    }

    /// Enters values from the first that is missing on; an empty one leaves its field as it is.
    pub(super) fn enter(&mut self, values: &[&str]) {
        self.screen.send("e");
        for value in values {
            self.screen.wait("next field");
            self.screen.send(&format!("{value}\r"));
        }
        // Behind the last value comes the first one again.
        self.screen.send("\x1b");
        self.screen.wait("next step");
    }

    /// To a step in the list, whichever the next one is.
    pub(super) fn next(&mut self, step: u8) {
        self.screen.send(&format!("hg{}", "j".repeat(usize::from(step))));
        self.screen.wait(&format!("{step} of {}: ", self.steps));
    }

    pub(super) fn confirm(&mut self) {
        self.screen.send(" ");
        self.screen.wait("confirmed by you");
    }

    pub(super) fn check(&mut self, leads_to: &str) {
        self.at_rest();
        self.screen.send("v");
        self.screen.wait(leads_to);
        self.at_rest();
    }

    /// Begins a rotation of the secret by hand.
    pub(super) fn rotation(&mut self) {
        self.screen.send("5");
        self.screen.wait("Rotate a secret, then prove");
        self.screen.send("R");
        self.screen.wait("who writes the new value?");
        self.screen.send("\r");
        self.screen.wait("how is the running automation seen?");
        self.screen.send("\r");
        self.screen.wait("waiting for you to rotate");
    }

    /// The rotated value arrives, and shows the steps that only the platform knows of.
    pub(super) fn rotated(&mut self) {
        self.screen.wait("propagated · ");
        self.screen.send("1");
        self.screen.send("n");
        self.screen.wait("verified by rotation");
    }

    /// Every step is done, the profile holds what was typed, and no secret stands in it.
    pub(super) fn end(mut self, values: &[&str]) {
        self.screen.send("n");
        self.screen.wait("Every step is done");
        self.screen.wait(&format!("{} verified", self.steps + 1));
        let profile = self.screen.profile();
        for value in values {
            assert!(profile.contains(value), "{value} is not in\n{profile}");
        }
        assert!(!profile.contains("eyJ"), "{profile}");
        self.screen.send("q");
        self.screen.ended();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_guide_leads_from_an_empty_profile_to_the_end() {
    let site = Site::scenario("blank");
    let who = operator();
    let (endpoints, held) = (site.lab.endpoints.clone(), site.lab.profile.clone());
    let profile = format!(
        "guide = \"aws-workload-identity\"\n[aws]\nsts-endpoint-url = \"{}\"\nsecretsmanager-endpoint-url = \"{}\"\n",
        endpoints.sts, endpoints.secretsmanager
    );
    let mut walk = Walk::begin(&site, &profile, 10);
    walk.enter(&[&held.organization, &held.region]);
    walk.confirm();
    walk.next(1);
    walk.enter(&[&held.issuer_url]);
    walk.check("verified by issuer.reachable");
    walk.next(2);
    walk.enter(&[&held.role_arn, ""]);
    walk.next(3);
    walk.enter(&["", "", "", "token.jwt"]);
    // Nothing is made yet, and the first thing that is missing is named at its step.
    walk.check("waits for step 2");
    walk.next(2);
    walk.screen.wait("provider-missing");
    let provider = [
        ("Action", "CreateOpenIDConnectProvider"),
        ("Url", held.issuer_url.as_str()),
        ("ClientIDList.member.1", "sts.amazonaws.com"),
    ];
    assert_eq!(site.iam(&who, &provider).await.status, 200);
    walk.screen.send("v");
    walk.screen
        .wait_for("step 2 fails no more", |text| !text.contains("provider-missing") && !text.contains("running"));
    walk.next(3);
    let (role, trust) = (("RoleName", "crewai-secrets-reader"), site.trust_policy());
    let made = site.iam(&who, &[("Action", "CreateRole"), role, ("AssumeRolePolicyDocument", &trust)]).await;
    assert_eq!(made.status, 200, "{made:?}");
    walk.check("verified by");
    walk.next(4);
    walk.enter(&[SECRET]);
    let policy = ("PolicyName", "SecretsManagerRead");
    let put = [("Action", "PutRolePolicy"), role, policy, ("PolicyDocument", &permissions())];
    assert_eq!(site.iam(&who, &put).await.status, 200);
    let secret =
        json!({ "Name": SECRET, "SecretString": "x", "ClientRequestToken": "0123456789abcdef0123456789abcdef" });
    assert_eq!(site.secrets(&who, "CreateSecret", secret).await.0, 200);
    walk.check("verified by aws.list-secrets");
    // The exchange that verified step 3 is what step 8 asks for. What is saved on the platform no check can see.
    walk.next(6);
    walk.confirm();
    walk.next(7);
    walk.confirm();
    walk.next(9);
    walk.enter(&[&held.deployment.variable, held.deployment.url.as_deref().unwrap(), ""]);
    walk.confirm();
    walk.next(10);
    walk.enter(&["", TOKEN, ""]);
    // A run takes in the values of the deployment.
    walk.screen.send("r");
    walk.screen.wait("┄ runtime ");
    walk.at_rest();
    walk.rotation();
    let put =
        json!({ "SecretId": SECRET, "SecretString": "y", "ClientRequestToken": "1123456789abcdef0123456789abcdef" });
    assert_eq!(site.secrets(&who, "PutSecretValue", put).await.0, 200);
    walk.rotated();
    walk.end(&[
        &held.organization,
        &held.region,
        &held.issuer_url,
        &held.role_arn,
        "token.jwt",
        SECRET,
        "[confirmed.",
        "[shown.",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_azure_guide_leads_from_an_empty_profile_to_the_end() {
    let site = Site::scenario("azure-blank");
    let (endpoints, held) = (site.lab.endpoints.clone(), site.lab.profile.clone());
    let (entra, vault) = (endpoints.entra.unwrap(), endpoints.vault.unwrap());
    let profile = format!("guide = \"azure-workload-identity\"\n[azure]\nauthority-host = \"{entra}\"\n");
    let graph_token = site.operator_token("https://graph.microsoft.com").await;
    let graph = format!("{}/v1.0", endpoints.graph);
    let mut walk = Walk::begin(&site, &profile, 10);
    walk.enter(&[&held.organization, &vault, "", ""]);
    walk.confirm();
    walk.next(1);
    walk.enter(&[&held.issuer_url]);
    walk.check("verified by issuer.reachable");
    walk.next(2);
    let app = json!({ "displayName": "crewai-secrets-reader", "signInAudience": "AzureADMyOrg" });
    let (status, app) = site.call(Method::POST, &format!("{graph}/applications"), &graph_token, Some(app)).await;
    assert_eq!(status, 201, "{app}");
    let (id, app_id) = (app["id"].as_str().unwrap(), app["appId"].as_str().unwrap());
    walk.enter(&[&held.azure.tenant_id, app_id]);
    walk.next(3);
    let credential = json!({
        "name": "crewai-organization",
        "issuer": held.issuer_url,
        "subject": format!("organization:{}", held.organization),
        "audiences": ["api://AzureADTokenExchange"],
    });
    let credentials = format!("{graph}/applications/{id}/federatedIdentityCredentials");
    assert_eq!(site.call(Method::POST, &credentials, &graph_token, Some(credential)).await.0, 201);
    let principals = format!("{graph}/servicePrincipals");
    let (status, principal) =
        site.call(Method::POST, &principals, &graph_token, Some(json!({ "appId": app_id }))).await;
    assert_eq!(status, 201, "{principal}");
    walk.next(4);
    walk.enter(&[SECRET]);
    walk.next(5);
    let token = held.deployment.token.expose_secret();
    let form = format!("{}/lab/configuration", held.deployment.url.as_deref().unwrap());
    assert_eq!(site.call(Method::POST, &form, token, Some(json!({ "client_id": app_id }))).await.0, 200);
    for step in [6, 7] {
        walk.next(step);
        walk.confirm();
    }
    walk.next(8);
    walk.enter(&["token.jwt"]);
    walk.check("verified by token.present");
    walk.next(9);
    walk.enter(&[&held.deployment.variable, held.deployment.url.as_deref().unwrap(), ""]);
    walk.confirm();
    walk.next(10);
    walk.enter(&["", TOKEN, ""]);
    // The vault has no secret yet, nor may the application read one.
    walk.next(4);
    let arm_token = site.operator_token("https://management.azure.com").await;
    let assignment =
        format!("{}{VAULT}/{ROLES}/00000000-0000-4000-8000-000000000001?api-version=2022-04-01", endpoints.arm);
    let properties = json!({ "properties": {
        "roleDefinitionId": SECRETS_USER, "principalId": principal["id"], "principalType": "ServicePrincipal",
    } });
    assert_eq!(site.call(Method::PUT, &assignment, &arm_token, Some(properties)).await.0, 201);
    walk.check("failing");
    let own = site.operator_token("https://vault.azure.net").await;
    let secret = format!("{vault}/secrets/{SECRET}?api-version=2025-07-01");
    assert_eq!(site.call(Method::PUT, &secret, &own, Some(json!({ "value": "x" }))).await.0, 200);
    walk.check("verified by azure.list-secrets");
    walk.rotation();
    assert_eq!(site.call(Method::PUT, &secret, &own, Some(json!({ "value": "y" }))).await.0, 200);
    walk.rotated();
    walk.end(&[
        &held.organization,
        &vault,
        &held.azure.tenant_id,
        app_id,
        "token.jwt",
        SECRET,
        "[confirmed.",
        "[shown.",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_killed_while_somebody_types_loses_nothing() {
    let site = Site::scenario("blank");
    let mut walk = Walk::begin(&site, "guide = \"aws-workload-identity\"\n", 10);
    walk.screen.send("e");
    walk.screen.wait("next field");
    walk.screen.send(&format!("{}\r", site.lab.profile.organization));
    // Half a region: no value yet, and shown before the process is gone.
    walk.screen.send("eu-we");
    walk.screen.wait("eu-we");
    walk.screen.wait_file("profiles/walk.toml", &site.lab.profile.organization);
    walk.screen.wait_file("profiles/walk.drafts.json", "\"eu-we\"");
    walk.screen.signal(Signal::SIGKILL);
    let screen = walk.screen.killed_and_again(&["--profile", "walk", "--ca-file", "ca.pem"], (140, 45));
    let mut walk = Walk { screen, steps: 10 };
    assert!(!walk.screen.profile().contains("eu-we"), "{}", walk.screen.profile());
    walk.screen.wait("eu-we");
    walk.screen.wait("typed, not saved");
    walk.screen.wait(&site.lab.profile.organization);
    // It goes on where it ended.
    walk.at_rest();
    walk.screen.send("e");
    walk.screen.wait("next field");
    walk.screen.send("st-1\r");
    walk.screen.wait_file("profiles/walk.toml", "region = \"eu-west-1\"");
}
