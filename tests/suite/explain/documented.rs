//! The clouds' documented messages, and the causes each is documented (or was measured) to have.
//!
//! Nothing else may rank above a documented cause.

/// A message and its causes, as one set.
pub const AWS: &[(&str, &[&str])] = &[
    // AssumeRoleWithWebIdentity and AssumeRole:
    // <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
    (
        "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        &[
            "sub-mismatch",
            "immutable-sub",
            "sub-case-mismatch",
            "aud-mismatch",
            "principal-arn-wrong",
            "condition-key-wrong",
            "operator-wrong",
            "role-missing",
            "wrong-account",
            "action-missing",
            "wrong-flow",
            "propagation-delay",
        ],
    ),
    (
        "InvalidIdentityToken: No OpenIDConnect provider found in your account for https://issuer.example.com",
        &["provider-missing", "wrong-account"],
    ),
    ("InvalidIdentityToken: Incorrect token audience", &["aud-not-registered"]),
    (
        "InvalidIdentityToken: The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.",
        &["aud-not-registered", "signature-invalid", "malformed-token"],
    ),
    (
        "InvalidIdentityToken: Token audience contains more than one audience while authorized party is not present",
        &["aud-multi-without-azp"],
    ),
    ("InvalidIdentityToken: Claim is not allowed to be empty: aud", &["malformed-token"]),
    ("InvalidIdentityToken: Missing a required claim: exp", &["malformed-token"]),
    (
        "InvalidIdentityToken: Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
        &["jwks-unreachable", "jwks-kid-missing", "idp-throttled", "issuer-slow", "jwks-invalid"],
    ),
    (
        "InvalidIdentityToken: OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
        &["thumbprint"],
    ),
    (
        "ExpiredTokenException: Token expired: current date/time 1789123421 must be before the expiration date/time 1789123397",
        &["token-expired"],
    ),
    ("ExpiredTokenException: Token too old: 441398", &["token-expired"]),
    ("InvalidIdentityToken: Token issued in the future: 1789123397", &["clock-skew"]),
    (
        "InvalidIdentityToken: Token not yet valid: current date/time 1 must be after or equal to the not-before date/time 2",
        &["clock-skew"],
    ),
    ("InvalidIdentityToken: Invalid timestamp in token claims.", &["malformed-token"]),
    (
        "InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        &["wrong-token-kind", "malformed-token"],
    ),
    ("InvalidIdentityToken: Provided Token is not a Login With Amazon token", &["wrong-token-kind", "wrong-flow"]),
    ("InternalFailure: Unknown error validating third-party token", &["malformed-token"]),
    (
        "InvalidIdentityToken: The target role ARN is not present in the roles claim of the identity token",
        &["roles-claim"],
    ),
    ("InvalidIdentityToken: The roles claim contains no valid role ARNs", &["roles-claim"]),
    ("InvalidIdentityToken: The roles claim is not in a supported format", &["roles-claim"]),
    ("InvalidIdentityToken: principal_tags passed in claim is not in correct format.", &["malformed-token"]),
    (
        "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        &["session-duration"],
    ),
    ("ValidationError: Request ARN is invalid", &["role-arn-malformed"]),
    (
        "RegionDisabledException: STS is not activated in this region for account:123456789012. Your account administrator can activate STS in this region using the IAM Console.",
        &["region-disabled"],
    ),
    (
        "InvalidClientTokenId: The security token included in the request is invalid",
        &["static-key-wrong", "env-conflict", "region-disabled", "wrong-partition"],
    ),
    ("The provided token is malformed or otherwise invalid", &["region-disabled"]),
    (
        "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided.",
        &["static-key-wrong"],
    ),
    (
        "SignatureDoesNotMatch: Signature expired: 20170103T233357Z is now earlier than 20170104T042623Z (20170104T044123Z - 15 min.)",
        &["clock-skew"],
    ),
    ("PackedPolicyTooLarge: Packed size of session tags consumes 112% of allotted space.", &["packed-policy"]),
    (
        "User: arn:aws:iam::111122223333:user/u is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/r",
        &["assume-role-denied", "external-id"],
    ),
    (
        "User: arn:aws:iam::111122223333:user/u is not authorized to perform: sts:TagSession on resource: arn:aws:iam::111122223333:role/r",
        &["tag-session-missing"],
    ),
    (
        "Parameter validation failed: Invalid length for parameter WebIdentityToken, value: 0, valid min length: 4",
        &["env-not-set"],
    ),
    ("Connect timeout on endpoint URL: \"https://sts.amazonaws.com/\"", &["sts-unreachable"]),
    // Secrets Manager and KMS:
    // <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
    (
        "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        &["secret-wrong-region", "secret-not-found", "wrong-account"],
    ),
    (
        "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
        &["secret-empty"],
    ),
    (
        "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: secretsmanager:ListSecrets because no identity-based policy allows the secretsmanager:ListSecrets action",
        &["missing-list", "list-resource-scoped"],
    ),
    (
        "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-a1B2c3 because no identity-based policy allows the secretsmanager:GetSecretValue action",
        &["missing-get", "secret-arn-suffix", "versionstage-condition", "secret-wrong-region"],
    ),
    ("AccessDeniedException: Access to KMS is not allowed", &["missing-kms"]),
    ("KMSInvalidStateException: arn:aws:kms:us-east-1:111122223333:key/1 is pending deletion.", &["kms-key-state"]),
    ("DecryptionFailure: Secrets Manager can't decrypt the protected secret text", &["kms-key-state"]),
    (
        "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.",
        &["secret-pending-deletion"],
    ),
    (
        "InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion.",
        &["secret-pending-deletion"],
    ),
    (
        "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: secretsmanager:GetSecretValue on resource: db with an explicit deny in a resource-based policy",
        &["explicit-deny"],
    ),
    (
        "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: secretsmanager:GetSecretValue on resource: db with an explicit deny in a service control policy",
        &["scp"],
    ),
];

/// Entra, Key Vault and Google:
/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>,
/// <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>,
/// <https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation>
pub const AZURE_AND_GCP: &[(&str, &[&str])] = &[
    (
        "AADSTS70021: No matching federated identity record found for presented assertion. Assertion Issuer: 'https://i'. Assertion Subject: 'repo:o/r:ref:refs/heads/main'. Assertion Audience: 'api://AzureADTokenExchange'.",
        &["sub-mismatch", "iss-mismatch", "aud-mismatch", "immutable-sub", "propagation-delay"],
    ),
    (
        "AADSTS700211: No matching federated identity record found for presented assertion issuer 'https://i/'.",
        &["iss-mismatch"],
    ),
    (
        "AADSTS700212: No matching federated identity record found for presented assertion audience 'api://AKSIdentityBinding'.",
        &["aud-mismatch", "wrong-cloud"],
    ),
    (
        "AADSTS700213: No matching federated identity record found for presented assertion subject 'repo:o/r:environment:p'.",
        &["sub-mismatch", "immutable-sub", "propagation-delay", "transient"],
    ),
    (
        "AADSTS7002138: No matching federated identity record found for presented assertion subject 'repo:O/r:environment:p'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison.",
        &["sub-case-mismatch"],
    ),
    (
        "AADSTS7002137: Please make sure the federated identity credential Subject is '/eid1/c/pub/t/a/a/b'",
        &["sub-mismatch"],
    ),
    ("AADSTS7002121: audience", &["aud-mismatch"]),
    (
        "AADSTS70025: Client application has no configured federated identity credentials.",
        &["fic-missing", "client-wrong"],
    ),
    (
        "AADSTS50027: JWT token is invalid or malformed.",
        &["malformed-token", "env-not-set", "id-token-permission-missing"],
    ),
    ("AADSTS5002727: Invalid JWT header type specified. Allowed types: 'JWT'", &["wrong-token-kind"]),
    (
        "AADSTS700024: Client assertion is not within its valid time range. Current time: 2024-05-28T06:01:42Z, assertion valid from 2024-05-28T02:19:01Z, expiry time of assertion 2024-05-28T02:29:01Z.",
        &["token-expired", "clock-skew"],
    ),
    (
        "AADSTS70023: External OIDC Provider token must have a lifetime of less than or equal to 1.01:00:00. Token issued at 1643126692. Token expires on 1643220292.",
        &["token-lifetime-too-long"],
    ),
    ("AADSTS700027: Client assertion failed signature validation.", &["signature-invalid", "jwks-kid-missing"]),
    ("AADSTS50166: Request to External OIDC endpoint failed.", &["jwks-unreachable", "discovery-invalid"]),
    (
        "AADSTS7000272: The certificate with identifier DFA184 used to sign the federated credential could not be found in the metadata of identity provider https://i",
        &["jwks-kid-missing"],
    ),
    (
        "AADSTS700016: Application with identifier '11111111-1111-1111-1111-111111111111' was not found in the directory 'D'.",
        &["client-wrong", "tenant-wrong"],
    ),
    (
        "AADSTS70001: Application with identifier 'x' was not found in the directory y",
        &["client-wrong", "tenant-wrong"],
    ),
    (
        "AADSTS90002: Tenant 'x' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
        &["tenant-wrong", "wrong-cloud"],
    ),
    ("AADSTS900382: Confidential Client is not supported in Cross Cloud request.", &["wrong-cloud"]),
    (
        "AADSTS500011: The resource principal named https://example.com was not found in the tenant named T.",
        &["wrong-scope", "wrong-vault-audience"],
    ),
    (
        "AADSTS1002012: The provided value for scope https://vault.azure.net is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
        &["wrong-scope"],
    ),
    ("AADSTS7000215: Invalid client secret provided.", &["client-secret-wrong"]),
    ("AADSTS7000222: The provided client secret keys for app 'x' are expired.", &["client-secret-expired"]),
    ("AADSTS7000229: The client application x is missing service principal in the tenant y.", &["sp-missing"]),
    ("AADSTS53003: Access has been blocked by Conditional Access policies.", &["conditional-access"]),
    (
        "AADSTS7002381: Federated identity credentials issued by 'https://token.actions.githubusercontent.com/' must contain the enterprise claim",
        &["tenant-policy"],
    ),
    ("AADSTS700238: issuer not allowed", &["tenant-policy"]),
    (
        "AADSTS70052: The identity must be a managed identity, single tenant app, or service account",
        &["app-multitenant"],
    ),
    ("AADSTS90024: RequestBudgetExceededError", &["throttled"]),
    ("AADSTS90055: TenantThrottlingError", &["transient"]),
    // Key Vault
    (
        "401 Unauthorized AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://kv.vault.azure.net.",
        &["wrong-vault-audience"],
    ),
    (
        "401 Unauthorized AKV10032: Invalid issuer. Expected one of https://sts.windows.net/a/, found https://sts.windows.net/b/.",
        &["tenant-wrong"],
    ),
    (
        "Forbidden ForbiddenByRbac Caller is not authorized to perform action on resource. Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action' Assignment: (not found) DenyAssignmentId: null",
        &["rbac-missing", "rbac-wrong-principal", "propagation-delay", "rbac-wrong-role"],
    ),
    (
        "Forbidden: The user, group or application 'appid=a;oid=b;iss=c' does not have secrets get permission on key vault 'kv;location=l'.",
        &["access-policy-missing", "access-policy-wrong-object", "access-policy-model"],
    ),
    (
        "Forbidden ForbiddenByPolicy: The policy requires the caller 'a' to use on-behalf-of (OBO) flow.",
        &["access-policy-compound"],
    ),
    (
        "Forbidden ForbiddenByFirewall: Client address is not authorized and caller is not a trusted service.",
        &["firewall"],
    ),
    (
        "Forbidden ForbiddenByConnection: Public network access is disabled and request is not from a trusted service nor via an approved private link.",
        &["private-endpoint"],
    ),
    ("403 SecretDisabled: Operation get is not allowed on a disabled secret.", &["secret-disabled"]),
    ("404 SecretNotFound: A secret with (name/id) db was not found in this key vault.", &["secret-not-found"]),
    ("409 Conflict: There was a conflict while creating/updating your secret.", &["secret-soft-deleted"]),
    ("400 BadParameter: The request URI contains an invalid name: a_b", &["secret-name-invalid"]),
    ("getaddrinfo ENOTFOUND kv.vault.azure.net", &["vault-dns"]),
    (
        "x509: certificate is valid for vault.azure.net, *.vault.azure.net, *.vaultcore.azure.net, not kv.privatelink.vaultcore.azure.net",
        &["tls-name"],
    ),
    ("The challenge resource 'kv.vault.azure.net' does not match the requested domain", &["vault-challenge-mismatch"]),
    ("AZURE_CLIENT_ID environment variable is not set", &["env-not-set"]),
    ("Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable", &["id-token-permission-missing"]),
    // Google
    (
        "invalid_target: The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.",
        &["wrong-provider-name"],
    ),
    (
        "invalid_request: Invalid value for \"audience\". This value should be the full resource name of the Identity Provider.",
        &["wrong-provider-name", "wrong-universe-audience"],
    ),
    (
        "unauthorized_client: The given credential is rejected by the attribute condition.",
        &["attribute-condition", "sub-case-mismatch"],
    ),
    ("invalid_grant: Error connecting to the given credential's issuer.", &["jwks-unreachable", "jwks-invalid"]),
    ("invalid_grant: The issuer in ID Token https://a does not match the expected ones: https://b", &["iss-mismatch"]),
    ("invalid_grant: The audience in ID Token [a] does not match the expected audience b", &["aud-mismatch"]),
    ("invalid_grant: ID Token issued at 1 is stale to sign-in.", &["token-expired"]),
    ("invalid_grant: Invalid JWT Signature.", &["signature-invalid"]),
    (
        "invalid_request: The size of mapped attribute google.subject exceeds the 127 bytes limit.",
        &["subject-too-long"],
    ),
    ("quota_exceeded", &["throttled"]),
    (
        "PERMISSION_DENIED: Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
        &["principalset-mismatch", "attribute-mapping-missing"],
    ),
    ("UNAUTHENTICATED: Request had invalid authentication credentials.", &["federated-token-unsupported"]),
    (
        "Permission 'secretmanager.versions.access' denied for resource 'projects/P/secrets/S/versions/latest' (or it may not exist).",
        &["secret-iam-missing", "secret-not-found"],
    ),
    (
        "FAILED_PRECONDITION: Secret Version [projects/1/secrets/s/versions/1] is in DISABLED state.",
        &["secret-version-state"],
    ),
    ("Resource ID [projects/1/secrets/s] is not in a valid format.", &["resource-name-malformed"]),
    ("Secret Manager API has not been used in project 1 before or it is disabled.", &["api-disabled"]),
    ("The access token lifetime cannot exceed 3600 seconds.", &["clock-skew"]),
];
