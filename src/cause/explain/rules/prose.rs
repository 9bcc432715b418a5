//! Descriptions instead of messages: what people write when they did not keep the text.

use crate::cause::Cause::*;
use crate::cause::explain::rule::rules;
use crate::domain::region::OPT_IN;

const DENIED: &[&str] = &[
    "403",
    "forbidden",
    "access denied",
    "AccessDenied",
    "permission denied",
    "PermissionDenied",
    "not authorized",
    "unauthorized",
    "denied",
];
const NOT_FOUND: &[&str] = &["not found", "can't find", "cannot find", "404", "does not exist"];
const CREDENTIALS_FAIL: &[&str] = &["authenticat", "credential", "token", "denied", "unauthorized", "fails"];

rules! {
    Aws Access Descriptive says ["KMS", "decrypt"] with [DENIED] => [MissingKms, KmsKeyState, MissingGet];
    Azure Access Descriptive says ["access policy", "access policies"]
        with [DENIED, ["RBAC", "role-based", "role assignment", "permission model"]]
        => [AccessPolicyModel, AccessPolicyWrongObject, RbacMissing];
    // A vault refuses, and the writer says what is already in place.
    Azure Access Descriptive says ["access policy", "access policies"] with [DENIED]
        => [AccessPolicyWrongObject, AccessPolicyModel, AccessPolicyCompound, MissingList];
    Azure Access Descriptive says ["role is assigned", "role) is assigned", "role assigned", "is assigned",
        "role assignment", "has the role", "Secrets User", "Key Vault Reader", "Key Vault Administrator",
        "Owner role", "Contributor role"] with [DENIED]
        => [AccessPolicyModel, RbacWrongPrincipal, RbacWrongRole, PropagationDelay];
    _ Access Descriptive says ["listing", "list works", "can list", "lists fine", "properties works", "metadata"]
        with [DENIED, ["value", "get", "read"]] => [RbacWrongRole, RbacMissing, MissingGet];
    _ Access Descriptive says ["get works", "reading works", "can read", "get succeeds"] with [DENIED, ["list"]]
        => [RbacScopeSingleSecret, MissingList, ListResourceScoped];
    Azure Access Descriptive says ["key vault", "keyvault", "vault"] with [DENIED]
        without ["access policy", "access policies", "role is assigned", "is assigned", "role assignment"]
        => [RbacMissing, AccessPolicyWrongObject, AccessPolicyModel, RbacWrongPrincipal, RbacWrongRole, Firewall];
    Azure Secret Descriptive says ["key vault", "keyvault", "vault"] with [NOT_FOUND]
        => [SecretNotFound, VaultDns, SecretSoftDeleted];
    // Pods that mount secrets: the AWS driver reads without naming a stage.
    _ Access Descriptive says ["ContainerCreating", "secrets-store", "csi", "pod stuck", "SecretProviderClass"]
        with [DENIED] => [MissingGet, VersionstageCondition, RbacMissing, SecretArnSuffix, MissingKms, SubMismatch];
    _ Access Descriptive says ["secret"] with [DENIED]
        without ["list", "role", "access polic", "vault", "secretmanager.", "ContainerCreating", "csi"]
        => [MissingGet, RbacMissing, SecretArnSuffix, SecretIamMissing, MissingKms, VersionstageCondition];
    Aws Secret Descriptive says ["SecretsManager", "Secrets Manager"] with [NOT_FOUND]
        => [SecretWrongRegion, SecretNotFound, SecretEmpty];
    _ Secret Descriptive
        says ["no secrets found", "secrets list is empty", "no secrets are listed", "empty list of secrets"]
        => [SecretWrongRegion, MissingList, WrongAccount, SecretPendingDeletion];
    _ Access Descriptive says ["list"] with [DENIED, ["secret"]]
        without ["listing", "can list", "list works", "vault"]
        => [MissingList, ListResourceScoped, RbacScopeSingleSecret, RbacMissing];
    _ Secret Descriptive says ["secret \"", "secret '"] with [["not found", "does not exist"]]
        => [SecretNotFound, EnvNotSet];
    // AWS credentials that work in one region and not in another.
    Aws Trust Descriptive says ["works in other regions", "work in other regions", "other regions work"]
        with [CREDENTIALS_FAIL] => [RegionDisabled, WrongPartition, EnvConflict];
    Aws Trust Descriptive says OPT_IN with [CREDENTIALS_FAIL] => [RegionDisabled, WrongPartition, EnvConflict];
    _ Trust Descriptive says ["OIDC", "web identity", "federat", "workload identity"]
        with [["fail", "denied", "error", "reject", "unauthorized", "not authorized", "403", "401"]]
        => [SubMismatch, AudMismatch, IssMismatch, ProviderMissing, JwksUnreachable, PropagationDelay];
    _ Trust Descriptive says ["Test Connection", "handshake error", "handshake fails"]
        => [SubMismatch, PrincipalArnWrong, AudMismatch, JwksUnreachable, ProviderMissing, IssMismatch, ImmutableSub];
    Aws Trust Descriptive says ["assume role", "AssumeRole", "assume the role"]
        with [["fail", "denied", "error", "unable", "cannot"]]
        => [AssumeRoleDenied, SubMismatch, ExternalId, RoleMissing];
    _ Token Descriptive says ["token"] with [["expired", "expires"]] => [TokenExpired, ClockSkew, Cached];
    _ Token Descriptive says ["token"] with [["empty", "missing", "not found", "undefined", "not set"]]
        => [EnvNotSet, IdTokenPermissionMissing];
    _ Token Descriptive says ["clock", "time skew", "NTP", "timezone"]
        with [["skew", "drift", "wrong", "off", "behind", "ahead", "sync"]] => [ClockSkew];
    _ Token Descriptive says ["signature"] with [["invalid", "mismatch", "fail", "not match", "error"]]
        => [SignatureInvalid, StaticKeyWrong, ClockSkew];
    Gcp Access Descriptive says ["projects/", "googleapis", "gcloud", "GCP"] with [DENIED]
        => [PrincipalsetMismatch, SecretIamMissing, AttributeMappingMissing, AttributeCondition];
    _ Network Descriptive says ["proxy"]
        with [["fail", "error", "refused", "timeout", "timed out", "blocked", "denied"]] => [Proxy];
    _ Network Descriptive says ["certificate", "TLS", "SSL"]
        with [["fail", "error", "invalid", "expired", "untrusted", "verify"]]
        => [TlsUntrusted, TlsExpired, TlsName, Proxy];
    // A status code and nothing else. Secrets Manager answers 400 to what it denies, so 403 is rather a vault's or Google's.
    _ Access Descriptive says ["403|", "forbidden", "access denied", "permission denied"]
        => [RbacMissing, MissingGet, MissingList, AccessPolicyModel, SecretIamMissing, Firewall, SubMismatch];
    _ Access Descriptive says ["AccessDenied"]
        => [MissingGet, SubMismatch, AssumeRoleDenied, MissingList, MissingKms];
    _ Trust Descriptive says ["401|", "unauthorized"]
        => [TokenExpired, WrongVaultAudience, TenantWrong, DeploymentTokenWrong];
    Aws Trust Descriptive says ["InvalidIdentityToken"]
        => [ProviderMissing, AudNotRegistered, JwksUnreachable, JwksKidMissing, MalformedToken, Thumbprint];
    Aws Secret Descriptive says ["ResourceNotFoundException"] => [SecretWrongRegion, SecretNotFound, SecretEmpty];
}
