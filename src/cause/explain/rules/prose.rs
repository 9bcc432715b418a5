//! Descriptions instead of messages: what people write when they did not keep the text.

use crate::cause::Cause::*;
use crate::cause::explain::rule::{Rule, Stage};
use crate::domain::ids::Cloud::{Aws, Azure, Gcp};
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

pub(super) const RULES: &[Rule] = &[
    Rule::descriptive(Stage::Access, &["KMS", "decrypt"], &[MissingKms, KmsKeyState, MissingGet])
        .with(&[DENIED])
        .of(Aws),
    Rule::descriptive(
        Stage::Access,
        &["access policy", "access policies"],
        &[AccessPolicyModel, AccessPolicyWrongObject, RbacMissing],
    )
    .with(&[DENIED, &["RBAC", "role-based", "role assignment", "permission model"]])
    .of(Azure),
    // A vault refuses, and the writer says what is already in place.
    Rule::descriptive(
        Stage::Access,
        &["access policy", "access policies"],
        &[AccessPolicyWrongObject, AccessPolicyModel, AccessPolicyCompound, MissingList],
    )
    .with(&[DENIED])
    .of(Azure),
    Rule::descriptive(
        Stage::Access,
        &[
            "role is assigned",
            "role) is assigned",
            "role assigned",
            "is assigned",
            "role assignment",
            "has the role",
            "Secrets User",
            "Key Vault Reader",
            "Key Vault Administrator",
            "Owner role",
            "Contributor role",
        ],
        &[AccessPolicyModel, RbacWrongPrincipal, RbacWrongRole, PropagationDelay],
    )
    .with(&[DENIED])
    .of(Azure),
    Rule::descriptive(
        Stage::Access,
        &["listing", "list works", "can list", "lists fine", "properties works", "metadata"],
        &[RbacWrongRole, RbacMissing, MissingGet],
    )
    .with(&[DENIED, &["value", "get", "read"]]),
    Rule::descriptive(
        Stage::Access,
        &["get works", "reading works", "can read", "get succeeds"],
        &[RbacScopeSingleSecret, MissingList, ListResourceScoped],
    )
    .with(&[DENIED, &["list"]]),
    Rule::descriptive(
        Stage::Access,
        &["key vault", "keyvault", "vault"],
        &[RbacMissing, AccessPolicyWrongObject, AccessPolicyModel, RbacWrongPrincipal, RbacWrongRole, Firewall],
    )
    .with(&[DENIED])
    .without(&["access policy", "access policies", "role is assigned", "is assigned", "role assignment"])
    .of(Azure),
    Rule::descriptive(
        Stage::Secret,
        &["key vault", "keyvault", "vault"],
        &[SecretNotFound, VaultDns, SecretSoftDeleted],
    )
    .with(&[NOT_FOUND])
    .of(Azure),
    // Pods that mount secrets: the AWS driver reads without naming a stage.
    Rule::descriptive(
        Stage::Access,
        &["ContainerCreating", "secrets-store", "csi", "pod stuck", "SecretProviderClass"],
        &[MissingGet, VersionstageCondition, RbacMissing, SecretArnSuffix, MissingKms, SubMismatch],
    )
    .with(&[DENIED]),
    Rule::descriptive(
        Stage::Access,
        &["secret"],
        &[MissingGet, RbacMissing, SecretArnSuffix, SecretIamMissing, MissingKms, VersionstageCondition],
    )
    .with(&[DENIED])
    .without(&["list", "role", "access polic", "vault", "secretmanager.", "ContainerCreating", "csi"]),
    Rule::descriptive(
        Stage::Secret,
        &["SecretsManager", "Secrets Manager"],
        &[SecretWrongRegion, SecretNotFound, SecretEmpty],
    )
    .with(&[NOT_FOUND])
    .of(Aws),
    Rule::descriptive(
        Stage::Secret,
        &["no secrets found", "secrets list is empty", "no secrets are listed", "empty list of secrets"],
        &[SecretWrongRegion, MissingList, WrongAccount, SecretPendingDeletion],
    ),
    Rule::descriptive(Stage::Access, &["list"], &[MissingList, ListResourceScoped, RbacScopeSingleSecret, RbacMissing])
        .with(&[DENIED, &["secret"]])
        .without(&["listing", "can list", "list works", "vault"]),
    Rule::descriptive(Stage::Secret, &["secret \"", "secret '"], &[SecretNotFound, EnvNotSet])
        .with(&[&["not found", "does not exist"]]),
    // AWS credentials that work in one region and not in another.
    Rule::descriptive(
        Stage::Trust,
        &["works in other regions", "work in other regions", "other regions work"],
        &[RegionDisabled, WrongPartition, EnvConflict],
    )
    .with(&[CREDENTIALS_FAIL])
    .of(Aws),
    Rule::descriptive(Stage::Trust, OPT_IN, &[RegionDisabled, WrongPartition, EnvConflict])
        .with(&[CREDENTIALS_FAIL])
        .of(Aws),
    Rule::descriptive(
        Stage::Trust,
        &["OIDC", "web identity", "federat", "workload identity"],
        &[SubMismatch, AudMismatch, IssMismatch, ProviderMissing, JwksUnreachable, PropagationDelay],
    )
    .with(&[&["fail", "denied", "error", "reject", "unauthorized", "not authorized", "403", "401"]]),
    Rule::descriptive(
        Stage::Trust,
        &["Test Connection", "handshake error", "handshake fails"],
        &[SubMismatch, PrincipalArnWrong, AudMismatch, JwksUnreachable, ProviderMissing, IssMismatch, ImmutableSub],
    ),
    Rule::descriptive(
        Stage::Trust,
        &["assume role", "AssumeRole", "assume the role"],
        &[AssumeRoleDenied, SubMismatch, ExternalId, RoleMissing],
    )
    .with(&[&["fail", "denied", "error", "unable", "cannot"]])
    .of(Aws),
    Rule::descriptive(Stage::Token, &["token"], &[TokenExpired, ClockSkew, Cached]).with(&[&["expired", "expires"]]),
    Rule::descriptive(Stage::Token, &["token"], &[EnvNotSet, IdTokenPermissionMissing]).with(&[&[
        "empty",
        "missing",
        "not found",
        "undefined",
        "not set",
    ]]),
    Rule::descriptive(Stage::Token, &["clock", "time skew", "NTP", "timezone"], &[ClockSkew])
        .with(&[&["skew", "drift", "wrong", "off", "behind", "ahead", "sync"]]),
    Rule::descriptive(Stage::Token, &["signature"], &[SignatureInvalid, StaticKeyWrong, ClockSkew]).with(&[&[
        "invalid",
        "mismatch",
        "fail",
        "not match",
        "error",
    ]]),
    Rule::descriptive(
        Stage::Access,
        &["projects/", "googleapis", "gcloud", "GCP"],
        &[PrincipalsetMismatch, SecretIamMissing, AttributeMappingMissing, AttributeCondition],
    )
    .with(&[DENIED])
    .of(Gcp),
    Rule::descriptive(Stage::Network, &["proxy"], &[Proxy]).with(&[&[
        "fail",
        "error",
        "refused",
        "timeout",
        "timed out",
        "blocked",
        "denied",
    ]]),
    Rule::descriptive(Stage::Network, &["certificate", "TLS", "SSL"], &[TlsUntrusted, TlsExpired, TlsName, Proxy])
        .with(&[&["fail", "error", "invalid", "expired", "untrusted", "verify"]]),
    // A status code and nothing else. Secrets Manager answers 400 to what it denies, so 403 is rather a vault's or Google's.
    Rule::descriptive(
        Stage::Access,
        &["403|", "forbidden", "access denied", "permission denied"],
        &[RbacMissing, MissingGet, MissingList, AccessPolicyModel, SecretIamMissing, Firewall, SubMismatch],
    ),
    Rule::descriptive(
        Stage::Access,
        &["AccessDenied"],
        &[MissingGet, SubMismatch, AssumeRoleDenied, MissingList, MissingKms],
    ),
    Rule::descriptive(
        Stage::Trust,
        &["401|", "unauthorized"],
        &[TokenExpired, WrongVaultAudience, TenantWrong, DeploymentTokenWrong],
    ),
    Rule::descriptive(
        Stage::Trust,
        &["InvalidIdentityToken"],
        &[ProviderMissing, AudNotRegistered, JwksUnreachable, JwksKidMissing, MalformedToken, Thumbprint],
    )
    .of(Aws),
    Rule::descriptive(Stage::Secret, &["ResourceNotFoundException"], &[SecretWrongRegion, SecretNotFound, SecretEmpty])
        .of(Aws),
];
