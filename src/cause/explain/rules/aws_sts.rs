//! What AWS STS and IAM say about tokens, providers, roles and keys.
//!
//! Sources: the STS API model and its errors
//! (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>), the texts of denials
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).

use crate::cause::Cause::*;
use crate::cause::explain::rule::{Rule, Stage};
use crate::domain::ids::Cloud::Aws;

pub(super) const RULES: &[Rule] = &[
    // One sentence for every way in which a trust policy can fail to allow.
    Rule::ambiguous(
        Stage::Trust,
        &[
            "not authorized to perform sts:AssumeRoleWithWebIdentity",
            "not authorized to perform: sts:AssumeRoleWithWebIdentity",
            "no role trust policy allows the sts:AssumeRoleWithWebIdentity",
        ],
        WEB_IDENTITY_DENIED,
    )
    .of(Aws),
    Rule::ambiguous(
        Stage::Trust,
        &["AssumeRoleWithWebIdentity", "assume_role_with_web_identity", "web identity"],
        WEB_IDENTITY_DENIED,
    )
    .with(&[&[
        "AccessDenied",
        "access denied",
        "not authorized",
        "unauthorized",
        "StatusCode: 403",
        "status code: 403",
    ]])
    .without(&["InvalidIdentityToken", "not authorized to perform", "secretsmanager:", "kms:", "ExpiredToken"])
    .of(Aws),
    Rule::leading(
        Stage::Issuer,
        &[
            "No OpenIDConnect provider found",
            "No OpenID Connect provider found",
            "No OIDC provider found in your account",
        ],
        &[ProviderMissing, WrongAccount, WrongPartition],
    )
    .of(Aws),
    Rule::conclusive(
        Stage::Issuer,
        &["OpenIDConnect Provider not found for arn", "OpenIDConnectProvider"],
        &[ProviderMissing],
    )
    .with(&[&["NoSuchEntity", "not found for arn"]])
    .of(Aws),
    Rule::conclusive(Stage::Token, &["Incorrect token audience"], &[AudNotRegistered]).of(Aws),
    Rule::ambiguous(
        Stage::Token,
        &[
            "web identity token provided could not be validated",
            "web identity token that was passed could not be validated",
        ],
        &[
            AudNotRegistered,
            SignatureInvalid,
            MalformedToken,
            AlgUnsupported,
            WrongTokenKind,
            JwksKidMissing,
            JwksInvalid,
        ],
    )
    .of(Aws),
    Rule::conclusive(Stage::Token, &["more than one audience while authorized party"], &[AudMultiWithoutAzp]).of(Aws),
    Rule::conclusive(Stage::Token, &["Claim is not allowed to be empty"], &[MalformedToken]).of(Aws),
    Rule::conclusive(Stage::Token, &["Missing a required claim"], &[MalformedToken]).of(Aws),
    Rule::conclusive(
        Stage::Token,
        &["Invalid timestamp in token claims", "principal_tags passed in claim", "transitive_tag_keys passed in claim"],
        &[MalformedToken],
    )
    .of(Aws),
    Rule::leading(Stage::Token, &["Unknown error validating third-party token"], &[MalformedToken, Transient]).of(Aws),
    Rule::leading(
        Stage::Token,
        &["ID Token provided is not a valid JWT", "you may see this error if you sent an Access Token"],
        &[WrongTokenKind, MalformedToken, EnvNotSet],
    )
    .of(Aws),
    Rule::leading(Stage::Token, &["not a Login With Amazon token"], &[WrongTokenKind, WrongFlow]).of(Aws),
    Rule::leading(Stage::Token, &["IDPRejectedClaim"], &[WrongTokenKind, TokenExpired, WrongFlow]).of(Aws),
    Rule::ambiguous(
        Stage::Issuer,
        &["retrieve verification key from your identity provider", "retrieve verification key from your IdP"],
        &[
            JwksKidMissing,
            JwksUnreachable,
            IdpThrottled,
            IssuerSlow,
            JwksInvalid,
            IssuerNotConfigured,
            TlsUntrusted,
            DiscoveryInvalid,
            IssuerRedirect,
            IssuerDiffers,
        ],
    )
    .of(Aws),
    Rule::leading(
        Stage::Issuer,
        &["IDPCommunicationError", "error communicating with the identity provider", "OpenIdIdpCommunicationError"],
        &[JwksUnreachable, IdpThrottled, IssuerSlow, Transient],
    )
    .of(Aws),
    Rule::leading(
        Stage::Issuer,
        &["Please check .well-known/openid-configuration of provider"],
        &[DiscoveryInvalid, JwksUnreachable, IssuerDiffers, IssuerNotConfigured, TlsUntrusted],
    )
    .of(Aws),
    Rule::leading(
        Stage::Issuer,
        &["HTTPS certificate doesn't match configured thumbprint", "certificate does not match configured thumbprint"],
        &[Thumbprint, TlsUntrusted],
    )
    .of(Aws),
    Rule::conclusive(Stage::Token, &["Token expired: current date/time", "Token too old:"], &[TokenExpired]).of(Aws),
    Rule::conclusive(Stage::Token, &["Token issued in the future", "Token not yet valid"], &[ClockSkew]).of(Aws),
    Rule::conclusive(
        Stage::Token,
        &[
            "not present in the roles claim",
            "roles claim contains no valid role",
            "roles claim is not in a supported format",
        ],
        &[RolesClaim],
    )
    .of(Aws),
    // The role and the size and length of the session.
    Rule::conclusive(
        Stage::Trust,
        &[
            "exceeds the MaxSessionDuration",
            "hour session limit for roles assumed by role chaining",
            "'durationSeconds' failed to satisfy",
        ],
        &[SessionDuration],
    )
    .of(Aws),
    Rule::conclusive(
        Stage::Trust,
        &[
            "Request ARN is invalid",
            "'roleArn' failed to satisfy constraint",
            "at 'roleArn'",
            "Invalid length for parameter RoleArn",
            "Invalid RoleArn",
            "Source Account ID is needed if the Role Name is provided",
            "is an invalid ARN: arn:",
            "arn: invalid prefix",
            "arn: not enough sections",
            "not a valid role ARN",
            "invalid role arn",
            "Malformed ARN",
        ],
        &[RoleArnMalformed],
    )
    .of(Aws),
    Rule::leading(Stage::Trust, &["is invalid"], &[RoleArnMalformed, SessionDuration])
        .with(&[&["ValidationError"], &["AssumeRole"]])
        .without(&[
            "Request ARN is invalid",
            "failed to satisfy constraint",
            "MaxSessionDuration",
            "token included in the request",
        ])
        .of(Aws),
    Rule::leading(
        Stage::Trust,
        &["ValidationError", "failed to satisfy constraint"],
        &[RoleArnMalformed, SessionDuration, MalformedToken],
    )
    .with(&[&["AssumeRole", "sts:"]])
    .without(&[
        "Request ARN is invalid",
        "'roleArn'",
        "MaxSessionDuration",
        "durationSeconds",
        "'webIdentityToken'",
        "is invalid",
        "MalformedPolicy",
    ])
    .of(Aws),
    Rule::conclusive(
        Stage::Trust,
        &["Packed size of", "PackedPolicyTooLarge", "packed policy consumes"],
        &[PackedPolicy],
    )
    .of(Aws),
    Rule::conclusive(
        Stage::Trust,
        &[
            "not authorized to perform: sts:TagSession",
            "not authorized to perform sts:TagSession",
            "allows the sts:TagSession",
        ],
        &[TagSessionMissing],
    )
    .of(Aws),
    Rule::conclusive(
        Stage::Trust,
        &["perform: sts:SetSourceIdentity", "perform sts:SetSourceIdentity"],
        &[ActionMissing],
    )
    .of(Aws),
    Rule::conclusive(Stage::Trust, &["cannot be found", "Role not found"], &[RoleMissing])
        .with(&[&["NoSuchEntity"], &["role with name", "role"]])
        .of(Aws),
    Rule::leading(
        Stage::Trust,
        &["Invalid principal in policy", "Federated principals must be valid", "Invalid federated principal"],
        &[PrincipalArnWrong, ProviderMissing],
    )
    .of(Aws),
    Rule::leading(Stage::Trust, &["MalformedPolicyDocument"], &[TrustTooWide, PrincipalArnWrong, ConditionKeyWrong])
        .with(&[&["trust", "AssumeRolePolicy", "CreateRole", "must evaluate", "identity provider"]])
        .without(&["Invalid principal", "Federated principals must"])
        .of(Aws),
    Rule::leading(Stage::Trust, &["MalformedPolicyDocument"], &[PackedPolicy, OperatorWrong])
        .with(&[&["AssumeRole"]])
        .without(&["AssumeRolePolicy", "CreateRole", "must evaluate"])
        .of(Aws),
    // AssumeRole with keys. STS names the identity policy where that is what lacks; without a reason the fault is
    // rather on the role's side, and a missing or wrong external id is never mentioned.
    Rule::ambiguous(
        Stage::Trust,
        &["perform: sts:AssumeRole on resource", "perform: sts:AssumeRole|", "perform sts:AssumeRole|"],
        &[
            ExternalId,
            AssumeRoleDenied,
            WrongAccount,
            RoleMissing,
            WrongFlow,
            EnvConflict,
            Scp,
            ExplicitDeny,
            PropagationDelay,
        ],
    )
    .without(&["because no identity-based policy allows the sts:AssumeRole", "explicit deny"])
    .of(Aws),
    Rule::leading(
        Stage::Trust,
        &["AccessDenied", "access denied", "not authorized"],
        &[AssumeRoleDenied, ExternalId, WrongAccount, RoleMissing, WrongFlow, Scp],
    )
    .with(&[&[
        "AssumeRole operation",
        "STS: AssumeRole,",
        "sts:AssumeRole|",
        "assume role",
        "assume-role|",
        "AssumeRole|",
    ]])
    .without(&[
        "AssumeRoleWithWebIdentity",
        "web identity",
        "not authorized to perform",
        "explicit deny",
        "secretsmanager:",
        "GetSecretValue",
    ])
    .of(Aws),
    Rule::conclusive(
        Stage::Trust,
        &["because no identity-based policy allows the sts:AssumeRole|"],
        &[AssumeRoleDenied],
    )
    .of(Aws),
    Rule::leading(Stage::Trust, &["Roles may not be assumed by root accounts"], &[WrongFlow, AssumeRoleDenied]).of(Aws),
    Rule::leading(
        Stage::Trust,
        &["EKS does not have permissions to assume the associated role"],
        &[ActionMissing, TagSessionMissing, WrongFlow, RoleMissing],
    )
    .of(Aws),
    // A Deny that says so.
    Rule::conclusive(
        Stage::Access,
        &[
            "explicit deny in a service control policy",
            "explicit deny in a resource control policy",
            "because no service control policy allows",
            "because no resource control policy allows",
            "denied by a service control policy",
            "denied by an organization policy",
        ],
        &[Scp],
    )
    .of(Aws),
    Rule::conclusive(
        Stage::Access,
        &[
            "explicit deny in an identity-based policy",
            "explicit deny in a identity-based policy",
            "explicit deny in a resource-based policy",
            "explicit deny in a session policy",
            "explicit deny in a permissions boundary",
            "explicit deny in a VPC endpoint policy",
            "explicit deny in the role trust policy",
        ],
        &[ExplicitDeny],
    )
    .of(Aws),
    Rule::leading(Stage::Access, &["with an explicit deny", "explicit deny"], &[ExplicitDeny, Scp])
        .with(&[&["not authorized", "AccessDenied", "access denied", "Unauthorized"]])
        .without(&["explicit deny in a", "explicit deny in the"])
        .of(Aws),
    Rule::leading(Stage::Access, &["because no permissions boundary allows"], &[ExplicitDeny, MissingGet]).of(Aws),
    Rule::leading(Stage::Access, &["because no VPC endpoint policy allows"], &[ExplicitDeny, StsUnreachable]).of(Aws),
    Rule::leading(Stage::Access, &["because no session policy allows"], &[ExplicitDeny, MissingGet]).of(Aws),
    // Keys and sessions.
    Rule::conclusive(
        Stage::Trust,
        &["STS is not activated in this region", "RegionDisabledException", "RegionDisabled|"],
        &[RegionDisabled],
    )
    .of(Aws),
    Rule::ambiguous(
        Stage::Trust,
        &[
            "security token included in the request is invalid",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "Access Key Id you provided does not exist",
            "InvalidAccessKeyId",
            "not able to validate the provided access credentials",
            "The AWS Access Key Id needs a subscription",
        ],
        &[StaticKeyWrong, EnvConflict, RegionDisabled, WrongPartition, PropagationDelay],
    )
    .of(Aws),
    Rule::ambiguous(
        Stage::Trust,
        &["provided token is malformed or otherwise invalid", "InvalidToken:"],
        &[RegionDisabled, EnvConflict, StaticKeyWrong, WrongPartition],
    )
    .without(&["AADSTS", "jwt"])
    .of(Aws),
    Rule::leading(
        Stage::Token,
        &[
            "security token included in the request is expired",
            "The provided token has expired",
            "SSO session associated with this profile has expired",
            "TokenRefreshRequired",
            "ExpiredTokenException",
            "(ExpiredToken)",
            "ExpiredToken:",
            "ExpiredToken<",
        ],
        &[TokenExpired, EnvConflict, ClockSkew],
    )
    .without(&["Token expired: current", "Token too old"])
    .of(Aws),
    Rule::ambiguous(
        Stage::Trust,
        &["SignatureDoesNotMatch", "request signature we calculated does not match", "InvalidSignatureException"],
        &[StaticKeyWrong, ClockSkew, EnvConflict, Proxy],
    )
    .without(&["Signature expired", "Signature not yet current", "is now earlier than", "is still later than"])
    .of(Aws),
    Rule::conclusive(
        Stage::Token,
        &[
            "Signature expired:",
            "Signature not yet current",
            "Signature is not yet current",
            "RequestTimeTooSkewed",
            "request time and the current time is too large",
            "request time and the server's time is too large",
            "RequestExpired",
            "RequestInTheFuture",
            "clock is skewed",
        ],
        &[ClockSkew],
    )
    .of(Aws),
    Rule::leading(
        Stage::Trust,
        &["IncompleteSignature", "MissingAuthenticationToken", "Missing Authentication Token"],
        &[EnvNotSet, StaticKeyWrong, Proxy],
    )
    .of(Aws),
];

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
