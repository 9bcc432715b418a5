//! What Azure Key Vault says.
//!
//! Sources: <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>,
//! <https://learn.microsoft.com/azure/key-vault/general/rbac-guide>.

use crate::cause::Cause::*;
use crate::cause::explain::rule::rules;

/// Ways a text names a denial.
const DENIED: &[&str] =
    &["403", "Forbidden", "access denied", "AccessDenied", "not authorized", "unauthorized", "does not have"];

rules! {
    // The request never reaches the vault's authorization.
    Azure Network Leading says ["challenge resource"] with [["does not match the requested domain",
        "doesn't match the requested domain", "doesn't match", "does not match"]]
        => [VaultChallengeMismatch, WrongCloud, Proxy];
    Azure Network Leading says ["vault may not exist or you may need to flush your DNS cache", "VaultNotFound",
        "vault not found", "NameResolutionFailure for the vault"] => [VaultDns, PrivateEndpoint];
    Azure Network Conclusive says ["privatelink.vaultcore"] with [["certificate is valid for", "altnames",
        "hostname mismatch", "doesn't match", "RemoteCertificateNameMismatch"]] => [TlsName];
    Azure Access Conclusive
        says ["ForbiddenByFirewall", "Client address is not authorized and caller is not a trusted service"]
        => [Firewall];
    Azure Access Conclusive
        says ["ForbiddenByConnection", "Public network access is disabled", "not an approved private link"]
        => [PrivateEndpoint];
    // The token is not one for this vault.
    Azure Token Conclusive says ["AKV10022", "Invalid audience. Expected https://vault"] => [WrongVaultAudience];
    Azure Token Leading says ["AKV10032", "Invalid issuer. Expected one of"] => [TenantWrong, WrongVaultAudience];
    Azure Token Leading says ["AKV10000", "Request is missing a Bearer or PoP token"]
        => [EnvNotSet, Proxy, VaultChallengeMismatch];
    Azure Token Leading says ["AKV10046", "AKV10047", "AKV10061", "AKV10001"]
        => [WrongVaultAudience, WrongCloud, TenantWrong];
    Azure Token Leading says ["AKV10013", "AKV10044", "AKV10042"] => [TokenExpired, ClockSkew];
    // Rights.
    Azure Access Ambiguous says ["secrets/readMetadata/action"] with [["Forbidden", "not authorized", "Caller"]]
        without ["secrets/getSecret/action"]
        => [MissingList, RbacScopeSingleSecret, RbacWrongRole, RbacMissing, PropagationDelay];
    Azure Access Leading says ["vaults/secrets/list", "/list'", "secrets/list|", "secrets list permission"]
        with [["does not have permission to perform action", "Forbidden"]]
        without ["does not have secrets list permission", "getSecret"]
        => [RbacScopeSingleSecret, MissingList, RbacMissing];
    Azure Access Ambiguous
        says ["ForbiddenByRbac", "Caller is not authorized to perform action on resource", "DeniedWithNoValidRBAC"]
        without ["secrets/readMetadata/action"]
        => [RbacMissing, RbacWrongPrincipal, PropagationDelay, RbacWrongRole, RbacScopeSingleSecret];
    Azure Access Ambiguous says ["AccessToKeyVaultDenied"]
        => [RbacMissing, AccessPolicyWrongObject, AccessPolicyModel, Firewall, PrivateEndpoint];
    Azure Access Ambiguous says ["permission on key vault"] without ["does not have secrets get permission",
        "does not have secrets list permission", "does not have secrets set permission",
        "does not have secrets delete permission"]
        => [AccessPolicyWrongObject, AccessPolicyModel, RbacWrongPrincipal, AccessPolicyCompound];
    Azure Access Conclusive says ["DeniedWithExplicitDeny", "DenyAssignmentId: '"] => [ExplicitDeny];
    Azure Access Ambiguous says ["does not have secrets get permission", "does not have secrets set permission",
        "does not have secrets delete permission"]
        => [AccessPolicyWrongObject, AccessPolicyModel, RbacWrongPrincipal, AccessPolicyCompound];
    Azure Access Ambiguous says ["does not have secrets list permission"]
        => [MissingList, AccessPolicyWrongObject, AccessPolicyModel];
    Azure Access Conclusive says ["to use on-behalf-of (OBO) flow", "ForbiddenByPolicy", "use on-behalf-of"]
        => [AccessPolicyCompound];
    Azure Access Leading says ["legacy access policies", "access policies instead of"] with [DENIED]
        => [AccessPolicyModel];
    Azure Access Leading says ["request was not authorized"] with [["Forbidden"], ["vault"]]
        => [AccessPolicyModel, RbacMissing, RbacWrongPrincipal];
    // The secret.
    Azure Secret Conclusive says ["is not allowed on a disabled secret", "SecretDisabled"] => [SecretDisabled];
    Azure Secret Leading says ["was not found in this key vault", "SecretNotFound"] without ["gcp", "googleapis"]
        => [SecretNotFound, SecretSoftDeleted, VaultUrlMissing];
    Azure Secret Conclusive says ["deleted but recoverable state", "ObjectIsDeletedButRecoverable",
        "ObjectIsBeingDeleted", "currently being deleted"] => [SecretSoftDeleted];
    Azure Secret Leading says ["Deleted Secret not found"] => [SecretNotFound, SecretSoftDeleted];
    Azure Secret Leading says ["conflict while creating/updating your secret"] => [SecretSoftDeleted];
    Azure Secret Conclusive says ["request URI contains an invalid name",
        "'secret_name' must conform to the following pattern",
        "must conform to the following pattern: '^[0-9a-zA-Z-]+$'", "'^[0-9a-zA-Z-]+$'"] => [SecretNameInvalid];
    Azure Secret Leading says ["BadParameter"] with [["secret", "vault"]] without ["contains an invalid name"]
        => [SecretNameInvalid];
    // Asked too often.
    Azure Access Conclusive
        says ["too many requests were received", "429 Too Many Requests", "TooManyRequests", "Error 429", "(429)"]
        with [["vault"]] => [Throttled];
}
