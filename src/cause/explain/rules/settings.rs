//! What CI systems, SDKs, tools, operators and people say when a setting, a file or a permission to mint a token is missing.

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
/// How runtimes say that a file is there and may not be read.
const UNREADABLE: &[&str] = &[
    "permission denied",
    "EACCES",
    "Errno 13",
    "os error 13",
    "java.nio.file.AccessDeniedException",
    "UnauthorizedAccessException",
    "Operation not permitted",
    "EPERM",
];
const NOT_FOUND: &[&str] = &["not found", "can't find", "cannot find", "404", "does not exist"];
const CREDENTIALS_FAIL: &[&str] = &["authenticat", "credential", "token", "denied", "unauthorized", "fails"];

/// How texts name the file or folder that a token lies in.
const TOKEN_FILE: &[&str] = &[
    "/var/run/secrets/",
    "azure-identity-token",
    "serviceaccount/token",
    "token file",
    "token_file",
    "TokenFile",
    "token-file",
    "WebIdentityErr",
    "web identity token",
    "/token'",
    "token.jwt",
];

rules! {
    // The job may not ask for a token.
    _ Setting Conclusive says ["Unable to get ACTIONS_ID_TOKEN_REQUEST", "ACTIONS_ID_TOKEN_REQUEST_URL env variable",
        "did not inject $ACTIONS_ID_TOKEN_REQUEST", "ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set",
        "ACTIONS_ID_TOKEN_REQUEST_URL is not set", "ACTIONS_ID_TOKEN_REQUEST_TOKEN environment variable",
        "ACTIONS_ID_TOKEN_REQUEST_URL environment variable", "ACTIONS_ID_TOKEN_REQUEST_URL not set",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN not set", "give write permissions to id-token",
        "Did you mean to set the `id-token` permission", "Did you mean to set the id-token permission",
        "missing the id-token permission", "requires the `id-token: write`", "'id-token: write' permission",
        "id-token: none"] => [IdTokenPermissionMissing];
    _ Setting Leading says ["ACTIONS_ID_TOKEN_REQUEST", "id-token: write", "id-token permission"] with [["missing",
        "not set", "not found", "undefined", "empty", "could not", "unable", "failed", "required", "error"]]
        without ["Unable to get ACTIONS_ID_TOKEN_REQUEST", "is not set", "did not inject",
        "give write permissions to id-token"] => [IdTokenPermissionMissing, EnvNotSet];
    _ Setting Leading says ["Could not fetch an OIDC token", "Failed to get ID token", "OIDC token cannot be found",
        "unable to obtain OIDC token", "could not obtain OIDC token", "Error getting ID token"]
        without ["Unable to get ACTIONS_ID_TOKEN_REQUEST"] => [IdTokenPermissionMissing, EnvNotSet];
    _ Setting Leading says ["CIRCLE_OIDC_TOKEN", "CI_JOB_JWT", "BITBUCKET_STEP_OIDC_TOKEN",
        "TFC_WORKLOAD_IDENTITY_TOKEN", "BUILDKITE_OIDC_TOKEN"] with [["empty", "not set", "unset", "not found",
        "missing", "undefined", "unbound variable", "is required", "no longer", "removed", "expected one argument",
        "cannot be found"]] => [IdTokenPermissionMissing, EnvNotSet];
    _ Setting Leading says ["id_tokens"] with [["missing", "invalid", "empty", "not set", "aud"]]
        => [IdTokenPermissionMissing];
    _ Setting Conclusive says ["is requesting 'id", "is requesting \"id"] with [["is only allowed 'id", "is only allowed \"id"]]
        => [IdTokenPermissionMissing];
    // What a platform's own way of handing the token over has lost.
    _ Setting Conclusive says ["x-vercel-oidc-token"] with [["missing", "not found", "undefined", "not set"]]
        => [EnvNotSet, IdTokenPermissionMissing];
    _ Setting Conclusive says ["serviceaccounts/token"] with [["forbidden", "cannot create resource"]]
        => [IdTokenPermissionMissing];
    // Since Kubernetes 1.33 a node asks for the audiences alone that its pods or a role of its own name (KEP-4412).
    _ Setting Conclusive says ["not found in pod spec volume", "not authorized to request tokens for this audience"]
        => [IdTokenPermissionMissing];
    // The token is empty: found out before any cloud was asked.
    Aws Setting Leading says ["Invalid length for parameter WebIdentityToken",
        "argument --web-identity-token: expected one argument",
        "Missing required parameter in input: \"WebIdentityToken\"",
        "'webIdentityToken' failed to satisfy constraint", "Invalid type for parameter WebIdentityToken",
        "WebIdentityToken must not be"] without ["less than or equal to 20000"]
        => [EnvNotSet, IdTokenPermissionMissing];
    Aws Token Leading says ["'webIdentityToken' failed to satisfy constraint"] with [["less than or equal to 20000"]]
        => [WrongTokenKind, MalformedToken];
    // A variable or file that names the identity.
    Azure Setting Conclusive says ["AZURE_CLIENT_ID environment variable is not set",
        "AZURE_TENANT_ID environment variable is not set", "AZURE_FEDERATED_TOKEN_FILE environment variable",
        "AZURE_FEDERATED_TOKEN_FILE is not set", "no client ID specified. Check pod configuration",
        "no tenant ID specified. Check pod configuration", "no token file specified. Check pod configuration",
        "no client ID specified", "no token file specified", "missing environment variable AZURE_",
        "missing environment variables AZURE_", "Ensure 'client-id' and 'tenant-id' are supplied",
        "Ensure 'subscription-id' is supplied", "Not all values are present. Ensure",
        "Not all parameters are provided in 'creds'", "AZURE_CLIENT_ID not set", "AZURE_TENANT_ID not set"]
        => [EnvNotSet];
    Aws Setting Conclusive says ["failed fetching WebIdentity token", "Web identity token file does not exist",
        "'WebIdentityTokenFilePath' environment variable is empty", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
        "An IAM role must be associated with service account", "failed to retrieve jwt from provide source",
        "web identity token file"] with [["no such file", "not set", "does not exist", "is empty",
        "must be associated", "missing", "not found", "unable to read", "unable to locate", "failed fetching", "must be set",
        "is required"]] without UNREADABLE => [EnvNotSet];
    _ Setting Conclusive says TOKEN_FILE with [["no such file or directory", "FileNotFoundException",
        "NoSuchFileException", "No such file", "ENOENT", "Errno 2|", "does not exist", "unable to read",
        "os error 2|", "could not read", "was not found", "failed to open", "kind: NotFound"]] without UNREADABLE
        => [EnvNotSet];
    Gcp Setting Conclusive says ["GOOGLE_APPLICATION_CREDENTIALS", "google-auth-library", "credential file", "google/auth/"]
        with [["no such file or directory", "ENOENT", "was not found", "failed to open", "kind: NotFound",
        "points to a valid file", "does not exist"]] without UNREADABLE => [EnvNotSet];
    _ Setting Conclusive says TOKEN_FILE with [UNREADABLE] without ["secretsmanager:", "serviceaccounts/token", "status code:"]
        => [TokenFileUnreadable];
    // The library's part for STS, which is loaded by name where it is there.
    Aws Setting Conclusive says ["'sts' service module must be on the class path",
        "aws-java-sdk-sts module must be on the class path", "Assembly AWSSDK.SecurityToken could not be",
        "'@aws-sdk/client-sts'", "awssdk.services.sts", "awssdk/services/sts", "amazonaws.services.securitytoken",
        "amazonaws/services/securitytoken"] with [["must be on the class path", "could not be found",
        "Cannot find module", "Cannot find package", "ClassNotFoundException", "NoClassDefFoundError", "could not be loaded"]]
        => [SdkStsModuleMissing];
    _ Setting Conclusive says ["Input required and not supplied: aws-region",
        "Input required and not supplied: role-to-assume", "Input required and not supplied: client-id",
        "Input required and not supplied: tenant-id", "must specify exactly one of \"workload_identity_provider\"",
        "must specify exactly one of 'workload_identity_provider'", "Missing region in config",
        "You must specify a region", "could not find region configuration",
        "Unable to find a region via the region provider chain", "Region is missing", "region must be a string",
        "config profile", "failed to get shared config profile"]
        with [["not supplied", "missing", "must specify", "could not", "unable", "failed", "must be"]] => [EnvNotSet];
    Aws Setting Leading
        says ["Invalid AWS Region", "is not a valid region", "does not match the allowed region pattern"]
        => [EnvNotSet, SecretWrongRegion, WrongPartition];
    Aws Setting Leading says ["Partial credentials found"] => [EnvNotSet, EnvConflict];
    _ Setting Conclusive says ["Multiple credential sources detected", "do not match the expected access key",
        "does not match the expected access key", "credentials loaded by the SDK do not match",
        "will take precedence over", "takes precedence over", "overrides the web identity"] => [EnvConflict];
    // The action that configures AWS credentials, where neither a key nor an OIDC token came.
    Aws Setting Secondary says ["Could not load credentials from any providers", "Credentials could not be loaded"]
        => [IdTokenPermissionMissing, EnvNotSet, EnvConflict];
    // No provider of credentials had any: the consequence of something above, or of nothing set at all.
    Aws Setting Secondary says ["Unable to locate credentials", "NoCredentialProviders",
        "no valid providers in chain", "Unable to load AWS credentials from any provider",
        "Unable to load credentials from any of the providers", "CredentialsProviderError",
        "no providers in chain provided credentials", "credential provider was not enabled",
        "No valid credential sources", "failed to refresh cached credentials", "no EC2 IMDS role found",
        "EC2MetadataError", "Failed to load credentials from IMDS", "169.254.169.254", "169.254.170.2",
        "Unable to get IAM security credentials", "Failed to resolve AWS credentials",
        "Error retrieving credentials from the instance profile", "NoCredentialsError", "could not find credentials",
        "Couldn't find AWS credentials", "could not find AWS credentials",
        "no identity-based credentials", "failed to retrieve credentials", "Missing credentials in config",
        "Error loading SSO Token", "No AWS Credentials provided by",
        "could not determine how to establish security credentials"]
        => [EnvNotSet, IdTokenPermissionMissing, EnvConflict];
    Azure Setting Secondary says ["DefaultAzureCredential failed to retrieve a token",
        "DefaultAzureCredential: failed to acquire a token", "ChainedTokenCredential",
        "Environment variables are not fully configured", "workload options are not fully configured",
        "EnvironmentCredential authentication unavailable", "WorkloadIdentityCredential authentication unavailable",
        "ManagedIdentityCredential authentication unavailable", "no response from the IMDS endpoint",
        "nmi response failed", "failed to find assigned identit", "MSINotEnabled", "Please run 'az login'",
        "Identity not found", "Building OIDC Authorizer", "could not configure AzureCli Authorizer",
        "unable to build authorizer for Resource Manager API"] => [EnvNotSet, IdTokenPermissionMissing, EnvConflict];
    Gcp Setting Secondary says ["could not find default credentials", "Could not automatically determine credentials",
        "Could not load the default credentials", "Your default credentials were not found",
        "DefaultCredentialsError"] => [EnvNotSet, IdTokenPermissionMissing];
    Gcp Setting Leading says ["Unable to retrieve Identity Pool subject token",
        "invalid response when retrieving subject token", "failed to get subject token"]
        => [IdTokenPermissionMissing, EnvNotSet, Transient];
    // The agent platform.
    _ Setting Conclusive says ["no credential found"] => [CredentialNotDefault];
    Azure Setting Conclusive
        says ["azure_vault_url is required", "vault_url is required", "Key Vault URL is required"]
        => [VaultUrlMissing];
    _ Setting Leading says ["env var is not set", "environment variable is not set", "environment variable not set",
        "environment variable is empty", "env variable is not set", "must be set in the environment"]
        without ["ACTIONS_ID_TOKEN_REQUEST", "AZURE_CLIENT_ID environment variable"] => [EnvNotSet];

    _ Secret Conclusive says ["JSON key not found", "json key", "JSON field"]
        with [["not found", "missing", "does not exist", "no such"]] => [JsonKeyMissing];
    _ Secret Leading says ["does not exist in secret", "Could not find property", "cannot find property",
        "Failed to fetch jmesPath", "Invalid JMES Path", "JMESPath",
        "property not found in secret", "cannot get property", "key not found in secret",
        "unable to unmarshal secret", "failed to parse JSON secret", "cannot parse JSON"]
        => [JsonKeyMissing, ValueVariant];
    _ Secret Ambiguous says ["secret not found", "Secret does not exist", "could not find secret",
        "no secret with name", "no secret named", "secret does not exist"] without ["kubernetes secret", "secrets \"",
        "was not found in this key vault", "can't find the specified secret", "secretmanager.",
        "Deleted Secret not found", "not found error"]
        => [SecretNotFound, SecretWrongRegion, WrongAccount, SecretSoftDeleted];
    _ Access Secondary says ["could not get secret data from provider", "SecretSyncedError",
        "error processing spec.data", "failed to mount secrets store objects", "UpdateFailed",
        "unable to pull secrets or registry auth", "InvalidProviderConfig", "unable to validate store",
        "unable to create session", "FailedMount"]
        => [MissingGet, RbacMissing, SecretNotFound, EnvNotSet, SubMismatch];
    // Rotation.
    _ Runtime Leading says ["rotated value", "old value", "previous value", "stale value", "stale secret",
        "not picked up", "isn't picked up", "still the old", "secret not updated", "not refreshed"]
        => [StaticBaked, ReadAtImport, Cached, ForeignValue];
    _ Runtime Leading says ["trailing newline", "invalid header value", "Invalid character in header content",
        "failed to parse header value", "invalid HTTP header value", "illegal newline", "net/http: invalid header field value"]
        => [ValueVariant, ReadAtImport, EnvConflict, StaticKeyWrong];
    // The deployment's own answers.
    _ Runtime Leading says ["kickoff"] with [["401", "Unauthorized", "invalid token"]] => [DeploymentTokenWrong];
    _ Runtime Leading says ["kickoff"] with [["422", "missing inputs", "Missing required inputs", "Unprocessable"]]
        => [DeploymentInputsMissing];
    _ Runtime Leading says ["kickoff"]
        with [["connection refused", "timed out", "502", "503", "no such host", "unreachable", "404"]]
        => [DeploymentUnreachable];

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
