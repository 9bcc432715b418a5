//! Microsoft's national clouds: each has its own authority, vaults, and audience of a federated credential.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud> and
//! <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates>.

/// One of the clouds.
#[derive(Debug, PartialEq, Eq)]
pub struct NationalCloud {
    /// Its name for people.
    pub name: &'static str,
    /// The name that `az cloud set --name` takes.
    pub cli_name: &'static str,
    /// The host of its token endpoints.
    pub authority: &'static str,
    /// What a vault's host ends in, after its name and a dot.
    pub vault_suffix: &'static str,
    /// The `aud` of a token for its vaults.
    pub vault_resource: &'static str,
    /// The host of its Resource Manager.
    pub resource_manager: &'static str,
    /// The host of its Graph.
    pub graph: &'static str,
    /// The audience that its federated credentials hold by convention.
    pub credential_audience: &'static str,
}

/// The public cloud.
pub const PUBLIC: &NationalCloud = &NationalCloud {
    name: "public",
    cli_name: "AzureCloud",
    authority: "login.microsoftonline.com",
    vault_suffix: "vault.azure.net",
    vault_resource: "https://vault.azure.net",
    resource_manager: "management.azure.com",
    graph: "graph.microsoft.com",
    credential_audience: "api://AzureADTokenExchange",
};

/// The United States' government's cloud.
pub const US_GOVERNMENT: &NationalCloud = &NationalCloud {
    name: "US Government",
    cli_name: "AzureUSGovernment",
    authority: "login.microsoftonline.us",
    vault_suffix: "vault.usgovcloudapi.net",
    vault_resource: "https://vault.usgovcloudapi.net",
    resource_manager: "management.usgovcloudapi.net",
    graph: "graph.microsoft.us",
    credential_audience: "api://AzureADTokenExchangeUSGov",
};

/// The cloud in China.
pub const CHINA: &NationalCloud = &NationalCloud {
    name: "China",
    cli_name: "AzureChinaCloud",
    authority: "login.chinacloudapi.cn",
    vault_suffix: "vault.azure.cn",
    vault_resource: "https://vault.azure.cn",
    resource_manager: "management.chinacloudapi.cn",
    graph: "microsoftgraph.chinacloudapi.cn",
    credential_audience: "api://AzureADTokenExchangeChina",
};

/// Every cloud, the public one first.
pub const ALL: [&NationalCloud; 3] = [PUBLIC, US_GOVERNMENT, CHINA];

/// Further hosts of the public authority: the older name and the regional ones' parent.
const PUBLIC_ALIASES: [&str; 3] = ["login.windows.net", "login.microsoft.com", "sts.windows.net"];

/// The cloud whose token endpoint has this address or host.
pub fn of_authority(address: &str) -> Option<&'static NationalCloud> {
    let host = host(address);
    if PUBLIC_ALIASES.iter().any(|alias| host.eq_ignore_ascii_case(alias)) {
        return Some(PUBLIC);
    }
    ALL.into_iter().find(|cloud| host.eq_ignore_ascii_case(cloud.authority))
}

/// The cloud whose vaults have this address or host.
pub fn of_vault(address: &str) -> Option<&'static NationalCloud> {
    let host = host(address).to_ascii_lowercase();
    ALL.into_iter().find(|cloud| host.strip_suffix(cloud.vault_suffix).is_some_and(|rest| rest.ends_with('.')))
}

/// The name of the vault at a cloud's address.
pub fn vault_name(address: &str) -> Option<&str> {
    of_vault(address)?;
    host(address).split('.').next()
}

/// The cloud whose vaults take tokens for this resource.
pub fn of_vault_resource(resource: &str) -> Option<&'static NationalCloud> {
    ALL.into_iter().find(|cloud| resource.trim_end_matches('/').eq_ignore_ascii_case(cloud.vault_resource))
}

/// The cloud whose federated credentials hold this audience.
pub fn of_audience(audience: &str) -> Option<&'static NationalCloud> {
    ALL.into_iter().find(|cloud| audience.eq_ignore_ascii_case(cloud.credential_audience))
}

/// The cloud whose Resource Manager has this address or host.
pub fn of_resource_manager(address: &str) -> Option<&'static NationalCloud> {
    ALL.into_iter().find(|cloud| host(address).eq_ignore_ascii_case(cloud.resource_manager))
}

/// The host of a URL, or of what is one without its scheme.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', ':', '?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_its_cloud() {
        for cloud in ALL {
            assert_eq!(of_authority(&format!("https://{}/", cloud.authority)), Some(cloud));
            assert_eq!(of_vault(&format!("https://My-Vault.{}/secrets/a", cloud.vault_suffix)), Some(cloud));
            assert_eq!(vault_name(&format!("https://my-vault.{}/", cloud.vault_suffix)), Some("my-vault"));
            assert_eq!(of_vault_resource(cloud.vault_resource), Some(cloud));
            assert_eq!(of_audience(cloud.credential_audience), Some(cloud));
            assert_eq!(of_resource_manager(&format!("https://{}", cloud.resource_manager)), Some(cloud));
        }
        assert_eq!(of_authority("login.windows.net"), Some(PUBLIC));
        for other in ["https://127.0.0.1:1", "vault.azure.net", "https://evilvault.azure.net.example", ""] {
            assert_eq!((of_vault(other), vault_name(other)), (None, None), "{other}");
        }
        assert_eq!(of_vault("https://evilvault.azure.net"), None);
    }
}
