//! What AWS STS and IAM say about tokens, providers, roles and keys.
//!
//! Sources: the STS API model and its errors
//! (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>), the texts of denials
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).

use crate::cause::Cause::*;
use crate::cause::explain::rule::rules;

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
    Aws Token Conclusive says ["Token expired: current date/time", "Token too old:"] => [TokenExpired];
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
    Aws Access Leading says ["because no permissions boundary allows"] => [ExplicitDeny, MissingGet];
    Aws Access Leading says ["because no VPC endpoint policy allows"] => [ExplicitDeny, StsUnreachable];
    Aws Access Leading says ["because no session policy allows"] => [ExplicitDeny, MissingGet];
    // Keys and sessions.
    Aws Trust Conclusive says ["STS is not activated in this region", "RegionDisabledException", "RegionDisabled|"]
        => [RegionDisabled];
    Aws Trust Ambiguous says ["security token included in the request is invalid", "InvalidClientTokenId",
        "UnrecognizedClientException", "Access Key Id you provided does not exist", "InvalidAccessKeyId",
        "not able to validate the provided access credentials", "The AWS Access Key Id needs a subscription"]
        => [StaticKeyWrong, EnvConflict, RegionDisabled, WrongPartition, PropagationDelay];
    Aws Trust Ambiguous says ["provided token is malformed or otherwise invalid", "InvalidToken:"]
        without ["AADSTS", "jwt"] => [RegionDisabled, EnvConflict, StaticKeyWrong, WrongPartition];
    Aws Token Leading says ["security token included in the request is expired", "The provided token has expired",
        "SSO session associated with this profile has expired", "TokenRefreshRequired", "ExpiredTokenException",
        "(ExpiredToken)", "ExpiredToken:", "ExpiredToken<"] without ["Token expired: current", "Token too old"]
        => [TokenExpired, EnvConflict, ClockSkew];
    Aws Trust Ambiguous
        says ["SignatureDoesNotMatch", "request signature we calculated does not match", "InvalidSignatureException"]
        without ["Signature expired", "Signature not yet current", "is now earlier than", "is still later than"]
        => [StaticKeyWrong, ClockSkew, EnvConflict, Proxy];
    Aws Token Conclusive says ["Signature expired:", "Signature not yet current", "Signature is not yet current",
        "RequestTimeTooSkewed", "request time and the current time is too large",
        "request time and the server's time is too large", "RequestExpired", "RequestInTheFuture", "clock is skewed"]
        => [ClockSkew];
    Aws Trust Leading says ["IncompleteSignature", "MissingAuthenticationToken", "Missing Authentication Token"]
        => [EnvNotSet, StaticKeyWrong, Proxy];
}

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
