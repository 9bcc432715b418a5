//! What Microsoft Entra and Key Vault say: numeric codes, and the sentences where a code got lost.
//!
//! Sources: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>,
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>.

use crate::cause::Cause;
use crate::cause::Cause::*;
use crate::cause::explain::rule::rules;

/// What a refusal can mean that names no part of the credential.
const NO_RECORD: &[Cause] = &[
    SubMismatch,
    IssMismatch,
    AudMismatch,
    ImmutableSub,
    PropagationDelay,
    ClientWrong,
    SubCaseMismatch,
    FicMissing,
    TenantWrong,
    Transient,
    WrongCloud,
    WrongTokenKind,
];

/// Ways a text names a denial.
const DENIED: &[&str] =
    &["403", "Forbidden", "access denied", "AccessDenied", "not authorized", "unauthorized", "does not have"];

rules! {
    // No federated credential matches.
    Azure Trust Ambiguous codes [70021]
        says ["No matching federated identity record found for presented assertion. Assertion Issuer"] => NO_RECORD;
    Azure Trust Leading codes [700211] says ["presented assertion issuer"]
        => [IssMismatch, PropagationDelay, ClientWrong];
    Azure Trust Leading codes [700212] says ["presented assertion audience"]
        => [AudMismatch, WrongCloud, PropagationDelay, ClientWrong];
    Azure Trust Leading codes [700213] says ["presented assertion subject"] without ["case-insensitive comparison"]
        => [SubMismatch, ImmutableSub, PropagationDelay, Transient, ClientWrong, ClaimMismatch];
    Azure Trust Conclusive codes [7002138] says ["matches with case-insensitive comparison, but not"]
        => [SubCaseMismatch];
    Azure Trust Conclusive codes [7002137] => [SubMismatch];
    Azure Trust Leading codes [7002121, 700214] => [AudMismatch];
    Azure Trust Leading codes [700263] => [SubMismatch, PropagationDelay];
    Azure Trust Leading codes [70025] says ["has no configured federated identity credentials"]
        => [FicMissing, ClientWrong, PropagationDelay];
    Azure Trust Ambiguous says ["No matching federated identity record", "no matching federated identity credential"]
        without ["presented assertion subject", "presented assertion issuer", "presented assertion audience",
        "AADSTS70021"] => NO_RECORD;
    // The assertion itself.
    Azure Token Leading codes [50027] says ["JWT token is invalid or malformed"]
        => [MalformedToken, EnvNotSet, IdTokenPermissionMissing, WrongTokenKind];
    Azure Token Conclusive codes [5002727] says ["Invalid JWT header type specified"] => [WrongTokenKind];
    Azure Token Leading codes [5002728, 5002723, 50027231, 700216] => [MalformedToken, WrongTokenKind];
    Azure Token Leading codes [700024, 50012, 500133]
        says ["Client assertion is not within its valid time range", "Assertion is not within its valid time range"]
        => [TokenExpired, ClockSkew, Cached];
    // Without `iat` the lifetime is counted from the year 1970.
    Azure Token Conclusive says ["Token issued at 0."] with [["lifetime"]] => [MalformedToken];
    Azure Token Leading codes [70023] says ["token must have a lifetime of less than"] without ["Token issued at 0."]
        => [TokenLifetimeTooLong, WrongTokenKind];
    // The assertion that the application signs itself: with a certificate that it does not have, or that has ended.
    Azure Token Conclusive codes [700027] says ["Thumbprint of key used by client"] with [["key was not found"]]
        => [ClientCertificateUnknown];
    Azure Token Leading says ["Thumbprint of key used by client"] with [["key used is expired"]]
        => [ClientSecretExpired, ClientCertificateUnknown];
    Azure Token Leading codes [700027]
        says ["Client assertion failed signature validation", "Client assertion contains an invalid signature"]
        without ["Thumbprint of key used by client"] => [SignatureInvalid, JwksKidMissing, WrongTokenKind, WrongFlow];
    Azure Token Leading codes [50013] says ["Assertion failed signature validation"]
        without ["not within its valid time range"]
        => [SignatureInvalid, JwksUnreachable, JwksKidMissing, WrongTokenKind];
    Azure Token Leading codes [700021, 700023] => [WrongFlow, WrongTokenKind, AudMismatch, ClientWrong];
    Azure Token Leading codes [700030, 7000214, 1000502, 7000221] => [WrongFlow, SignatureInvalid];
    Azure Token Leading codes [5002710, 5002711, 700025]
        says ["Invalid JWT algorithm", "unsupported signing algorithm"] => [AlgUnsupported];
    // Entra's way to the issuer.
    Azure Issuer Leading codes [50166, 501661, 90061] says ["Request to External OIDC endpoint failed"]
        => [JwksUnreachable, DiscoveryInvalid, IssuerNotConfigured, TlsUntrusted, Dns, Firewall, IssuerDiffers,
        IssuerRedirect];
    Azure Issuer Conclusive codes [7000272, 7000274, 7000275]
        says ["used to sign the federated credential could not be found"] => [JwksKidMissing];
    Azure Token Leading codes [700082] => [TokenExpired];
    // Application and tenant.
    Azure Trust Ambiguous codes [700016] => [ClientWrong, TenantWrong, SpMissing, WrongCloud];
    // What 700016 was before: what the request named is nowhere in the tenant that it went to.
    Azure Trust Ambiguous codes [70001] => [TenantWrong, ClientWrong, SpMissing];
    Azure Trust Ambiguous codes [700011, 650056, 650057] => [ClientWrong, TenantWrong, SpMissing];
    // The service that is asked for has no service principal in this tenant.
    Azure Trust Leading codes [650052] says ["lacks a service principal for"] => [SpMissing, WrongScope, TenantWrong];
    Azure Trust Ambiguous says ["was not found in the directory"] with [["Application"]]
        without ["AADSTS700016", "AADSTS70001|"] => [ClientWrong, TenantWrong, SpMissing];
    Azure Trust Leading codes [7000112, 7000113, 500014]
        says ["is disabled. Contact", "service principal for resource"] without ["lacks a service principal for"]
        => [AppDisabled, TenantPolicy, SpMissing, ClientWrong];
    Azure Trust Ambiguous codes [90002, 900021, 50020, 90072] => [TenantWrong, WrongCloud];
    Azure Trust Ambiguous
        says ["Check to make sure you have the correct tenant ID", "tenant not found", "invalid_tenant"]
        without ["AADSTS90002"] => [TenantWrong, WrongCloud];
    Azure Trust Leading codes [900023, 90023, 90013] says ["neither a valid DNS name"] => [TenantWrong];
    Azure Trust Leading codes [9001023, 50194, 90009] says ["not supported over the /common or /consumers"]
        => [TenantWrong, AppMultitenant];
    Azure Trust Leading codes [90038, 900382, 900384, 90051, 900381, 900383] says ["national cloud"]
        => [WrongCloud, TenantWrong];
    Azure Trust Ambiguous codes [500011] => [WrongScope, WrongVaultAudience, WrongCloud, TenantWrong];
    Azure Trust Ambiguous says ["The resource principal named"] without ["AADSTS500011"]
        => [WrongScope, WrongVaultAudience, WrongCloud, TenantWrong];
    Azure Trust Leading codes [1002012, 70011, 700022, 9002313, 650053, 28002, 28003]
        says ["must have a scope value with /.default", "provided value for scope",
        "provided value for the input parameter 'scope'"] => [WrongScope];
    Azure Trust Leading codes [7000218, 7000216, 900144, 90014]
        says ["request body must contain the following parameter"] => [EnvNotSet, Proxy, WrongFlow];
    Azure Trust Conclusive codes [7000215] says ["Invalid client secret provided"] => [ClientSecretWrong];
    Azure Trust Conclusive codes [7000222] says ["client secret keys for app"] => [ClientSecretExpired];
    Azure Trust Leading says ["client secret"] with [["expired"]]
        without ["AADSTS7000222", "AADSTS7000215", "client secret keys for app", "Invalid client secret provided"]
        => [ClientSecretExpired, ClientSecretWrong];
    Azure Trust Conclusive codes [7000229, 7000226]
        says ["is missing service principal in the tenant", "missing service principal"] => [SpMissing];
    Azure Trust Conclusive codes [53003, 530035, 530031, 530032, 53000, 53001, 530033, 530034, 530036, 53011]
        says ["blocked by Conditional Access", "blocked by security defaults"] => [ConditionalAccess];
    Azure Trust Conclusive codes [7002381, 700238, 700223, 700230, 7002382, 700232]
        says ["must contain the enterprise claim"] => [TenantPolicy];
    Azure Token Leading codes [700222, 700226, 700227, 700229, 700231, 700236]
        says ["obtained using another federated identity credential"] => [WrongTokenKind, TenantPolicy];
    // A person's sign-in: no federated token was sent at all.
    Azure Trust Leading codes [50034, 50126, 50055, 50056, 50057, 50076, 50079] => [WrongFlow, EnvConflict, TenantWrong];
    Azure Trust Conclusive codes [70052] says ["must be a managed identity, single tenant app"] => [AppMultitenant];
    Azure Trust Leading codes [50105, 501051, 65001, 650051] => [TenantPolicy, SpMissing];
    Azure Trust Leading codes [90024, 50196, 900241] => [Throttled, Transient];
    Azure Trust Leading codes [90055, 90033, 90006, 50000, 90012, 90020, 700081, 90056] => [Transient, Throttled];
    // The wrapper is there, the code is not.
    Azure Trust Secondary says ["ClientAssertionCredential authentication failed",
        "WorkloadIdentityCredential authentication failed", "invalid_client", "unauthorized_client", "AADSTS"]
        => [SubMismatch, IssMismatch, AudMismatch, ClientWrong, TenantWrong, FicMissing, TokenExpired, WrongScope];
    Azure Trust Secondary says ["No subscriptions found", "SubscriptionNotFound", "No subscription found"]
        => [RbacMissing, PropagationDelay, TenantWrong];
    Azure Access Ambiguous says ["does not have authorization to perform action", "AuthorizationFailed"]
        => [RbacMissing, RbacWrongRole, PropagationDelay, RbacWrongPrincipal];
    Azure Access Leading says ["PrincipalNotFound", "does not exist in the directory",
        "Cannot find user or service principal in graph database"] without ["AADSTS50020", "AADSTS50034"]
        => [RbacWrongPrincipal, PropagationDelay, SpMissing];

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
        => [AccessPolicyMissing, AccessPolicyWrongObject, AccessPolicyModel, RbacWrongPrincipal, AccessPolicyCompound];
    Azure Access Conclusive says ["DeniedWithExplicitDeny", "DenyAssignmentId: '"] => [ExplicitDeny];
    Azure Access Ambiguous says ["does not have secrets get permission", "does not have secrets set permission",
        "does not have secrets delete permission"]
        => [AccessPolicyMissing, AccessPolicyWrongObject, AccessPolicyModel, RbacWrongPrincipal, AccessPolicyCompound];
    Azure Access Ambiguous says ["does not have secrets list permission"]
        => [MissingList, AccessPolicyWrongObject, AccessPolicyModel];
    Azure Access Conclusive says ["to use on-behalf-of (OBO) flow", "use on-behalf-of"]
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
