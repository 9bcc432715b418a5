//! A world: what the lab's issuer publishes, what its clouds hold, and what the user's profile says of them.
//!
//! A world is written as TOML or JSON, in the format of `assets/lab/`: it names what differs from `healthy`, table by
//! table. A scenario is a world with a fault in it; the fault is always in the world, never in an answer.

mod aws;
mod azure;
mod description;
mod google;
mod scenario;
mod values;

use crate::domain::asset;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;

use crate::domain::redaction::looks_secret;
use crate::domain::timestamp::rfc3339;
pub use aws::{
    AwsWorld, DEFAULT_POLICY, KeyState, KmsKey, ManagedPolicy, Policy, Provider, Replica, Role, RotationFunction,
    Secret, SecretVersion, User,
};
pub use azure::{
    AccessPolicy, App, AzureProfile, AzureWorld, ClientSecret, Credential, DenyAssignment, EntraPolicy, EntraWorld,
    PermissionModel, RoleAssignment, RoleDefinition, Scope, VaultNetwork, VaultSecret, VaultVersion, VaultWorld,
};
pub use description::{AccessKeyWorld, Description, ProfileWorld, TokenFrom, TokenWorld};
pub use description::{Answers, DeploymentProfile, DeploymentWorld, Form, Reads, SourceWorld};
pub use description::{Certificate, IssuerWorld, Redirect, Slow};
pub use google::{
    GoogleAccountKey, GoogleGrant, GoogleKeyFile, GoogleProfile, GoogleProvider, GoogleSecret, GoogleVersion,
    GoogleWorld, VersionState,
};
pub use scenario::Scenario;
pub use values::{PublishedKey, WorldError};

/// The world everything else differs from.
const BASE: &str = asset!("lab/healthy");

/// What lies between that and the worlds of the other guides.
const GUIDES_BASES: [(&str, &str); 14] = [
    ("azure-workload-identity", asset!("lab/azure")),
    ("gcp-workload-identity", asset!("lab/gcp")),
    ("aws-static", asset!("lab/static")),
    ("aws-assume-role", asset!("lab/assume-role")),
    ("azure-static", asset!("lab/azure-static")),
    ("gcp-static", asset!("lab/gcp-static")),
    ("github-aws", asset!("lab/github-aws")),
    ("github-azure", asset!("lab/github-azure")),
    ("github-gcp", asset!("lab/github-gcp")),
    ("kubernetes-aws", asset!("lab/kubernetes-aws")),
    ("kubernetes-azure", asset!("lab/kubernetes-azure")),
    ("kubernetes-gcp", asset!("lab/kubernetes-gcp")),
    ("gitlab-aws", asset!("lab/gitlab")),
    ("circleci-aws", asset!("lab/circleci")),
];

/// A world whose names and addresses are not filled in yet.
#[derive(Clone)]
pub struct World {
    merged: Value,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The values hold secrets.
        f.debug_struct("World").field("name", &self.merged.get("name")).finish_non_exhaustive()
    }
}

impl World {
    /// The named scenario's world; of `a+b`, the world in which both are broken, as far as they touch different things.
    pub fn scenario(name: &str) -> Result<Self, WorldError> {
        let unknown =
            |part: &str| WorldError::UnknownScenario { name: part.to_owned(), nearest: scenario::nearest(part) };
        let texts: Vec<&str> = name
            .split('+')
            .map(|part| scenario::text(part).ok_or_else(|| unknown(part)))
            .collect::<Result<_, WorldError>>()?;
        let mut world = World::layered(&texts)?;
        if let (Value::Object(about), true) = (&mut world.merged, texts.len() > 1) {
            about.insert("name".to_owned(), name.into());
        }
        Ok(world)
    }

    /// Every scenario, `healthy` first.
    pub fn list() -> Result<Vec<Scenario>, WorldError> {
        scenario::list().map_err(|error| WorldError::Syntax(error.to_string()))
    }

    /// Reads a world from TOML, or from JSON where the text begins with a brace.
    pub fn parse(text: &str) -> Result<Self, WorldError> {
        World::layered(&[text])
    }

    /// The healthy world with each text laid over it, the first on top.
    fn layered(texts: &[&str]) -> Result<Self, WorldError> {
        let overlays: Vec<Value> = texts.iter().map(|text| read(text)).collect::<Result<_, WorldError>>()?;
        let follows = |guide: &str| overlays.iter().any(|o| o.get("guide").and_then(Value::as_str) == Some(guide));
        let mut merged = read(BASE)?;
        if let Some((_, base)) = GUIDES_BASES.iter().find(|(guide, _)| follows(guide)) {
            merge(&mut merged, read(base)?);
        }
        // What a sound world leads to says nothing of one that differs from it.
        if let Value::Object(about) = &mut merged {
            about.remove("rotation");
        }
        for overlay in overlays.into_iter().rev() {
            merge(&mut merged, overlay);
        }
        let world = World { merged };
        // Filled in with any address at all, it must already be a world that makes sense.
        world.describe(&ServiceUrls::of_issuer("https://127.0.0.1:1"))?;
        Ok(world)
    }

    /// The world with names and addresses filled in.
    pub fn describe(&self, places: &ServiceUrls) -> Result<Description, WorldError> {
        let mut value = self.merged.clone();
        fill_service_urls(&mut value, places);
        let description: Description =
            serde_json::from_value(value).map_err(|error| WorldError::Syntax(error.to_string()))?;
        description.check()?;
        Ok(description)
    }
}

/// The longest description of a world, in bytes.
const LONGEST: usize = 256 * 1024;

/// Reads the text twice: as a description, for errors that name the line, and as plain values, for merging.
fn read(text: &str) -> Result<Value, WorldError> {
    if text.len() > LONGEST {
        return Err(WorldError::Syntax(
            "the text is larger than 256 KiB; describe only what differs from the healthy world".into(),
        ));
    }
    let syntax = |error: &dyn std::fmt::Display| WorldError::Syntax(error.to_string());
    // Not the error's own text: it quotes the line, and a wrong file may be a token's.
    let at_line = |error: &toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        WorldError::Syntax(match looks_secret(error.message()) {
            Some(what) => format!("line {line} holds {what}"),
            None => format!("line {line}: {}", error.message()),
        })
    };
    if text.trim_start().starts_with('{') {
        serde_json::from_str::<Description>(text).map_err(|e| syntax(&e))?;
        serde_json::from_str(text).map_err(|e| syntax(&e))
    } else {
        toml::from_str::<Description>(text).map_err(|e| at_line(&e))?;
        toml::from_str(text).map_err(|e| at_line(&e))
    }
}

/// Lays `overlay` over `base`: tables key by key, everything else whole. A policy is whole, though written as a table.
fn merge(base: &mut Value, overlay: Value) {
    match (base, overlay) {
        (Value::Object(base), Value::Object(overlay)) if !overlay.contains_key("Statement") => {
            for (key, value) in overlay {
                match base.get_mut(&key) {
                    Some(slot) => merge(slot, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (base, overlay) => *base = overlay,
    }
}

/// What a world cannot know before the lab has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrls {
    /// The issuer's URL, without a trailing slash.
    pub issuer: String,
    /// The URLs of Entra, of Graph, of the vault and of the deployment, likewise.
    pub entra: String,
    pub graph: String,
    pub vault: String,
    pub deployment: String,
}

impl ServiceUrls {
    /// An issuer alone, where the other places do not matter.
    pub fn of_issuer(issuer: &str) -> Self {
        let elsewhere = || issuer.to_owned();
        ServiceUrls {
            issuer: elsewhere(),
            entra: elsewhere(),
            graph: elsewhere(),
            vault: elsewhere(),
            deployment: elsewhere(),
        }
    }
}

/// Replaces the known placeholders in every text; anything else in `${…}` (an IAM policy variable) stays.
fn fill_service_urls(value: &mut Value, places: &ServiceUrls) {
    let own = |value: &Value, path: [&str; 2]| {
        value.get(path[0]).and_then(|v| v.get(path[1])).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let known = [
        ("${issuer}", places.issuer.clone()),
        ("${issuer-host}", places.issuer.trim_start_matches("https://").to_owned()),
        ("${entra}", places.entra.clone()),
        ("${graph}", places.graph.clone()),
        ("${vault}", places.vault.clone()),
        ("${deployment}", places.deployment.clone()),
        ("${now}", rfc3339(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or_default()),
        ("${tenant}", own(value, ["azure", "tenant-id"])),
        ("${account}", own(value, ["aws", "account"])),
        ("${sub-account}", own(value, ["sub-account", "account"])),
        ("${region}", own(value, ["aws", "region"])),
        ("${organization}", own(value, ["profile", "organization"])),
        ("${project}", own(value, ["google", "project-id"])),
        ("${project-number}", own(value, ["google", "project-number"])),
    ];
    fill_texts(value, &known);
}

fn fill_texts(value: &mut Value, known: &[(&str, String)]) {
    match value {
        Value::String(text) if text.contains("${") => {
            for (placeholder, replacement) in known {
                if text.contains(placeholder) {
                    *text = text.replace(placeholder, replacement);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill_texts(item, known)),
        Value::Object(map) => {
            let keys_too = map.keys().any(|key| key.contains("${"));
            if keys_too {
                *map = std::mem::take(map)
                    .into_iter()
                    .map(|(key, value)| (known.iter().fold(key, |key, (p, r)| key.replace(p, r)), value))
                    .collect();
            }
            map.values_mut().for_each(|value| fill_texts(value, known));
        }
        _ => {}
    }
}

/// Whoever looks gets it as it is at that moment, and keeps what they saw.
pub(in crate::lab) struct SharedState<T>(Mutex<Arc<T>>);

impl<T: Clone> SharedState<T> {
    pub(in crate::lab) fn new(value: T) -> Self {
        SharedState(Mutex::new(Arc::new(value)))
    }

    /// As it is now.
    pub(in crate::lab) fn now(&self) -> Arc<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes it, for everybody who looks from now on.
    pub(in crate::lab) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(Arc::make_mut(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healthy() -> Description {
        World::scenario("healthy").unwrap().describe(&ServiceUrls::of_issuer("https://127.0.0.1:5000")).unwrap()
    }

    #[test]
    fn places_are_filled_in_everywhere() {
        let world = healthy();
        assert_eq!(world.profile.issuer_url, "https://127.0.0.1:5000");
        let policy = world.aws.roles["crewai-secrets-reader"].trust_policy.text();
        assert!(policy.contains("oidc-provider/127.0.0.1:5000"), "{policy}");
        assert!(!serde_json::to_string(&world.token.claims).unwrap().contains("${"));
    }

    #[test]
    fn what_is_no_placeholder_stays() {
        let world = World::parse("[aws.roles.other]\ntrust-policy = '{\"Statement\": \"${aws:username}\"}'\n").unwrap();
        let world = world.describe(&ServiceUrls::of_issuer("https://x")).unwrap();
        assert!(world.aws.roles["other"].trust_policy.text().contains("${aws:username}"));
    }

    #[test]
    fn an_overlay_changes_only_what_it_names() {
        let world = World::parse("[aws.providers.platform]\nclient-ids = ['other']\n").unwrap();
        let world = world.describe(&ServiceUrls::of_issuer("https://x")).unwrap();
        assert_eq!(world.aws.providers["platform"].client_ids, ["other"]);
        assert_eq!(world.aws.roles.len(), healthy().aws.roles.len());
    }

    #[test]
    fn a_policy_replaces_a_policy_whole() {
        let text = r#"{"aws": {"roles": {"crewai-secrets-reader": {"trust-policy": {"Statement": []}}}}}"#;
        let world = World::parse(text).unwrap().describe(&ServiceUrls::of_issuer("https://x")).unwrap();
        assert_eq!(world.aws.roles["crewai-secrets-reader"].trust_policy.text(), r#"{"Statement":[]}"#);
    }

    #[test]
    fn the_list_says_of_each_scenario_what_its_world_says() {
        for listed in World::list().unwrap() {
            let world = World::scenario(&listed.name).unwrap();
            let Description { name, title, guide, expects, expects_by_operator, rotation, .. } =
                world.describe(&ServiceUrls::of_issuer("https://x")).unwrap();
            let link = listed.link;
            let is_about_fault = expects.is_some() || expects_by_operator.is_some();
            assert!(
                link.is_some() || !is_about_fault && !name.contains("rotation"),
                "{name} names no link of the chain"
            );
            assert_eq!(listed, Scenario { name, title, guide, expects, expects_by_operator, rotation, link });
        }
    }

    #[test]
    fn errors_name_line_and_key() {
        for (text, part) in [
            ("[issuer]\nspeed = 3\n", "unknown field `speed`"),
            ("[issuer]\ndelay-ms = 'x'\n", "line 2"),
            ("[issuer\n", "line 1"),
            ("{\"issuer\": {\"delay-ms\": true}}", "line 1"),
            ("[aws]\nregion = ''\n", "aws.region"),
            ("[[issuer.jwks]]\nkey = 'RS1024'\n", "issuer.jwks"),
            ("[token]\nkey = 'x'\n", "token.key"),
            ("[aws.roles.r]\ntrust-policy = '{'\n", "aws.roles.r.trust-policy"),
            ("[aws]\naccount = '12'\n", "aws.account"),
            ("[issuer]\njwks-status = 1000\n", "issuer.jwks-status"),
            ("[issuer]\nclock-offset-s = 9000000000000000000\n", "issuer.clock-offset-s"),
            ("[token]\nage-s = -9000000000000000000\n", "token.age-s"),
            ("[issuer]\ndelay-ms = 600001\n", "issuer.delay-ms"),
            ("[[issuer.jwks]]\nkey = 'RS256'\ncopies = 4000000000\n", "copies"),
            ("[aws.secrets.crewai-database]\nkms-key = 'none'\n", "aws.secrets.crewai-database.kms-key"),
        ] {
            let error = World::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text:?} -> {error}");
        }
    }

    #[test]
    fn every_scenario_is_a_world() {
        let scenarios = World::list().unwrap();
        assert_eq!(scenarios[0].name, "healthy");
        assert_eq!(scenarios[0].expects, None);
        let sound = [
            "healthy",
            "azure",
            "azure-name-underscore",
            "static",
            "assume-role",
            "gitlab",
            "circleci",
            "circleci-sub-account",
            "gcp",
            "gcp-folder-binding",
            "gcp-organization-binding",
            "github-aws",
            "github-azure",
            "github-gcp",
            "kubernetes-aws",
            "kubernetes-azure",
            "kubernetes-gcp",
            "azure-static",
            "gcp-static",
        ];
        for scenario in &scenarios {
            // What a rotation leads to is told of the worlds in which everything else is right.
            let is_sound = scenario.rotation.is_some() || sound.contains(&scenario.name.as_str());
            let is_broken = scenario.expects.is_some() || scenario.expects_by_operator.is_some();
            assert_eq!(!is_broken, is_sound, "{}", scenario.name);
            assert!(!scenario.title.is_empty() && !scenario.guide.is_empty());
        }
    }

    #[test]
    fn unknown_scenarios_are_answered_with_near_names() {
        let error = World::scenario("sub-mismach").unwrap_err().to_string();
        assert!(error.contains("`sub-mismatch`"), "{error}");
    }
}
