//! What AWS STS, IAM, Secrets Manager and KMS say about tokens, providers, roles, keys and secrets.
//!
//! Sources: the STS API model and its errors
//! (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>), the texts of denials
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).

use crate::cause::Cause;
use crate::cause::Cause::*;
use crate::cause::explain::rule::rules;

/// Twelve of the causes behind the bare denial. A Deny statement and a condition on another claim give it too;
/// they are rarer, and `--policy` finds them.
const WEB_IDENTITY_DENIED: &[crate::cause::Cause] = &[
    SubMismatch,
    ImmutableSub,
    AudMismatch,
    PrincipalArnWrong,
    ConditionKeyWrong,
    OperatorWrong,
    SubCaseMismatch,
    WrongAccount,
    WrongFlow,
    PropagationDelay,
    RoleMissing,
    ActionMissing,
];

/// Ways a text names a denial.
const DENIED: &[&str] = &[
    "AccessDenied",
    "access denied",
    "not authorized",
    "permission denied",
    "PermissionDenied",
    "unauthorized",
    "forbidden",
    "403",
    "because no",
];

/// What a refused read can mean.
const READ_DENIED: &[Cause] = &[
    MissingGet,
    SecretArnSuffix,
    VersionstageCondition,
    SecretWrongRegion,
    WrongAccount,
    SecretNotFound,
    PropagationDelay,
    EnvConflict,
];

rules! {
    // One sentence for every way in which a trust policy can fail to allow.
    Aws Trust Ambiguous says ["not authorized to perform sts:AssumeRoleWithWebIdentity",
        "not authorized to perform: sts:AssumeRoleWithWebIdentity",
        "no role trust policy allows the sts:AssumeRoleWithWebIdentity"] => WEB_IDENTITY_DENIED;
    Aws Trust Ambiguous says ["AssumeRoleWithWebIdentity", "assume_role_with_web_identity", "web identity"]
        with [["AccessDenied", "access denied", "not authorized", "unauthorized", "StatusCode: 403",
        "status code: 403"]]
        without ["InvalidIdentityToken", "not authorized to perform", "secretsmanager:", "kms:", "ExpiredToken"]
        => WEB_IDENTITY_DENIED;
    Aws Issuer Leading says ["No OpenIDConnect provider found", "No OpenID Connect provider found",
        "No OIDC provider found in your account"] => [ProviderMissing, WrongAccount, WrongPartition];
    Aws Issuer Conclusive says ["OpenIDConnect Provider not found for arn", "OpenIDConnectProvider"]
        with [["NoSuchEntity", "not found for arn"]] => [ProviderMissing];
    Aws Token Conclusive says ["Incorrect token audience"] => [AudNotRegistered];
    Aws Token Ambiguous says ["web identity token provided could not be validated",
        "web identity token that was passed could not be validated"] => [AudNotRegistered, SignatureInvalid,
        MalformedToken, AlgUnsupported, WrongTokenKind, JwksKidMissing, JwksInvalid];
    Aws Token Leading says ["web identity token that was passed is expired or is not valid"] => [TokenExpired, MalformedToken];
    Aws Token Leading says ["Issuer must be a valid URL"] => [IssuerUrlUnfit, IssMismatch, MalformedToken];
    Aws Token Conclusive says ["more than one audience while authorized party"] => [AudMultiWithoutAzp];
    Aws Token Conclusive says ["Claim is not allowed to be empty"] => [MalformedToken];
    Aws Token Conclusive says ["Missing a required claim"] => [MalformedToken];
    Aws Token Conclusive says ["Invalid timestamp in token claims", "principal_tags passed in claim",
        "transitive_tag_keys passed in claim"] => [MalformedToken];
    Aws Token Leading says ["Unknown error validating third-party token"] => [MalformedToken, Transient];
    Aws Token Leading
        says ["ID Token provided is not a valid JWT", "you may see this error if you sent an Access Token"]
        => [WrongTokenKind, MalformedToken, EnvNotSet];
    Aws Token Leading says ["not a Login With Amazon token"] => [WrongTokenKind, WrongFlow];
    Aws Token Leading says ["IDPRejectedClaim"] => [WrongTokenKind, TokenExpired, WrongFlow];
    Aws Issuer Ambiguous
        says ["retrieve verification key from your identity provider", "retrieve verification key from your IdP"]
        => [JwksKidMissing, JwksUnreachable, IdpThrottled, IssuerSlow, JwksInvalid, IssuerNotConfigured, TlsUntrusted,
        DiscoveryInvalid, IssuerRedirect, IssuerDiffers];
    Aws Issuer Leading says ["IDPCommunicationError", "error communicating with the identity provider",
        "OpenIdIdpCommunicationError"] => [JwksUnreachable, IdpThrottled, IssuerSlow, Transient];
    Aws Issuer Leading says ["Please check .well-known/openid-configuration of provider"]
        => [DiscoveryInvalid, JwksUnreachable, IssuerDiffers, IssuerNotConfigured, TlsUntrusted];
    Aws Issuer Leading says ["HTTPS certificate doesn't match configured thumbprint",
        "certificate does not match configured thumbprint"] => [Thumbprint, TlsUntrusted];
    Aws Token Conclusive says ["Token expired: current date/time", "must be before the expiration date/time",
        "Token too old:"] => [TokenExpired];
    Aws Token Conclusive says ["Token issued in the future", "Token not yet valid"] => [ClockSkew];
    Aws Token Conclusive says ["not present in the roles claim", "roles claim contains no valid role",
        "roles claim is not in a supported format"] => [RolesClaim];
    // The role and the size and length of the session.
    Aws Trust Conclusive says ["exceeds the MaxSessionDuration",
        "hour session limit for roles assumed by role chaining", "'durationSeconds' failed to satisfy"]
        => [SessionDuration];
    Aws Trust Conclusive says ["Request ARN is invalid", "'roleArn' failed to satisfy constraint", "at 'roleArn'",
        "Invalid length for parameter RoleArn", "Invalid RoleArn",
        "Source Account ID is needed if the Role Name is provided", "is an invalid ARN: arn:", "arn: invalid prefix",
        "arn: not enough sections", "not a valid role ARN", "invalid role arn", "Malformed ARN"]
        => [RoleArnMalformed];
    Aws Trust Leading says ["is invalid"] with [["ValidationError"], ["AssumeRole"]]
        without ["Request ARN is invalid", "failed to satisfy constraint", "MaxSessionDuration",
        "token included in the request"] => [RoleArnMalformed, SessionDuration];
    Aws Trust Leading says ["ValidationError", "failed to satisfy constraint"] with [["AssumeRole", "sts:"]]
        without ["Request ARN is invalid", "'roleArn'", "MaxSessionDuration", "durationSeconds", "'webIdentityToken'",
        "is invalid", "MalformedPolicy"] => [RoleArnMalformed, SessionDuration, MalformedToken];
    Aws Trust Conclusive says ["Packed size of", "PackedPolicyTooLarge", "packed policy consumes"] => [PackedPolicy];
    Aws Trust Conclusive says ["not authorized to perform: sts:TagSession",
        "not authorized to perform sts:TagSession", "allows the sts:TagSession"] => [TagSessionMissing];
    Aws Trust Conclusive says ["perform: sts:SetSourceIdentity", "perform sts:SetSourceIdentity"] => [ActionMissing];
    Aws Trust Conclusive says ["cannot be found", "Role not found"]
        with [["NoSuchEntity"], ["role with name", "role"]] => [RoleMissing];
    Aws Trust Leading
        says ["Invalid principal in policy", "Federated principals must be valid", "Invalid federated principal"]
        => [PrincipalArnWrong, ProviderMissing];
    // A document that IAM or Terraform cannot read.
    Aws Trust Conclusive says ["This policy contains invalid Json", "contains an invalid JSON", "not a valid JSON policy",
        "is not valid JSON"] with [["policy"]] => [PolicyNotJson];
    Aws Trust Leading says ["Syntax errors in policy", "Syntax error in policy"]
        => [PolicyNotJson, PolicyDuplicateKey, OperatorWrong, ConditionKeyWrong];
    Aws Trust Leading says ["MalformedPolicyDocument"]
        with [["trust", "AssumeRolePolicy", "CreateRole", "must evaluate", "identity provider"]]
        without ["Invalid principal", "Federated principals must"]
        => [TrustTooWide, PrincipalArnWrong, ConditionKeyWrong];
    Aws Trust Leading says ["MalformedPolicyDocument"] with [["AssumeRole"]]
        without ["AssumeRolePolicy", "CreateRole", "must evaluate"] => [PackedPolicy, OperatorWrong];
    // AssumeRole with keys. STS names the identity policy where that is what lacks; without a reason the fault is
    // rather on the role's side, and a missing or wrong external id is never mentioned.
    Aws Trust Ambiguous
        says ["perform: sts:AssumeRole on resource", "perform: sts:AssumeRole|", "perform sts:AssumeRole|"]
        without ["because no identity-based policy allows the sts:AssumeRole", "explicit deny"] => [ExternalId,
        AssumeRoleDenied, WrongAccount, RoleMissing, WrongFlow, EnvConflict, Scp, ExplicitDeny, PropagationDelay];
    Aws Trust Leading says ["AccessDenied", "access denied", "not authorized"] with [["AssumeRole operation",
        "STS: AssumeRole,", "sts:AssumeRole|", "assume role", "assume-role|", "AssumeRole|"]]
        without ["AssumeRoleWithWebIdentity", "web identity", "not authorized to perform", "explicit deny",
        "secretsmanager:", "GetSecretValue"]
        => [AssumeRoleDenied, ExternalId, WrongAccount, RoleMissing, WrongFlow, Scp];
    Aws Trust Conclusive says ["because no identity-based policy allows the sts:AssumeRole|"] => [AssumeRoleDenied];
    Aws Trust Leading says ["Roles may not be assumed by root accounts"] => [WrongFlow, AssumeRoleDenied];
    Aws Trust Leading says ["EKS does not have permissions to assume the associated role"]
        => [ActionMissing, TagSessionMissing, WrongFlow, RoleMissing];
    // A Deny that says so.
    Aws Access Conclusive says ["explicit deny in a service control policy",
        "explicit deny in a resource control policy", "because no service control policy allows",
        "because no resource control policy allows", "denied by a service control policy",
        "denied by an organization policy"] => [Scp];
    Aws Access Conclusive says ["explicit deny in an identity-based policy",
        "explicit deny in a identity-based policy", "explicit deny in a resource-based policy",
        "explicit deny in a session policy", "explicit deny in a permissions boundary",
        "explicit deny in a VPC endpoint policy", "explicit deny in the role trust policy"] => [ExplicitDeny];
    Aws Access Leading says ["with an explicit deny", "explicit deny"]
        with [["not authorized", "AccessDenied", "access denied", "Unauthorized"]]
        without ["explicit deny in a", "explicit deny in the"] => [ExplicitDeny, Scp];
    // An implicit denial that names the kind of policy that does not allow.
    Aws Access Conclusive says ["because no permissions boundary allows"] => [PermissionsBoundary];
    Aws Access Conclusive says ["because no VPC endpoint policy allows"] => [VpcEndpointPolicy];
    Aws Access Conclusive says ["because no session policy allows"] => [SessionPolicy];
    // Keys and sessions.
    Aws Trust Conclusive says ["STS is not activated in this region", "RegionDisabledException", "RegionDisabled|"]
        => [RegionDisabled];
    Aws Trust Ambiguous says ["security token included in the request is invalid", "InvalidClientTokenId",
        "UnrecognizedClientException", "Access Key Id you provided does not exist", "InvalidAccessKeyId",
        "not able to validate the provided access credentials", "The AWS Access Key Id needs a subscription"]
        => [StaticKeyWrong, EnvConflict, RegionDisabled, WrongPartition, SessionTokenMissing, PropagationDelay];
    Aws Trust Ambiguous says ["provided token is malformed or otherwise invalid", "InvalidToken:"]
        without ["AADSTS", "jwt"] => [RegionDisabled, EnvConflict, StaticKeyWrong, WrongPartition];
    // The keys of a session, whatever made it; an exchange that is refused for the token's age says so in other words.
    Aws Token Leading says ["security token included in the request is expired", "The provided token has expired",
        "SSO session associated with this profile has expired", "session associated with this profile has expired",
        "TokenRefreshRequired", "session has expired"]
        without ["Token expired", "Token too old", "AADSTS"]
        => [SessionExpired, EnvConflict, ClockSkew];
    Aws Token Leading says ["ExpiredTokenException", "(ExpiredToken)", "ExpiredToken:", "ExpiredToken<",
        "|ExpiredToken|"] with [["WebIdentity", "web identity"]] without ["Token expired", "Token too old",
        "security token included in the request is expired", "The provided token has expired"]
        => [TokenExpired, SessionExpired, ClockSkew];
    Aws Token Leading says ["ExpiredTokenException", "(ExpiredToken)", "ExpiredToken:", "ExpiredToken<",
        "|ExpiredToken|"] without ["WebIdentity", "web identity", "Token expired", "Token too old"]
        => [SessionExpired, TokenExpired, EnvConflict, ClockSkew];
    Aws Trust Ambiguous says ["request signature we calculated does not match"]
        without ["Signature expired", "Signature not yet current", "is now earlier than", "is still later than"]
        => [StaticKeyWrong, ClockSkew, EnvConflict, Proxy];
    // The code without the sentence that blames the key.
    Aws Trust Ambiguous says ["SignatureDoesNotMatch", "InvalidSignatureException"]
        without ["Signature expired", "Signature not yet current", "is now earlier than", "is still later than",
        "request signature we calculated does not match"] => [ClockSkew, StaticKeyWrong, EnvConflict, Proxy];
    Aws Token Conclusive says ["Signature expired:", "Signature not yet current", "Signature is not yet current",
        "RequestTimeTooSkewed", "request time and the current time is too large",
        "request time and the server's time is too large", "RequestExpired", "RequestInTheFuture", "clock is skewed"]
        => [ClockSkew];
    Aws Trust Leading says ["IncompleteSignature", "MissingAuthenticationToken", "Missing Authentication Token"]
        => [EnvNotSet, StaticKeyWrong, Proxy];

    Aws Access Ambiguous says ["secretsmanager:ListSecrets", "secretsmanager:BatchGetSecretValue", "ListSecrets",
        "list_secrets", "BatchGetSecretValue", "list-secrets"] with [DENIED] without ["explicit deny",
        "service control policy", "token included in the request", "SignatureDoesNotMatch",
        "not authorized to perform: secretsmanager:GetSecretValue"]
        => [MissingList, ListResourceScoped, PropagationDelay];
    Aws Access Leading says ["secretsmanager:DescribeSecret"] with [DENIED] without ["explicit deny",
        "service control policy", "no permissions boundary", "no session policy", "no VPC endpoint policy"]
        => [MissingDescribe, SecretArnSuffix, WrongAccount, SecretWrongRegion, PropagationDelay, EnvConflict];
    Aws Access Ambiguous says ["secretsmanager:GetSecretValue", "secretsmanager:ListSecretVersionIds", "GetSecretValue", "get_secret_value", "get-secret-value"] with [DENIED]
        without ["explicit deny", "service control policy", "Access to KMS is not allowed",
        "token included in the request", "SignatureDoesNotMatch", "AssumeRole", "can't find the specified secret",
        "sts:", "kms:", "secretsmanager:ListSecrets", "secretsmanager:BatchGetSecretValue"] => READ_DENIED;
    Aws Access Ambiguous says ["perform: secretsmanager:GetSecretValue", "allows the secretsmanager:GetSecretValue"] without ["explicit deny", "service control policy"]
        => READ_DENIED;
    Aws Access Ambiguous says ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret",
        "secretsmanager:CreateSecret", "secretsmanager:RotateSecret"] with [DENIED] without ["explicit deny"]
        => [MissingGet, SecretArnSuffix, EnvConflict, ExplicitDeny];
    Aws Access Leading
        says ["Failed to fetch secret from all regions", "Verify secret exists and required permissions are granted"]
        without ["not authorized to perform", "can't find the specified secret"]
        => [MissingGet, SecretNotFound, SecretWrongRegion, SecretArnSuffix, VersionstageCondition, MissingKms];
    // KMS behind the secret.
    Aws Access Conclusive says ["Access to KMS is not allowed"] => [MissingKms];
    Aws Access Leading says ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"] with [DENIED]
        without ["explicit deny", "Access to KMS is not allowed"] => [MissingKms, WrongAccount, ExplicitDeny];
    Aws Access Leading says ["ciphertext refers to a customer master key that does not exist",
        "ciphertext refers to a KMS key that does not exist"]
        => [MissingKms, WrongAccount, KmsKeyState, SecretWrongRegion];
    Aws Access Leading says ["default KMS service key", "encrypt the secret with the default KMS"]
        => [MissingKms, WrongAccount];
    Aws Access Conclusive says ["KMSInvalidState", "is pending deletion", "is pending import", "KMS key is disabled",
        "KeyUnavailableException"] without ["secret with this name"] => [KmsKeyState];
    Aws Access Conclusive says ["is disabled"] with [["arn:aws:kms", "AWSKMS", "KMS", "DisabledException"]]
        without ["endpoint"] => [KmsKeyState];
    Aws Access Leading says ["DecryptionFailure", "can't decrypt the protected secret", "EncryptionFailure",
        "can't encrypt the protected secret"] => [KmsKeyState, MissingKms];
    // The secret.
    Aws Secret Conclusive says ["secret value for staging label", "secret value for VersionStage"] => [SecretEmpty];
    Aws Secret Leading says ["secret value for VersionId"] => [SecretEmpty, SecretNotFound];
    Aws Secret Ambiguous says ["can't find the specified secret", "cannot find the specified secret"]
        without ["specified secret value for"] => [SecretWrongRegion, SecretNotFound, WrongAccount, SecretEmpty];
    Aws Secret Conclusive says ["ResourceNotFoundException", "ResourceNotFound", "not found"] with [["GetSecretValue",
        "get_secret_value", "get-secret-value"], ["DescribeSecret works", "describe_secret works",
        "describe-secret works", "describe works", "describe_secret succeeds", "DescribeSecret succeeds",
        "secret exists", "no value", "without a value", "empty secret"]] => [SecretEmpty];
    Aws Secret Ambiguous says ["ResourceNotFoundException", "ResourceNotFound|", "not found"] with [["secretsmanager",
        "Secrets Manager", "GetSecretValue", "get_secret_value", "get-secret-value", "DescribeSecret", "asm:",
        "AWSSecretsManager"]] without ["can't find the specified secret", "vault.azure", "secretmanager.googleapis",
        "AADSTS", "OpenIDConnect", "json key", "does not contain json key", "did not contain json key"]
        => [SecretWrongRegion, SecretNotFound, SecretEmpty, WrongAccount];
    Aws Secret Conclusive says ["was marked for deletion", "marked for deletion", "already scheduled for deletion",
        "currently marked deleted", "is scheduled for deletion"] without ["KMS", "vault"] => [SecretPendingDeletion];
    _ Secret Conclusive says ["did not contain json key", "does not contain json key", "does not contain key"]
        => [JsonKeyMissing];
    // What is written to a replica in another region or, since November 2026, another account.
    Aws Secret Conclusive says ["not permitted on a replica secret"] => [SecretWrongRegion];
    Aws Secret Leading says ["Invalid name. Must be a valid name", "Invalid name. Must be"]
        with [["secret", "Secret"]] => [SecretNameInvalid];
    // Any other right.
    Aws Access Ambiguous says ["is not authorized to perform:", "not authorized to perform"]
        without ["secretsmanager:", "sts:Assume", "sts:Tag", "sts:SetSource", "sts:GetFederation", "kms:Decrypt",
        "explicit deny", "kms:GenerateDataKey", "does not have authorization", "Caller is not authorized",
        "because no service control", "no permissions boundary", "no session policy", "no VPC endpoint policy"]
        => [MissingGet, ExplicitDeny, Scp, EnvConflict];
}
