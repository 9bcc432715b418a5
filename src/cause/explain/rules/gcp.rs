//! What Google's STS, IAM credentials and Secret Manager say.
//!
//! Sources: <https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation>,
//! <https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token>.

use crate::cause::Cause::*;
use crate::cause::explain::rule::rules;

rules! {
    Gcp Trust Conclusive says ["invalid_target", "target service indicated by the \"audience\" parameters is invalid"]
        => [WrongProviderName, ProviderDisabled];
    Gcp Trust Conclusive says ["must be of type STRING"] with [["mapped attribute"]] => [MappingTypeWrong];
    Gcp Trust Leading
        says ["Invalid value for \"audience\"", "should be the full resource name of the Identity Provider"]
        => [WrongProviderName, WrongUniverseAudience];
    Gcp Trust Conclusive says ["universe domain"]
        with [["audience", "does not match", "universe_domain", "not found"]] => [WrongUniverseAudience];
    Gcp Trust Leading
        says ["rejected by the attribute condition", "Attribute condition rejected token", "attribute condition must"]
        => [AttributeCondition, SubCaseMismatch, AttributeMappingMissing];
    Gcp Trust Leading says ["attribute mapping", "mapped attribute", "no such key"]
        with [["google.subject", "assertion.", "workload identity", "workloadIdentityPools", "CEL"]]
        without ["exceeds the 127", "rejected by the attribute condition", "must be of type STRING"]
        => [AttributeMappingMissing, AttributeCondition];
    Gcp Trust Conclusive says ["mapped attribute google.subject exceeds", "exceeds the 127 bytes limit", "127 bytes"]
        => [SubjectTooLong];
    Gcp Issuer Leading says ["Error connecting to the given credential's issuer", "Failed to fetch JWKS from issuer",
        "Error fetching the OIDC discovery"] => [JwksUnreachable, JwksInvalid, DiscoveryInvalid, IssuerNotConfigured];
    Gcp Issuer Leading says ["Input JWK is not in a valid json format", "JWK is not in a valid"] => [JwksInvalid];
    Gcp Token Conclusive says ["Unable to parse the ID Token"] => [MalformedToken];
    Gcp Token Conclusive says ["Unable to verify the ID Token signature"] => [SignatureInvalid];
    Gcp Trust Conclusive says ["Could not obtain a value for google.subject"] => [AttributeMappingMissing];
    Gcp Trust Conclusive says ["issuer in ID Token"] with [["does not match"]] => [IssMismatch];
    Gcp Trust Conclusive says ["not found in the configured identity providers"] => [IssMismatch];
    Gcp Trust Conclusive says ["audience in ID Token"] with [["does not match"]] => [AudMismatch];
    Gcp Token Leading says ["is stale to sign-in"] => [TokenExpired, ClockSkew];
    Gcp Token Leading
        says ["Token is not yet valid", "Invalid JWT: Token must be a short-lived token", "reasonable timeframe"]
        => [ClockSkew, TokenExpired];
    Gcp Token Leading says ["Invalid JWT Signature"] => [SignatureInvalid, StaticKeyWrong];
    Gcp Token Leading says ["access token lifetime cannot exceed"] => [ClockSkew, SessionDuration];
    Gcp Issuer Leading
        says ["Unable to find the key", "No matching key found", "no key found for the key id", "not signed by a key"]
        with [["credential", "ID Token", "jwk", "kid"]] => [JwksKidMissing, SignatureInvalid];
    Gcp Trust Leading says ["invalid_grant"] without ["AADSTS", "Invalid JWT Signature", "does not match",
        "Unable to parse the ID Token", "Unable to verify the ID Token", "Error connecting to the given", "stale to sign-in", "not found in the configured", "short-lived token", "account not found", "Robot is disabled",
        "reasonable timeframe", "rejected by the attribute condition"] => [TokenExpired, SignatureInvalid, IssMismatch, AudMismatch, JwksUnreachable];
    // What an organization forbids to be set up, and names that are taken: by what was deleted, for thirty days.
    Gcp Trust Conclusive says ["Org Policy violated for value", "constraints/iam.workloadIdentityPoolProviders",
        "constraints/iam.workloadIdentityPoolAwsAccounts"] => [Scp];
    Gcp Trust Leading says ["Requested entity already exists"]
        with [["workload-identity-pools", "workloadIdentityPool"]] => [ProviderDisabled];
    Gcp Access Conclusive says ["Unknown service account", "Gaia id not found for email",
        "Invalid grant: account not found", "Robot is disabled"] => [ServiceAccountMissing];
    // Neither a role nor a binding widens what a token was made for.
    Gcp Setting Conclusive says ["insufficient authentication scopes", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"]
        => [WrongScope];
    // Admission passed; the service account or the resource refuses.
    Gcp Access Ambiguous says ["iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken",
        "iam.serviceAccounts.implicitDelegation", "iamcredentials.googleapis.com"]
        with [["denied", "PERMISSION_DENIED", "403", "does not have permission"]]
        without ["has not been used in project", "SERVICE_DISABLED"]
        => [PrincipalsetMismatch, AttributeMappingMissing, ServiceAccountMissing, SecretIamMissing, PropagationDelay,
            SubCaseMismatch];
    Gcp Access Ambiguous says ["The caller does not have permission", "Failed to generate OAuth 2.0 Access Token",
        "Unable to acquire impersonated credentials", "failed to impersonate"]
        without ["secretmanager.", "lifetime cannot exceed", "has not been used in project", "getAccessToken"]
        => [AttributeMappingMissing, PrincipalsetMismatch, SecretIamMissing, PropagationDelay];
    Gcp Access Ambiguous
        says ["PERMISSION_DENIED", "PermissionDenied", "permission denied", "Permission '", "Permission \""]
        with [["secretmanager.", "Secret Manager API", "secretmanager"]]
        without ["has not been used in project", "SERVICE_DISABLED", "secretmanager.secrets.list", "authentication scopes",
            "SCOPE_INSUFFICIENT"]
        => [SecretIamMissing, SecretNotFound, PropagationDelay, PrincipalsetMismatch];
    Gcp Access Leading says ["secretmanager.secrets.list"] => [MissingList, SecretIamMissing, PropagationDelay];
    // TensorStore and others put Google's words before what S3 answers.
    Gcp Access Ambiguous says ["PERMISSION_DENIED", "IAM_PERMISSION_DENIED"] without ["PERMISSION_DENIED: AccessDenied",
        "x-amzn-requestid", "x-amz-request-id", "secretmanager",
        "getAccessToken", "has not been used in project", "SERVICE_DISABLED", "The caller does not have permission",
        "authentication scopes", "SCOPE_INSUFFICIENT"]
        => [PrincipalsetMismatch, AttributeMappingMissing, SecretIamMissing, PropagationDelay];
    Gcp Access Leading says ["Request had invalid authentication credentials", "CREDENTIALS_MISSING",
        "ACCESS_TOKEN_TYPE_UNSUPPORTED"] => [FederatedTokenUnsupported, TokenExpired, EnvNotSet];
    Gcp Access Conclusive says ["has not been used in project", "SERVICE_DISABLED",
        "it is disabled. Enable it by visiting", "accessNotConfigured"] => [ApiDisabled];
    // A credential file of a kind that this library, or this setting, does not read.
    Gcp Setting Conclusive says ["external_account", "external account"] with [["not recognized", "Expecting '",
        "(expected \"", "unknown credential type", "unsupported credential", "unknown variant",
        "is not supported", "not supported", "does not have a valid type", "Unsupported Subject Token Source",
        "unsupported subject token", "invalid type", "unsupported unidentified file type"]] => [CredentialFileKind, EnvNotSet];
    Gcp Setting Leading says ["private_key", "client_email", "token_uri"] with [["missing field", "Missing keys",
        "not in the expected format", "does not contain a", "is missing", "required field", "missing required",
        "No such key", "KeyError"]] => [CredentialFileKind, EnvNotSet];
    Gcp Setting Leading says ["unknown credential type", "unsupported unidentified file type",
        "'type' field is", "is not a valid service account", "Unsupported ApplicationDefaultCredentials"]
        with [["credential", "service_account", "google", "gcp"]] without ["external_account"]
        => [CredentialFileKind, EnvNotSet];
    // The key that the secret is encrypted with.
    Gcp Secret Conclusive says ["cryptoKeyVersions/"] with [["is not enabled", "DESTROY_SCHEDULED", "is DISABLED", "DESTROYED"]]
        => [KmsKeyState];
    Gcp Secret Conclusive says ["is in DISABLED state", "is in DESTROYED state", "is in DISABLED", "is in DESTROYED"]
        => [SecretVersionState];
    Gcp Secret Leading says ["FAILED_PRECONDITION", "FailedPrecondition"] with [["secret"]] without ["is in D"]
        => [SecretVersionState];
    Gcp Secret Leading says ["NOT_FOUND", "code = NotFound", "404"]
        with [["secretmanager", "Secret [projects/", "Secret Version [projects/"]]
        => [SecretNotFound, SecretVersionState, ResourceNameMalformed];
    Gcp Secret Conclusive says ["is not in a valid format"] with [["Resource ID", "projects/", "resource name"]]
        => [ResourceNameMalformed];
    Gcp Secret Leading says ["INVALID_ARGUMENT", "InvalidArgument"] with [["secretmanager", "projects/"]]
        without ["valid format"] => [ResourceNameMalformed];
    Gcp Trust Conclusive says ["quota_exceeded", "RESOURCE_EXHAUSTED"] => [Throttled];
    Gcp Trust Secondary says ["failed to generate Google Cloud federated token", "failed to exchange token, body",
        "failed to exchange sts token", "oauth2/google: status code"]
        => [WrongProviderName, AttributeCondition, AudMismatch, IssMismatch, JwksUnreachable];
}
