//! What Azure Key Vault says.
//!
//! Sources: <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>,
//! <https://learn.microsoft.com/azure/key-vault/general/rbac-guide>.

use crate::cause::Cause::*;
use crate::cause::explain::rule::{Rule, Stage};
use crate::domain::ids::Cloud::Azure;

/// Ways a text names a denial.
const DENIED: &[&str] =
    &["403", "Forbidden", "access denied", "AccessDenied", "not authorized", "unauthorized", "does not have"];

pub(super) const RULES: &[Rule] = &[
    // The request never reaches the vault's authorization.
    Rule::leading(Stage::Network, &["challenge resource"], &[VaultChallengeMismatch, WrongCloud, Proxy])
        .with(&[&[
            "does not match the requested domain",
            "doesn't match the requested domain",
            "doesn't match",
            "does not match",
        ]])
        .of(Azure),
    Rule::leading(
        Stage::Network,
        &[
            "vault may not exist or you may need to flush your DNS cache",
            "VaultNotFound",
            "vault not found",
            "NameResolutionFailure for the vault",
        ],
        &[VaultDns, PrivateEndpoint],
    )
    .of(Azure),
    Rule::conclusive(Stage::Network, &["privatelink.vaultcore"], &[TlsName])
        .with(&[&[
            "certificate is valid for",
            "altnames",
            "hostname mismatch",
            "doesn't match",
            "RemoteCertificateNameMismatch",
        ]])
        .of(Azure),
    Rule::conclusive(
        Stage::Access,
        &["ForbiddenByFirewall", "Client address is not authorized and caller is not a trusted service"],
        &[Firewall],
    )
    .of(Azure),
    Rule::conclusive(
        Stage::Access,
        &["ForbiddenByConnection", "Public network access is disabled", "not an approved private link"],
        &[PrivateEndpoint],
    )
    .of(Azure),
    // The token is not one for this vault.
    Rule::conclusive(Stage::Token, &["AKV10022", "Invalid audience. Expected https://vault"], &[WrongVaultAudience])
        .of(Azure),
    Rule::leading(Stage::Token, &["AKV10032", "Invalid issuer. Expected one of"], &[TenantWrong, WrongVaultAudience])
        .of(Azure),
    Rule::leading(
        Stage::Token,
        &["AKV10000", "Request is missing a Bearer or PoP token"],
        &[EnvNotSet, Proxy, VaultChallengeMismatch],
    )
    .of(Azure),
    Rule::leading(
        Stage::Token,
        &["AKV10046", "AKV10047", "AKV10061", "AKV10001"],
        &[WrongVaultAudience, WrongCloud, TenantWrong],
    )
    .of(Azure),
    Rule::leading(Stage::Token, &["AKV10013", "AKV10044", "AKV10042"], &[TokenExpired, ClockSkew]).of(Azure),
    // Rights.
    Rule::ambiguous(
        Stage::Access,
        &["secrets/readMetadata/action"],
        &[MissingList, RbacScopeSingleSecret, RbacWrongRole, RbacMissing, PropagationDelay],
    )
    .with(&[&["Forbidden", "not authorized", "Caller"]])
    .without(&["secrets/getSecret/action"])
    .of(Azure),
    Rule::leading(
        Stage::Access,
        &["vaults/secrets/list", "/list'", "secrets/list|", "secrets list permission"],
        &[RbacScopeSingleSecret, MissingList, RbacMissing],
    )
    .with(&[&["does not have permission to perform action", "Forbidden"]])
    .without(&["does not have secrets list permission", "getSecret"])
    .of(Azure),
    Rule::ambiguous(
        Stage::Access,
        &["ForbiddenByRbac", "Caller is not authorized to perform action on resource", "DeniedWithNoValidRBAC"],
        &[RbacMissing, RbacWrongPrincipal, PropagationDelay, RbacWrongRole, RbacScopeSingleSecret],
    )
    .without(&["secrets/readMetadata/action"])
    .of(Azure),
    Rule::ambiguous(
        Stage::Access,
        &["AccessToKeyVaultDenied"],
        &[RbacMissing, AccessPolicyWrongObject, AccessPolicyModel, Firewall, PrivateEndpoint],
    )
    .of(Azure),
    Rule::ambiguous(
        Stage::Access,
        &["permission on key vault"],
        &[AccessPolicyWrongObject, AccessPolicyModel, RbacWrongPrincipal, AccessPolicyCompound],
    )
    .without(&[
        "does not have secrets get permission",
        "does not have secrets list permission",
        "does not have secrets set permission",
        "does not have secrets delete permission",
    ])
    .of(Azure),
    Rule::conclusive(Stage::Access, &["DeniedWithExplicitDeny", "DenyAssignmentId: '"], &[ExplicitDeny]).of(Azure),
    Rule::ambiguous(
        Stage::Access,
        &[
            "does not have secrets get permission",
            "does not have secrets set permission",
            "does not have secrets delete permission",
        ],
        &[AccessPolicyWrongObject, AccessPolicyModel, RbacWrongPrincipal, AccessPolicyCompound],
    )
    .of(Azure),
    Rule::ambiguous(
        Stage::Access,
        &["does not have secrets list permission"],
        &[MissingList, AccessPolicyWrongObject, AccessPolicyModel],
    )
    .of(Azure),
    Rule::conclusive(
        Stage::Access,
        &["to use on-behalf-of (OBO) flow", "ForbiddenByPolicy", "use on-behalf-of"],
        &[AccessPolicyCompound],
    )
    .of(Azure),
    Rule::leading(Stage::Access, &["legacy access policies", "access policies instead of"], &[AccessPolicyModel])
        .with(&[DENIED])
        .of(Azure),
    Rule::leading(
        Stage::Access,
        &["request was not authorized"],
        &[AccessPolicyModel, RbacMissing, RbacWrongPrincipal],
    )
    .with(&[&["Forbidden"], &["vault"]])
    .of(Azure),
    // The secret.
    Rule::conclusive(Stage::Secret, &["is not allowed on a disabled secret", "SecretDisabled"], &[SecretDisabled])
        .of(Azure),
    Rule::leading(
        Stage::Secret,
        &["was not found in this key vault", "SecretNotFound"],
        &[SecretNotFound, SecretSoftDeleted, VaultUrlMissing],
    )
    .without(&["gcp", "googleapis"])
    .of(Azure),
    Rule::conclusive(
        Stage::Secret,
        &[
            "deleted but recoverable state",
            "ObjectIsDeletedButRecoverable",
            "ObjectIsBeingDeleted",
            "currently being deleted",
        ],
        &[SecretSoftDeleted],
    )
    .of(Azure),
    Rule::leading(Stage::Secret, &["Deleted Secret not found"], &[SecretNotFound, SecretSoftDeleted]).of(Azure),
    Rule::leading(Stage::Secret, &["conflict while creating/updating your secret"], &[SecretSoftDeleted]).of(Azure),
    Rule::conclusive(
        Stage::Secret,
        &[
            "request URI contains an invalid name",
            "'secret_name' must conform to the following pattern",
            "must conform to the following pattern: '^[0-9a-zA-Z-]+$'",
            "'^[0-9a-zA-Z-]+$'",
        ],
        &[SecretNameInvalid],
    )
    .of(Azure),
    Rule::leading(Stage::Secret, &["BadParameter"], &[SecretNameInvalid])
        .with(&[&["secret", "vault"]])
        .without(&["contains an invalid name"])
        .of(Azure),
    // Asked too often.
    Rule::conclusive(
        Stage::Access,
        &["too many requests were received", "429 Too Many Requests", "TooManyRequests", "Error 429", "(429)"],
        &[Throttled],
    )
    .with(&[&["vault"]])
    .of(Azure),
];
