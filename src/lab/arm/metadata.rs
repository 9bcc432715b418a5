//! Where a cloud's services are, as its Resource Manager tells anybody who asks
//! (<https://learn.microsoft.com/azure/azure-resource-manager/management/microsoft-azure-resource-manager-endpoints>):
//! `az cloud register --endpoint-resource-manager` needs nothing else.

use serde_json::{Value, json};

use super::{AUDIENCES, Neighbours};
use crate::lab::authority::VAULT_DOMAIN;

pub(super) const PATH: &str = "/metadata/endpoints";

/// The services that the lab has. A vault's address is its name, a dot and `keyVaultDns`.
pub(super) fn endpoints(places: &Neighbours) -> Value {
    let port = places.vault.rsplit_once(':').map_or("", |(_, port)| port);
    json!({
        "name": "trustline-lab",
        "resourceManager": places.arm,
        "microsoftGraphResourceId": places.graph,
        "authentication": {
            "loginEndpoint": places.entra,
            "audiences": AUDIENCES.map(|audience| format!("{audience}/")),
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": { "keyVaultDns": format!("{VAULT_DOMAIN}:{port}") },
    })
}
