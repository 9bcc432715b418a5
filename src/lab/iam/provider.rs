//! OIDC identity providers.

use super::{AwsError, Call, Element, Iam, Outcome, add, anything, date, done, exists, members, no_such};
use crate::lab::query::{Constraints, Shown};
use crate::lab::server::now;
use crate::lab::world::Provider;

/// How many audiences a provider may have.
const MOST_CLIENT_IDS: usize = 100;

impl Iam {
    pub(super) async fn create_provider(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let url = call.required("Url")?.to_owned();
        let mut provider = Provider {
            url: url.clone(),
            client_ids: call.parameters.list("ClientIDList"),
            thumbprints: call.parameters.list("ThumbprintList"),
            created_at: now(),
            ..Provider::default()
        };
        let arn = self.account.world().provider_arn(&provider);
        self.authorize(call, "CreateOpenIDConnectProvider", &arn)?;
        check_url(&url)?;
        check_thumbprints(&provider.thumbprints)?;
        if provider.client_ids.len() > MOST_CLIENT_IDS {
            return Err(too_many_client_ids());
        }
        let taken = || exists(format!("Provider with url {url} already exists."));
        if self.known(&arn).is_some() {
            return Err(taken());
        }
        if provider.thumbprints.is_empty() {
            if !self.fetcher.reaches(&url).await {
                return Err(AwsError::new(
                    "OpenIdIdpCommunicationError",
                    400,
                    "The request failed because IAM cannot connect to the OpenID Connect identity provider URL.",
                ));
            }
            provider.thumbprints.push(self.thumbprint.clone());
        }
        let added = self.account.change(|world| add(&mut world.providers, &arn, provider));
        if !added {
            return Err(taken());
        }
        let result = vec![Element::text("OpenIDConnectProviderArn", arn)];
        Ok(Outcome { action: "CreateOpenIDConnectProvider", result })
    }

    pub(super) fn get_provider(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (_, provider) = self.provider(call, "GetOpenIDConnectProvider")?;
        let result = vec![
            Element::text("Url", provider.url.strip_prefix("https://").unwrap_or(&provider.url)),
            members("ClientIDList", provider.client_ids),
            members("ThumbprintList", provider.thumbprints),
            date("CreateDate", provider.created_at),
        ];
        Ok(Outcome { action: "GetOpenIDConnectProvider", result })
    }

    pub(super) fn list_providers(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let world = self.account.world();
        self.authorize(call, "ListOpenIDConnectProviders", &anything(&world, "oidc-provider"))?;
        let entry = |provider| Element::of("member", vec![Element::text("Arn", world.provider_arn(provider))]);
        let result = vec![Element::of("OpenIDConnectProviderList", world.providers.values().map(entry).collect())];
        Ok(Outcome { action: "ListOpenIDConnectProviders", result })
    }

    pub(super) fn update_thumbprint(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (key, _) = self.provider(call, "UpdateOpenIDConnectProviderThumbprint")?;
        let thumbprints = call.parameters.list("ThumbprintList");
        check_thumbprints(&thumbprints)?;
        self.change_provider(&key, |provider| provider.thumbprints = thumbprints);
        Ok(done("UpdateOpenIDConnectProviderThumbprint"))
    }

    pub(super) fn add_client_id(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (key, provider) = self.provider(call, "AddClientIDToOpenIDConnectProvider")?;
        let client_id = call.required("ClientID")?.to_owned();
        // Adding one that is there already is no error.
        if !provider.client_ids.contains(&client_id) {
            if provider.client_ids.len() >= MOST_CLIENT_IDS {
                return Err(too_many_client_ids());
            }
            self.change_provider(&key, |provider| provider.client_ids.push(client_id));
        }
        Ok(done("AddClientIDToOpenIDConnectProvider"))
    }

    pub(super) fn remove_client_id(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (key, _) = self.provider(call, "RemoveClientIDFromOpenIDConnectProvider")?;
        let client_id = call.required("ClientID")?;
        self.change_provider(&key, |provider| provider.client_ids.retain(|known| known != client_id));
        Ok(done("RemoveClientIDFromOpenIDConnectProvider"))
    }

    pub(super) fn delete_provider(&self, call: &Call<'_>) -> Result<Outcome, AwsError> {
        let (key, _) = self.provider(call, "DeleteOpenIDConnectProvider")?;
        self.account.change(|world| drop(world.providers.remove(&key)));
        Ok(done("DeleteOpenIDConnectProvider"))
    }

    /// The provider that the call names, and its key in the world, if the caller may do `action` on it.
    fn provider(&self, call: &Call<'_>, action: &str) -> Result<(String, Provider), AwsError> {
        let arn = call.required("OpenIDConnectProviderArn")?;
        self.authorize(call, action, arn)?;
        self.known(arn).ok_or_else(|| no_such(format!("OpenIDConnect Provider not found for arn {arn}")))
    }

    fn known(&self, arn: &str) -> Option<(String, Provider)> {
        let world = self.account.world();
        let (key, provider) = world.providers.iter().find(|(_, provider)| world.provider_arn(provider) == arn)?;
        Some((key.clone(), provider.clone()))
    }

    fn change_provider(&self, key: &str, change: impl FnOnce(&mut Provider)) {
        self.account.change(|world| world.providers.get_mut(key).map(change));
    }
}

/// The URL must be https, without a query or a port. The lab's own issuer has one, and is taken.
fn check_url(url: &str) -> Result<(), AwsError> {
    let mut constraints = Constraints::default();
    constraints.length("url", Some(url), (1, 255), Shown::Plainly);
    constraints.check()?;
    let parsed = url::Url::parse(url).ok().filter(|parsed| {
        let loopback = parsed.host_str() == Some("127.0.0.1");
        parsed.scheme() == "https" && parsed.query().is_none() && (parsed.port().is_none() || loopback)
    });
    match parsed {
        Some(_) => Ok(()),
        None => Err(AwsError::validation("Invalid Open ID Connect Provider URL")),
    }
}

fn check_thumbprints(thumbprints: &[String]) -> Result<(), AwsError> {
    if thumbprints.len() > 5 {
        return Err(AwsError::new("InvalidInput", 400, "Thumbprint list must contain fewer than 5 entries."));
    }
    let mut constraints = Constraints::default();
    for thumbprint in thumbprints {
        constraints.length("thumbprintList", Some(thumbprint), (40, 40), Shown::Plainly);
    }
    constraints.check()?;
    if thumbprints.iter().all(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Ok(());
    }
    Err(AwsError::new("InvalidInput", 400, "Thumbprint must be hexadecimal."))
}

fn too_many_client_ids() -> AwsError {
    AwsError::new("LimitExceeded", 409, "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100")
}
