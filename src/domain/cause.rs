//! The closed list of causes: what a person must change or wait for, not what the error said.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::ids::{UnknownId, stable_ids};

macro_rules! causes {
    ($($variant:ident => $id:literal,)*) => {
        /// A named cause. The ids are part of the program's stable interface.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, Display, IntoStaticStr, VariantArray,
        )]
        #[strum(const_into_str, parse_err_ty = UnknownId, parse_err_fn = UnknownId::cause)]
        pub enum Cause {
            $(#[doc = concat!("`", $id, "`")] #[strum(serialize = $id)] $variant,)*
        }

        impl Cause {
            /// Its entry of the catalogue, as JSON. A cause without a file does not compile.
            pub const fn source(self) -> &'static str {
                match self {
                    $(Cause::$variant => asset!(concat!("causes/", $id)),)*
                }
            }
        }
    };
}

causes! {
    // Issuer and its keys
    Dns => "dns",
    ConnectRefused => "connect-refused",
    ConnectTimeout => "connect-timeout",
    Proxy => "proxy",
    TlsUntrusted => "tls-untrusted",
    TlsExpired => "tls-expired",
    TlsName => "tls-name",
    Thumbprint => "thumbprint",
    IssuerNotConfigured => "issuer-not-configured",
    DiscoveryInvalid => "discovery-invalid",
    IssuerDiffers => "issuer-differs",
    IssuerRedirect => "issuer-redirect",
    IssuerSlow => "issuer-slow",
    JwksUnreachable => "jwks-unreachable",
    JwksInvalid => "jwks-invalid",
    JwksKidMissing => "jwks-kid-missing",
    IdpThrottled => "idp-throttled",
    IssuerUrlUnfit => "issuer-url-unfit",
    // Token
    EnvNotSet => "env-not-set",
    TokenFileUnreadable => "token-file-unreadable",
    SdkStsModuleMissing => "sdk-sts-module-missing",
    IdTokenPermissionMissing => "id-token-permission-missing",
    TokenNotBare => "token-not-bare",
    WrongTokenKind => "wrong-token-kind",
    MalformedToken => "malformed-token",
    SignatureInvalid => "signature-invalid",
    AlgUnsupported => "alg-unsupported",
    TokenExpired => "token-expired",
    ClockSkew => "clock-skew",
    TokenLifetimeTooLong => "token-lifetime-too-long",
    AudMultiWithoutAzp => "aud-multi-without-azp",
    RolesClaim => "roles-claim",
    TokenTypeUnfit => "token-type-unfit",
    // AWS trust
    ProviderMissing => "provider-missing",
    AudNotRegistered => "aud-not-registered",
    PrincipalArnWrong => "principal-arn-wrong",
    WrongAccount => "wrong-account",
    WrongPartition => "wrong-partition",
    RoleMissing => "role-missing",
    RoleArnMalformed => "role-arn-malformed",
    ActionMissing => "action-missing",
    SubMismatch => "sub-mismatch",
    SubCaseMismatch => "sub-case-mismatch",
    ImmutableSub => "immutable-sub",
    AudMismatch => "aud-mismatch",
    ConditionKeyWrong => "condition-key-wrong",
    OperatorWrong => "operator-wrong",
    ClaimMismatch => "claim-mismatch",
    ExplicitDeny => "explicit-deny",
    Scp => "scp",
    PermissionsBoundary => "permissions-boundary",
    SessionPolicy => "session-policy",
    VpcEndpointPolicy => "vpc-endpoint-policy",
    WrongFlow => "wrong-flow",
    PropagationDelay => "propagation-delay",
    SessionDuration => "session-duration",
    PackedPolicy => "packed-policy",
    TagSessionMissing => "tag-session-missing",
    TrustTooWide => "trust-too-wide",
    TrustNotApplied => "trust-not-applied",
    PolicyDrift => "policy-drift",
    IssuerRetiring => "issuer-retiring",
    TrustDead => "trust-dead",
    SubjectRecyclable => "subject-recyclable",
    PolicyNotJson => "policy-not-json",
    PolicyDuplicateKey => "policy-duplicate-key",
    // AWS static keys and AssumeRole
    StaticKeyWrong => "static-key-wrong",
    SessionExpired => "session-expired",
    SessionTokenMissing => "session-token-missing",
    AssumeRoleDenied => "assume-role-denied",
    ExternalId => "external-id",
    EnvConflict => "env-conflict",
    ClientSettingIgnored => "client-setting-ignored",
    ClientSessionCached => "client-session-cached",
    RegionDisabled => "region-disabled",
    StsUnreachable => "sts-unreachable",
    // AWS secret
    MissingList => "missing-list",
    ListResourceScoped => "list-resource-scoped",
    MissingGet => "missing-get",
    SecretArnSuffix => "secret-arn-suffix",
    VersionstageCondition => "versionstage-condition",
    MissingDescribe => "missing-describe",
    MissingKms => "missing-kms",
    KmsKeyState => "kms-key-state",
    SecretWrongRegion => "secret-wrong-region",
    SecretNotFound => "secret-not-found",
    SecretEmpty => "secret-empty",
    SecretPendingDeletion => "secret-pending-deletion",
    JsonKeyMissing => "json-key-missing",
    // Entra
    IssMismatch => "iss-mismatch",
    FicMissing => "fic-missing",
    FicExpressionInvalid => "fic-expression-invalid",
    FicExpressionIssuer => "fic-expression-issuer",
    FicExpressionRequiredClaim => "fic-expression-required-claim",
    FicShape => "fic-shape",
    TenantWrong => "tenant-wrong",
    WrongCloud => "wrong-cloud",
    ClientWrong => "client-wrong",
    SpMissing => "sp-missing",
    AppMultitenant => "app-multitenant",
    AppDisabled => "app-disabled",
    ClientSecretWrong => "client-secret-wrong",
    ClientSecretExpired => "client-secret-expired",
    ClientCertificateUnknown => "client-certificate-unknown",
    WrongScope => "wrong-scope",
    ConditionalAccess => "conditional-access",
    TenantPolicy => "tenant-policy",
    Transient => "transient",
    Throttled => "throttled",
    // Key Vault
    VaultDns => "vault-dns",
    PrivateEndpoint => "private-endpoint",
    Firewall => "firewall",
    VaultChallengeMismatch => "vault-challenge-mismatch",
    WrongVaultAudience => "wrong-vault-audience",
    RbacMissing => "rbac-missing",
    RbacWrongRole => "rbac-wrong-role",
    RbacWrongPrincipal => "rbac-wrong-principal",
    RbacScopeSingleSecret => "rbac-scope-single-secret",
    AccessPolicyMissing => "access-policy-missing",
    AccessPolicyModel => "access-policy-model",
    AccessPolicyWrongObject => "access-policy-wrong-object",
    AccessPolicyCompound => "access-policy-compound",
    SecretSoftDeleted => "secret-soft-deleted",
    SecretDisabled => "secret-disabled",
    SecretNameInvalid => "secret-name-invalid",
    // GCP (explained from text)
    AttributeCondition => "attribute-condition",
    AttributeMappingMissing => "attribute-mapping-missing",
    PrincipalsetMismatch => "principalset-mismatch",
    WrongProviderName => "wrong-provider-name",
    WrongUniverseAudience => "wrong-universe-audience",
    SubjectTooLong => "subject-too-long",
    MappingTypeWrong => "mapping-type-wrong",
    ProviderDisabled => "provider-disabled",
    ServiceAccountMissing => "service-account-missing",
    FederatedTokenUnsupported => "federated-token-unsupported",
    SecretIamMissing => "secret-iam-missing",
    SecretVersionState => "secret-version-state",
    ResourceNameMalformed => "resource-name-malformed",
    ApiDisabled => "api-disabled",
    CredentialFileKind => "credential-file-kind",
    // Platform and runtime
    CredentialNotDefault => "credential-not-default",
    VaultUrlMissing => "vault-url-missing",
    StaticBaked => "static-baked",
    ReadAtImport => "read-at-import",
    Cached => "cached",
    ValueVariant => "value-variant",
    ForeignValue => "foreign-value",
    DeploymentUnreachable => "deployment-unreachable",
    DeploymentTokenWrong => "deployment-token-wrong",
    DeploymentInputsMissing => "deployment-inputs-missing",
}

stable_ids!(Cause);
