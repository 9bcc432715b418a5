//! The clouds' own hosts: the ones that their SDKs build for a service and a region, and no others below the same domain, where
//! anybody can have a name.

use crate::domain::region::PARTITIONS;

/// The AWS services that are sent a token or a key.
const AWS_SERVICES: &[&str] = &["sts", "secretsmanager"];
/// What ends the names of dual-stack endpoints, by what ends those of the partition's others
/// (the SDKs' `partitions.json`, `dualStackDnsSuffix`).
const DUAL_STACK: &[(&str, &str)] = &[
    ("amazonaws.com", "api.aws"),
    ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    ("amazonaws.eu", "api.amazonwebservices.eu"),
    ("c2s.ic.gov", "api.aws.ic.gov"),
    ("sc2s.sgov.gov", "api.aws.scloud"),
    ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    ("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
];
/// Entra's hosts, for every national cloud (<https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>).
const ENTRA_HOSTS: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoft.com",
    "sts.windows.net",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
];
/// What ends the names of vaults, for every national cloud.
const VAULT_ENDS: &[&str] =
    &[".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net", ".vault.microsoftazure.de"];

/// Whether only a cloud itself can answer at this host, in lower case, with a certificate for it.
pub(super) fn is_the_clouds_own(host: &str) -> bool {
    is_of_aws(host) || ENTRA_HOSTS.contains(&host) || VAULT_ENDS.iter().any(|end| is_one_label_before(host, end))
}

/// Whether a host is an endpoint of STS or Secrets Manager (their endpoint rule sets: regional, FIPS, dual-stack, STS's global
/// one; and interface endpoints, <https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html>).
fn is_of_aws(host: &str) -> bool {
    if host == "sts.amazonaws.com" {
        return true;
    }
    PARTITIONS.iter().any(|partition| {
        let dual_stack = DUAL_STACK.iter().find(|(suffix, _)| *suffix == partition.dns_suffix);
        let own_part = |suffix: &str| host.strip_suffix(suffix)?.strip_suffix('.').map(|name| name.split('.').collect());
        let is_public = |labels: Vec<&str>| matches!(labels[..], [service, region] if is_service(service) && partition.regions.contains(&region));
        let is_private = |labels: Vec<&str>| {
            matches!(labels[..], [endpoint, service, region, "vpce"]
                if endpoint.starts_with("vpce-") && is_service(service) && partition.regions.contains(&region))
        };
        own_part(partition.dns_suffix).is_some_and(|labels: Vec<&str>| is_public(labels.clone()) || is_private(labels))
            || dual_stack.and_then(|(_, suffix)| own_part(suffix)).is_some_and(is_public)
    })
}

fn is_service(label: &str) -> bool {
    AWS_SERVICES.contains(&label.strip_suffix("-fips").unwrap_or(label))
}

fn is_one_label_before(host: &str, end: &str) -> bool {
    host.strip_suffix(end).is_some_and(|name| !name.is_empty() && !name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_sdks_build_is_the_clouds_own() {
        for host in [
            "sts.amazonaws.com",
            "sts.eu-central-1.amazonaws.com",
            "sts-fips.us-east-1.amazonaws.com",
            "sts.cn-north-1.amazonaws.com.cn",
            "sts.us-east-1.api.aws",
            "sts.eusc-de-east-1.amazonaws.eu",
            "secretsmanager.us-east-1.amazonaws.com",
            "secretsmanager-fips.us-gov-west-1.amazonaws.com",
            "secretsmanager.eu-west-1.api.aws",
            "vpce-0a1b-2c3d.sts.us-east-1.vpce.amazonaws.com",
            "vpce-0a1b-2c3d-us-east-1a.secretsmanager.us-east-1.vpce.amazonaws.com",
            "login.microsoftonline.com",
            "crew.vault.azure.net",
        ] {
            assert!(is_the_clouds_own(host), "{host}");
        }
        for host in [
            "sts.s3.amazonaws.com",
            "sts.evil.amazonaws.com",
            "secretsmanager.s3.amazonaws.com",
            "sts.us-east-1.s3.amazonaws.com",
            "bucket.s3.us-east-1.amazonaws.com",
            "sts.us-east-1.amazonaws.com.cn",
            "sts.cn-north-1.amazonaws.com",
            "sts.amazonaws.com.",
            "s3.us-east-1.amazonaws.com",
            "secretsmanager.amazonaws.com",
            "sts-fips.amazonaws.com",
            "vpce-1.vpce-svc-2.us-east-1.vpce.amazonaws.com",
            "vpce-1.sts.s3.vpce.amazonaws.com",
            "a.b.vault.azure.net",
            ".vault.azure.net",
            "evil.login.microsoftonline.com",
            "",
        ] {
            assert!(!is_the_clouds_own(host), "{host}");
        }
    }
}
