//! What Microsoft Entra says: its numeric codes, and the sentences where a code got lost.
//!
//! Sources: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>,
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>.

use crate::cause::Cause::{self, *};
use crate::cause::explain::rule::{Rule, Stage};
use crate::domain::ids::Cloud::Azure;

/// What a refusal can mean that names no part of the credential.
const NO_RECORD: &[Cause] = &[
    SubMismatch,
    IssMismatch,
    AudMismatch,
    ImmutableSub,
    PropagationDelay,
    ClientWrong,
    SubCaseMismatch,
    FicMissing,
    TenantWrong,
    Transient,
    WrongCloud,
    WrongTokenKind,
];

pub(super) const RULES: &[Rule] = &[
    // No federated credential matches.
    code(
        &[70021],
        &["No matching federated identity record found for presented assertion. Assertion Issuer"],
        Ask,
        Stage::Trust,
        NO_RECORD,
    ),
    code(
        &[700211],
        &["presented assertion issuer"],
        Point,
        Stage::Trust,
        &[IssMismatch, PropagationDelay, ClientWrong],
    ),
    code(
        &[700212],
        &["presented assertion audience"],
        Point,
        Stage::Trust,
        &[AudMismatch, WrongCloud, PropagationDelay, ClientWrong],
    ),
    code(
        &[700213],
        &["presented assertion subject"],
        Point,
        Stage::Trust,
        &[SubMismatch, ImmutableSub, PropagationDelay, Transient, ClientWrong, ClaimMismatch],
    )
    .without(&["case-insensitive comparison"]),
    code(&[7002138], &["matches with case-insensitive comparison, but not"], Name, Stage::Trust, &[SubCaseMismatch]),
    code(&[7002137], &[], Name, Stage::Trust, &[SubMismatch]),
    code(&[7002121, 700214], &[], Point, Stage::Trust, &[AudMismatch]),
    code(&[700263], &[], Point, Stage::Trust, &[SubMismatch, PropagationDelay]),
    code(
        &[70025],
        &["has no configured federated identity credentials"],
        Point,
        Stage::Trust,
        &[FicMissing, ClientWrong, PropagationDelay],
    ),
    Rule::ambiguous(
        Stage::Trust,
        &["No matching federated identity record", "no matching federated identity credential"],
        NO_RECORD,
    )
    .without(&[
        "presented assertion subject",
        "presented assertion issuer",
        "presented assertion audience",
        "AADSTS70021",
    ])
    .of(Azure),
    // The assertion itself.
    code(
        &[50027],
        &["JWT token is invalid or malformed"],
        Point,
        Stage::Token,
        &[MalformedToken, EnvNotSet, IdTokenPermissionMissing, WrongTokenKind],
    ),
    code(&[5002727], &["Invalid JWT header type specified"], Name, Stage::Token, &[WrongTokenKind]),
    code(&[5002728, 5002723, 50027231, 700216], &[], Point, Stage::Token, &[MalformedToken, WrongTokenKind]),
    code(
        &[700024, 50012, 500133],
        &["Client assertion is not within its valid time range", "Assertion is not within its valid time range"],
        Point,
        Stage::Token,
        &[TokenExpired, ClockSkew, Cached],
    ),
    code(
        &[70023],
        &["token must have a lifetime of less than"],
        Point,
        Stage::Token,
        &[TokenLifetimeTooLong, WrongTokenKind],
    ),
    code(
        &[700027],
        &["Client assertion failed signature validation", "Client assertion contains an invalid signature"],
        Point,
        Stage::Token,
        &[SignatureInvalid, JwksKidMissing, WrongTokenKind, WrongFlow],
    ),
    code(
        &[50013],
        &["Assertion failed signature validation"],
        Point,
        Stage::Token,
        &[SignatureInvalid, JwksUnreachable, JwksKidMissing, WrongTokenKind],
    ),
    code(&[700021, 700023], &[], Point, Stage::Token, &[WrongFlow, WrongTokenKind, AudMismatch, ClientWrong]),
    code(&[700030, 7000214, 1000502, 7000221], &[], Point, Stage::Token, &[WrongFlow, SignatureInvalid]),
    code(
        &[5002710, 5002711, 700025],
        &["Invalid JWT algorithm", "unsupported signing algorithm"],
        Point,
        Stage::Token,
        &[AlgUnsupported],
    ),
    // Entra's way to the issuer.
    code(
        &[50166, 501661, 90061],
        &["Request to External OIDC endpoint failed"],
        Point,
        Stage::Issuer,
        &[
            JwksUnreachable,
            DiscoveryInvalid,
            IssuerNotConfigured,
            TlsUntrusted,
            Dns,
            Firewall,
            IssuerDiffers,
            IssuerRedirect,
        ],
    ),
    code(
        &[7000272, 7000274, 7000275],
        &["used to sign the federated credential could not be found"],
        Name,
        Stage::Issuer,
        &[JwksKidMissing],
    ),
    code(&[700082], &[], Point, Stage::Token, &[TokenExpired]),
    // Application and tenant.
    code(&[700016], &[], Ask, Stage::Trust, &[ClientWrong, TenantWrong, SpMissing, WrongCloud]),
    code(&[70001, 700011, 650056, 650057], &[], Ask, Stage::Trust, &[ClientWrong, TenantWrong, SpMissing]),
    Rule::ambiguous(Stage::Trust, &["was not found in the directory"], &[ClientWrong, TenantWrong, SpMissing])
        .with(&[&["Application"]])
        .without(&["AADSTS700016", "AADSTS70001|"])
        .of(Azure),
    code(&[7000112, 7000113], &["is disabled. Contact"], Point, Stage::Trust, &[TenantPolicy, SpMissing, ClientWrong]),
    code(&[90002, 900021, 50020, 90072], &[], Ask, Stage::Trust, &[TenantWrong, WrongCloud]),
    Rule::ambiguous(
        Stage::Trust,
        &["Check to make sure you have the correct tenant ID", "tenant not found", "invalid_tenant"],
        &[TenantWrong, WrongCloud],
    )
    .without(&["AADSTS90002"])
    .of(Azure),
    code(&[900023, 90023, 90013], &["neither a valid DNS name"], Point, Stage::Trust, &[TenantWrong]),
    code(
        &[9001023, 50194, 90009],
        &["not supported over the /common or /consumers"],
        Point,
        Stage::Trust,
        &[TenantWrong, AppMultitenant],
    ),
    code(
        &[90038, 900382, 900384, 90051, 900381, 900383],
        &["national cloud"],
        Point,
        Stage::Trust,
        &[WrongCloud, TenantWrong],
    ),
    code(&[500011, 650052, 500014], &[], Ask, Stage::Trust, &[WrongScope, WrongVaultAudience, WrongCloud, TenantWrong]),
    Rule::ambiguous(
        Stage::Trust,
        &["The resource principal named"],
        &[WrongScope, WrongVaultAudience, WrongCloud, TenantWrong],
    )
    .without(&["AADSTS500011"])
    .of(Azure),
    code(
        &[1002012, 70011, 700022, 9002313, 650053, 28002, 28003],
        &[
            "must have a scope value with /.default",
            "provided value for scope",
            "provided value for the input parameter 'scope'",
        ],
        Point,
        Stage::Trust,
        &[WrongScope],
    ),
    code(
        &[7000218, 7000216, 900144, 90014],
        &["request body must contain the following parameter"],
        Point,
        Stage::Trust,
        &[EnvNotSet, Proxy, WrongFlow],
    ),
    code(&[7000215], &["Invalid client secret provided"], Name, Stage::Trust, &[ClientSecretWrong]),
    code(&[7000222], &["client secret keys for app"], Name, Stage::Trust, &[ClientSecretExpired]),
    Rule::leading(Stage::Trust, &["client secret"], &[ClientSecretExpired, ClientSecretWrong])
        .with(&[&["expired"]])
        .without(&["AADSTS7000222", "AADSTS7000215", "client secret keys for app", "Invalid client secret provided"])
        .of(Azure),
    code(
        &[7000229, 7000226],
        &["is missing service principal in the tenant", "missing service principal"],
        Name,
        Stage::Trust,
        &[SpMissing],
    ),
    code(
        &[53003, 530035, 530031, 530032, 53000, 53001, 530033, 530034, 530036, 53011],
        &["blocked by Conditional Access", "blocked by security defaults"],
        Name,
        Stage::Trust,
        &[ConditionalAccess],
    ),
    code(
        &[7002381, 700238, 700223, 700231, 700230, 7002382, 700232],
        &["must contain the enterprise claim"],
        Name,
        Stage::Trust,
        &[TenantPolicy],
    ),
    code(&[700222, 700226, 700227, 700229, 700236], &[], Point, Stage::Token, &[WrongTokenKind, TenantPolicy]),
    code(&[70052], &["must be a managed identity, single tenant app"], Name, Stage::Trust, &[AppMultitenant]),
    code(&[50105, 501051, 65001, 650051], &[], Point, Stage::Trust, &[TenantPolicy, SpMissing]),
    code(&[90024, 50196, 900241], &[], Point, Stage::Trust, &[Throttled, Transient]),
    code(&[90055, 90033, 90006, 50000, 90012, 90020, 700081, 90056], &[], Point, Stage::Trust, &[Transient, Throttled]),
    // The wrapper is there, the code is not.
    Rule::secondary(
        Stage::Trust,
        &[
            "ClientAssertionCredential authentication failed",
            "WorkloadIdentityCredential authentication failed",
            "invalid_client",
            "unauthorized_client",
            "AADSTS",
        ],
        &[SubMismatch, IssMismatch, AudMismatch, ClientWrong, TenantWrong, FicMissing, TokenExpired, WrongScope],
    )
    .of(Azure),
    Rule::secondary(
        Stage::Trust,
        &["No subscriptions found", "SubscriptionNotFound", "No subscription found"],
        &[RbacMissing, PropagationDelay, TenantWrong],
    )
    .of(Azure),
    Rule::ambiguous(
        Stage::Access,
        &["does not have authorization to perform action", "AuthorizationFailed"],
        &[RbacMissing, RbacWrongRole, PropagationDelay, RbacWrongPrincipal],
    )
    .of(Azure),
    Rule::leading(
        Stage::Access,
        &[
            "PrincipalNotFound",
            "does not exist in the directory",
            "Cannot find user or service principal in graph database",
        ],
        &[RbacWrongPrincipal, PropagationDelay, SpMissing],
    )
    .without(&["AADSTS50020", "AADSTS50034"])
    .of(Azure),
];

use self::Kind::{Ask, Name, Point};

/// How much a code says, see [`crate::cause::explain::rule::Strength`].
#[derive(Clone, Copy)]
enum Kind {
    Name,
    Point,
    Ask,
}

/// A rule for codes, and for the sentence they come with where the number got lost.
const fn code(
    codes: &'static [u32],
    any: &'static [&'static str],
    kind: Kind,
    stage: Stage,
    causes: &'static [Cause],
) -> Rule {
    match kind {
        Name => Rule::conclusive(stage, any, causes),
        Point => Rule::leading(stage, any, causes),
        Ask => Rule::ambiguous(stage, any, causes),
    }
    .codes(codes)
    .of(Azure)
}
