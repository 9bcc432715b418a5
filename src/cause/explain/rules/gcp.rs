//! What Google's STS, IAM credentials and Secret Manager say.
//!
//! Sources: <https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation>,
//! <https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token>.

use crate::cause::Cause::*;
use crate::cause::explain::rule::{Rule, Stage};
use crate::domain::ids::Cloud::Gcp;

pub(super) const RULES: &[Rule] = &[
    Rule::conclusive(
        Stage::Trust,
        &["invalid_target", "target service indicated by the \"audience\" parameters is invalid"],
        &[WrongProviderName],
    )
    .of(Gcp),
    Rule::leading(
        Stage::Trust,
        &["Invalid value for \"audience\"", "should be the full resource name of the Identity Provider"],
        &[WrongProviderName, WrongUniverseAudience],
    )
    .of(Gcp),
    Rule::conclusive(Stage::Trust, &["universe domain"], &[WrongUniverseAudience])
        .with(&[&["audience", "does not match", "universe_domain", "not found"]])
        .of(Gcp),
    Rule::leading(
        Stage::Trust,
        &["rejected by the attribute condition", "Attribute condition rejected token", "attribute condition must"],
        &[AttributeCondition, SubCaseMismatch, AttributeMappingMissing],
    )
    .of(Gcp),
    Rule::leading(
        Stage::Trust,
        &["attribute mapping", "mapped attribute", "no such key"],
        &[AttributeMappingMissing, AttributeCondition],
    )
    .with(&[&["google.subject", "assertion.", "workload identity", "workloadIdentityPools", "CEL"]])
    .without(&["exceeds the 127", "rejected by the attribute condition"])
    .of(Gcp),
    Rule::conclusive(
        Stage::Trust,
        &["mapped attribute google.subject exceeds", "exceeds the 127 bytes limit", "127 bytes"],
        &[SubjectTooLong],
    )
    .of(Gcp),
    Rule::leading(
        Stage::Issuer,
        &[
            "Error connecting to the given credential's issuer",
            "Failed to fetch JWKS from issuer",
            "Error fetching the OIDC discovery",
        ],
        &[JwksUnreachable, JwksInvalid, DiscoveryInvalid, IssuerNotConfigured],
    )
    .of(Gcp),
    Rule::leading(Stage::Issuer, &["Input JWK is not in a valid json format", "JWK is not in a valid"], &[JwksInvalid])
        .of(Gcp),
    Rule::conclusive(Stage::Trust, &["issuer in ID Token"], &[IssMismatch]).with(&[&["does not match"]]).of(Gcp),
    Rule::conclusive(Stage::Trust, &["not found in the configured identity providers"], &[IssMismatch]).of(Gcp),
    Rule::conclusive(Stage::Trust, &["audience in ID Token"], &[AudMismatch]).with(&[&["does not match"]]).of(Gcp),
    Rule::leading(Stage::Token, &["is stale to sign-in"], &[TokenExpired, ClockSkew]).of(Gcp),
    Rule::leading(
        Stage::Token,
        &["Token is not yet valid", "Invalid JWT: Token must be a short-lived token", "reasonable timeframe"],
        &[ClockSkew, TokenExpired],
    )
    .of(Gcp),
    Rule::leading(Stage::Token, &["Invalid JWT Signature"], &[SignatureInvalid, StaticKeyWrong]).of(Gcp),
    Rule::leading(Stage::Token, &["access token lifetime cannot exceed"], &[ClockSkew, SessionDuration]).of(Gcp),
    Rule::leading(
        Stage::Issuer,
        &["Unable to find the key", "No matching key found", "no key found for the key id", "not signed by a key"],
        &[JwksKidMissing, SignatureInvalid],
    )
    .with(&[&["credential", "ID Token", "jwk", "kid"]])
    .of(Gcp),
    Rule::leading(
        Stage::Trust,
        &["invalid_grant"],
        &[TokenExpired, SignatureInvalid, IssMismatch, AudMismatch, JwksUnreachable],
    )
    .without(&[
        "AADSTS",
        "Invalid JWT Signature",
        "does not match",
        "Error connecting to the given",
        "stale to sign-in",
        "not found in the configured",
        "short-lived token",
        "reasonable timeframe",
    ])
    .of(Gcp),
    // Admission passed; the service account or the resource refuses.
    Rule::ambiguous(
        Stage::Access,
        &[
            "iam.serviceAccounts.getAccessToken",
            "iam.serviceAccounts.getOpenIdToken",
            "iam.serviceAccounts.implicitDelegation",
            "iamcredentials.googleapis.com",
        ],
        &[PrincipalsetMismatch, AttributeMappingMissing, SecretIamMissing, PropagationDelay, SubCaseMismatch],
    )
    .with(&[&["denied", "PERMISSION_DENIED", "403", "does not have permission"]])
    .without(&["has not been used in project", "SERVICE_DISABLED"])
    .of(Gcp),
    Rule::ambiguous(
        Stage::Access,
        &[
            "The caller does not have permission",
            "Failed to generate OAuth 2.0 Access Token",
            "Unable to acquire impersonated credentials",
            "failed to impersonate",
        ],
        &[AttributeMappingMissing, PrincipalsetMismatch, SecretIamMissing, PropagationDelay],
    )
    .without(&["secretmanager.", "lifetime cannot exceed", "has not been used in project", "getAccessToken"])
    .of(Gcp),
    Rule::ambiguous(
        Stage::Access,
        &["PERMISSION_DENIED", "PermissionDenied", "permission denied", "Permission '", "Permission \""],
        &[SecretIamMissing, SecretNotFound, PropagationDelay, PrincipalsetMismatch],
    )
    .with(&[&["secretmanager.", "Secret Manager API", "secretmanager"]])
    .without(&["has not been used in project", "SERVICE_DISABLED", "secretmanager.secrets.list"])
    .of(Gcp),
    Rule::leading(Stage::Access, &["secretmanager.secrets.list"], &[MissingList, SecretIamMissing, PropagationDelay])
        .of(Gcp),
    Rule::ambiguous(
        Stage::Access,
        &["PERMISSION_DENIED", "IAM_PERMISSION_DENIED"],
        &[PrincipalsetMismatch, AttributeMappingMissing, SecretIamMissing, PropagationDelay],
    )
    .without(&[
        "secretmanager",
        "getAccessToken",
        "has not been used in project",
        "SERVICE_DISABLED",
        "The caller does not have permission",
    ])
    .of(Gcp),
    Rule::leading(
        Stage::Access,
        &["Request had invalid authentication credentials", "CREDENTIALS_MISSING", "ACCESS_TOKEN_TYPE_UNSUPPORTED"],
        &[FederatedTokenUnsupported, TokenExpired, EnvNotSet],
    )
    .of(Gcp),
    Rule::conclusive(
        Stage::Access,
        &[
            "has not been used in project",
            "SERVICE_DISABLED",
            "it is disabled. Enable it by visiting",
            "accessNotConfigured",
        ],
        &[ApiDisabled],
    )
    .of(Gcp),
    Rule::conclusive(
        Stage::Secret,
        &["is in DISABLED state", "is in DESTROYED state", "is in DISABLED", "is in DESTROYED"],
        &[SecretVersionState],
    )
    .of(Gcp),
    Rule::leading(Stage::Secret, &["FAILED_PRECONDITION", "FailedPrecondition"], &[SecretVersionState])
        .with(&[&["secret"]])
        .without(&["is in D"])
        .of(Gcp),
    Rule::leading(
        Stage::Secret,
        &["NOT_FOUND", "code = NotFound", "404"],
        &[SecretNotFound, SecretVersionState, ResourceNameMalformed],
    )
    .with(&[&["secretmanager", "Secret [projects/", "Secret Version [projects/"]])
    .of(Gcp),
    Rule::conclusive(Stage::Secret, &["is not in a valid format"], &[ResourceNameMalformed])
        .with(&[&["Resource ID", "projects/", "resource name"]])
        .of(Gcp),
    Rule::leading(Stage::Secret, &["INVALID_ARGUMENT", "InvalidArgument"], &[ResourceNameMalformed])
        .with(&[&["secretmanager", "projects/"]])
        .without(&["valid format"])
        .of(Gcp),
    Rule::conclusive(Stage::Trust, &["quota_exceeded", "RESOURCE_EXHAUSTED"], &[Throttled]).of(Gcp),
    Rule::secondary(
        Stage::Trust,
        &[
            "failed to generate Google Cloud federated token",
            "failed to exchange token, body",
            "failed to exchange sts token",
            "oauth2/google: status code",
        ],
        &[WrongProviderName, AttributeCondition, AudMismatch, IssMismatch, JwksUnreachable],
    )
    .of(Gcp),
];
