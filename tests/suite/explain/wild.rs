//! Failures in the wrappings of many tools: each with its cause, and the rank within which it has to be named.

/// The text, the cause behind it, and the last rank at which it may stand.
pub const WILD: &[(&str, &str, usize)] = &[
    // AWS STS, told by different tools
    (
        "Error: Could not assume role with OIDC: No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com",
        "provider-missing",
        1,
    ),
    (
        "Error: Could not assume role with OIDC: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        "sub-mismatch",
        1,
    ),
    (
        "software.amazon.awssdk.services.sts.model.InvalidIdentityTokenException: Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements (Service: Sts, Status Code: 400, Request ID: 6f2b7b0e-1111-2222-3333-444444444444)\n\tat software.amazon.awssdk.services.sts.model.InvalidIdentityTokenException$BuilderImpl.build(InvalidIdentityTokenException.java:120)\n\tat software.amazon.awssdk.protocols.query.internal.unmarshall.AwsXmlErrorUnmarshaller.unmarshall(AwsXmlErrorUnmarshaller.java:98)",
        "jwks-unreachable",
        2,
    ),
    (
        "botocore.errorfactory.ExpiredTokenException: An error occurred (ExpiredTokenException) when calling the AssumeRoleWithWebIdentity operation: Token expired: current date/time 1700000000 must be before the expiration date/time1699990000",
        "token-expired",
        1,
    ),
    (
        "operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 400, RequestID: 0b5e2d4e-aaaa-bbbb-cccc-1234567890ab, InvalidIdentityToken: Incorrect token audience",
        "aud-not-registered",
        1,
    ),
    (
        "│ Error: configuring Terraform AWS Provider: IAM Role (arn:aws:iam::123456789012:role/deploy) cannot be assumed.\n│ \n│ There are a number of possible causes of this - the most common are:\n│   * The credentials used in order to assume the role are invalid\n│   * The credentials do not have appropriate permission to assume the role\n│   * The role ARN is not valid\n│ \n│ Error: operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: 9a7c, api error AccessDenied: User: arn:aws:iam::123456789012:user/ci is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/deploy\n",
        "assume-role-denied",
        1,
    ),
    (
        "Error: Cannot assume IAM Role: operation error STS: AssumeRole, https response error StatusCode: 403, api error AccessDenied: User: arn:aws:sts::111111111111:assumed-role/ci/session is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role/deploy",
        "external-id",
        1,
    ),
    (
        "User: arn:aws:iam::111122223333:user/app is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/reader because no identity-based policy allows the sts:AssumeRole action",
        "assume-role-denied",
        1,
    ),
    (
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    <Type>Sender</Type>\n    <Code>InvalidIdentityToken</Code>\n    <Message>Token audience contains more than one audience while authorized party is not present</Message>\n  </Error>\n  <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>\n</ErrorResponse>",
        "aud-multi-without-azp",
        1,
    ),
    (
        "{\"Error\":{\"Code\":\"InvalidIdentityToken\",\"Message\":\"OpenIDConnect provider&#39;s HTTPS certificate doesn&#39;t match configured thumbprint\",\"Type\":\"Sender\"},\"RequestId\":\"aa\"}",
        "thumbprint",
        1,
    ),
    (
        "Error: Amazon.SecurityToken.Model.InvalidIdentityTokenException: The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)\n ---> Amazon.Runtime.Internal.HttpErrorResponseException: Exception of type was thrown.",
        "wrong-token-kind",
        1,
    ),
    (
        "DispatchFailure / ServiceError(ServiceError { source: ExpiredTokenException(ExpiredTokenException { message: Some(\"Token too old: 90000\"), meta: ErrorMetadata { code: Some(\"ExpiredTokenException\") } }) })",
        "token-expired",
        1,
    ),
    (
        "An error occurred (ValidationError) when calling the AssumeRoleWithWebIdentity operation: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        "session-duration",
        1,
    ),
    (
        "botocore.exceptions.ClientError: An error occurred (ValidationError) when calling the AssumeRole operation: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        "session-duration",
        1,
    ),
    (
        "An error occurred (ValidationError) when calling the AssumeRole operation: 1 validation error detected: Value 'deploy' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20",
        "role-arn-malformed",
        1,
    ),
    (
        "An error occurred (ValidationError) when calling the AssumeRoleWithWebIdentity operation: arn:aws:iam::123:role/x is invalid",
        "role-arn-malformed",
        1,
    ),
    ("Error: Source Account ID is needed if the Role Name is provided and not the Role Arn.", "role-arn-malformed", 1),
    (
        "Aws\\Sts\\Exception\\StsException: Error executing \"AssumeRoleWithWebIdentity\" on \"https://sts.eu-central-1.amazonaws.com\"; AWS HTTP error: Client error: `POST https://sts.eu-central-1.amazonaws.com` resulted in a `403 Forbidden` response: AccessDenied (client): Not authorized to perform sts:AssumeRoleWithWebIdentity",
        "sub-mismatch",
        1,
    ),
    (
        "api error RegionDisabledException: STS is not activated in this region for account:123456789012. Your account administrator can activate STS in this region using the IAM Console.",
        "region-disabled",
        1,
    ),
    (
        "UnrecognizedClientException: The security token included in the request is invalid. (Service: AWSSecretsManager; region eu-south-1)",
        "region-disabled",
        1,
    ),
    ("AuthFailure: AWS was not able to validate the provided access credentials", "static-key-wrong", 1),
    ("InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.", "static-key-wrong", 1),
    ("aws: error: argument --web-identity-token: expected one argument", "env-not-set", 1),
    (
        "An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:sts::123456789012:assumed-role/pod/eks is not authorized to perform: sts:TagSession on resource: arn:aws:iam::123456789012:role/target",
        "tag-session-missing",
        1,
    ),
    (
        "InvalidSignatureException: Signature expired: 20240101T000000Z is now earlier than 20240101T010000Z (20240101T010500Z - 5 min.)",
        "clock-skew",
        1,
    ),
    (
        "RequestTimeTooSkewed: The difference between the request time and the current time is too large.",
        "clock-skew",
        1,
    ),
    (
        "NoCredentialProviders: no valid providers in chain. Deprecated.\n\tFor verbose messaging see aws.Config.CredentialsChainVerboseErrors",
        "env-not-set",
        1,
    ),
    ("Unable to locate credentials. You can configure credentials by running \"aws configure\".", "env-not-set", 1),
    (
        "operation error Secrets Manager: GetSecretValue, get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, request canceled, context deadline exceeded",
        "env-not-set",
        1,
    ),
    (
        "error retrieving credentials: WebIdentityErr: failed fetching WebIdentity token: \ncaused by: WebIdentityErr: unable to read file at /var/run/secrets/eks.amazonaws.com/serviceaccount/token\ncaused by: open /var/run/secrets/eks.amazonaws.com/serviceaccount/token: permission denied",
        "token-file-unreadable",
        1,
    ),
    (
        "[Error: Credentials could not be loaded, please check your action inputs: Could not load credentials from any providers]\nIt looks like you might be trying to authenticate with OIDC. Did you mean to set the `id-token` permission? If you are not trying to authenticate with OIDC and the action is working successfully, you can ignore this message.",
        "id-token-permission-missing",
        1,
    ),
    (
        "Multiple credential sources detected: Both AWS_PROFILE and the pair AWS_ACCESS_KEY_ID/AWS_SECRET_ACCESS_KEY static credentials are set.\nAn error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: The security token included in the request is invalid.",
        "env-conflict",
        1,
    ),
    (
        "AccessDenied: User: arn:aws:sts::123456789012:assumed-role/reader/x is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf with an explicit deny in a service control policy",
        "scp",
        1,
    ),
    (
        "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: User: arn:aws:sts::123456789012:assumed-role/reader/x is not authorized to perform: secretsmanager:GetSecretValue on resource: db with an explicit deny in a resource-based policy",
        "explicit-deny",
        1,
    ),
    // Secrets Manager and KMS
    (
        "{\"level\":\"error\",\"logger\":\"controllers.ExternalSecret\",\"msg\":\"could not get secret data from provider\",\"error\":\"error retrieving secret at .data[0], key: prod/db, err: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/eso/external-secrets is not authorized to perform: secretsmanager:GetSecretValue on resource: prod/db because no identity-based policy allows the secretsmanager:GetSecretValue action\\n\\tstatus code: 400, request id: 7d5a\"}",
        "missing-get",
        1,
    ),
    (
        "Warning  UpdateFailed  3s (x7 over 40s)  external-secrets  error processing spec.dataFrom[0].find, err: AccessDeniedException: User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: secretsmanager:BatchGetSecretValue because no identity-based policy allows the secretsmanager:BatchGetSecretValue action",
        "missing-list",
        2,
    ),
    (
        "MountVolume.SetUp failed for volume \"secrets\" : rpc error: code = Unknown desc = failed to mount secrets store objects for pod default/app, err: rpc error: code = Unknown desc = Failed to fetch secret from all regions. Verify secret exists and required permissions are granted for: prod/db",
        "missing-get",
        1,
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets Manager did not contain json key password",
        "json-key-missing",
        1,
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm: There is a connection issue between the task and AWS Secrets Manager. RequestError: send request failed caused by: Post \"https://secretsmanager.us-east-1.amazonaws.com/\": dial tcp 52.94.1.1:443: i/o timeout",
        "connect-timeout",
        1,
    ),
    (
        "aws_sdk_secretsmanager::error: service error: unhandled error (InvalidRequestException): Error { code: \"InvalidRequestException\", message: \"You can't perform this operation on the secret because it was marked for deletion.\" }",
        "secret-pending-deletion",
        1,
    ),
    (
        "operation error Secrets Manager: CreateSecret, https response error StatusCode: 400, InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion.",
        "secret-pending-deletion",
        1,
    ),
    (
        "{\"__type\":\"ResourceNotFoundException\",\"Message\":\"Secrets Manager can't find the specified secret value for staging label: AWSCURRENT\"}",
        "secret-empty",
        1,
    ),
    ("{\"__type\":\"AccessDeniedException\",\"Message\":\"Access to KMS is not allowed\"}", "missing-kms", 1),
    (
        "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because no identity-based policy allows the kms:Decrypt action",
        "missing-kms",
        1,
    ),
    (
        "com.amazonaws.services.kms.model.DisabledException: arn:aws:kms:eu-west-1:123456789012:key/1234 is disabled. (Service: AWSKMS; Status Code: 400)",
        "kms-key-state",
        1,
    ),
    (
        "com.amazonaws.services.secretsmanager.model.DecryptionFailureException: Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
        "kms-key-state",
        1,
    ),
    (
        "InvalidRequestException: You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.",
        "missing-kms",
        1,
    ),
    ("ThrottlingException: Rate exceeded", "throttled", 1),
    // Network
    (
        "requests.exceptions.SSLError: HTTPSConnectionPool(host='sts.amazonaws.com', port=443): Max retries exceeded with url: / (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1000)')))",
        "tls-untrusted",
        1,
    ),
    (
        "javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target",
        "tls-untrusted",
        1,
    ),
    (
        "error sending request for url (https://issuer.example.com/.well-known/openid-configuration): error trying to connect: invalid peer certificate: UnknownIssuer",
        "tls-untrusted",
        1,
    ),
    (
        "Get \"https://issuer.example.com/.well-known/openid-configuration\": x509: certificate has expired or is not yet valid: current time 2024-05-01T00:00:00Z is after 2024-04-30T00:00:00Z",
        "tls-expired",
        1,
    ),
    (
        "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: issuer.example.com. is not in the cert's altnames: DNS:*.other.com",
        "tls-name",
        1,
    ),
    ("curl: (6) Could not resolve host: issuer.example.com", "dns", 1),
    ("curl: (7) Failed to connect to issuer.example.com port 443 after 3 ms: Connection refused", "connect-refused", 1),
    ("curl: (56) Received HTTP code 407 from proxy after CONNECT", "proxy", 1),
    ("java.io.IOException: Unexpected response code for CONNECT: 403", "proxy", 1),
    ("Error: getaddrinfo EAI_AGAIN sts.eu-west-1.amazonaws.com", "dns", 1),
    (
        "botocore.exceptions.ConnectTimeoutError: Connect timeout on endpoint URL: \"https://sts.amazonaws.com/\"",
        "sts-unreachable",
        1,
    ),
    (
        "botocore.exceptions.EndpointConnectionError: Could not connect to the endpoint URL: \"https://sts.us-east-1.amazonaws.com/\"",
        "sts-unreachable",
        2,
    ),
    ("java.net.UnknownHostException: myvault.vault.azure.net: Name or service not known", "vault-dns", 1),
    (
        "Post \"https://login.microsoftonline.com/t/oauth2/v2.0/token\": proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused",
        "proxy",
        1,
    ),
    (
        "<html><head><title>ERROR: The requested URL could not be retrieved</title></head><body>Generated by proxy01 (squid/5.7)</body></html>",
        "proxy",
        1,
    ),
    ("DataConversion: expected value at line 1 column 1", "proxy", 1),
    ("System.Net.Http.HttpRequestException: No such host is known. (myvault.vault.azure.net:443)", "vault-dns", 1),
    // Entra
    (
        "ERROR: AADSTS700213: No matching federated identity record found for presented assertion subject 'repo:acme@123/app@456:ref:refs/heads/main'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. Trace ID: 3d1 Correlation ID: 77 Timestamp: 2026-08-13 14:54:34Z",
        "immutable-sub",
        1,
    ),
    (
        "ClientAssertionCredential authentication failed: A configuration issue is preventing authentication - check the error message from the server for details. Original exception: AADSTS700211: No matching federated identity record found for presented assertion issuer 'https://gitlab.example.com/'. ",
        "iss-mismatch",
        1,
    ),
    (
        "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS700016: Application with identifier 'msi' was not found in the directory 'Contoso'. This can happen if the application has not been installed by the administrator of the tenant.\\r\\nTrace ID: a\\r\\nCorrelation ID: b\\r\\nTimestamp: 2023-05-05 10:00:00Z\",\"error_codes\":[700016]}",
        "client-wrong",
        1,
    ),
    (
        "Error: building account: could not acquire access token to parse claims: clientCredentialsToken: received HTTP status 401 with response: {\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID\"}",
        "client-secret-wrong",
        1,
    ),
    (
        "microsoft.identity.client.MsalServiceException: A configuration issue: AADSTS70025: The client 'abc'(my-app) has no configured federated identity credentials.",
        "fic-missing",
        1,
    ),
    (
        "Credential(Error { context: Full(Custom { kind: DataConversion, error: \"invalid type: string \\\"AADSTS53003: Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.\\\", expected a borrowed string\" }) })",
        "conditional-access",
        1,
    ),
    (
        "azure.core.exceptions.ClientAuthenticationError: (invalid_scope) AADSTS1002012: The provided value for scope https://vault.azure.net is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
        "wrong-scope",
        1,
    ),
    (
        "AADSTS500011: The resource principal named https://kv-prod.vault.azure.net was not found in the tenant named Contoso.",
        "wrong-vault-audience",
        1,
    ),
    (
        "AADSTS90002: Tenant '1234' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (environment: AzureUSGovernment)",
        "wrong-cloud",
        1,
    ),
    (
        "Login failed with Error: Using auth-type: SERVICE_PRINCIPAL. Not all values are present. Ensure 'client-id' and 'tenant-id' are supplied.. Double check if the 'auth-type' is correct.",
        "env-not-set",
        1,
    ),
    (
        "DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:\n\tEnvironmentCredential: missing environment variable AZURE_TENANT_ID\n\tWorkloadIdentityCredential: no client ID specified. Check pod configuration or set ClientID in the options\n\tManagedIdentityCredential: no default identity is assigned to this resource",
        "env-not-set",
        1,
    ),
    (
        "DefaultAzureCredential failed to retrieve a token from the included credentials.\n- EnvironmentCredential authentication unavailable. Environment variables are not fully configured.\n- WorkloadIdentityCredential authentication failed: AADSTS700024: Client assertion is not within its valid time range. Current time: 2024-05-28T06:01:42.1Z, assertion valid from 2024-05-28T02:19:01.0Z, expiry time of assertion 2024-05-28T02:29:01.0Z.",
        "token-expired",
        1,
    ),
    (
        "AADSTS700024: Client assertion is not within its valid time range. Current time: 2024-05-28T06:01:42.1Z, assertion valid from 2024-05-28T06:10:00.0Z, expiry time of assertion 2024-05-28T06:20:00.0Z.",
        "clock-skew",
        1,
    ),
    (
        "AADSTS7000272: The certificate with identifier  used to sign the federated credential could not be found in the metadata of identity provider https://issuer.example.com.",
        "jwks-kid-missing",
        1,
    ),
    ("AADSTS90061: Request to External OIDC endpoint failed.", "jwks-unreachable", 1),
    // Key Vault
    (
        "azure.core.exceptions.HttpResponseError: (Forbidden) Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: appid=11111111-1111-1111-1111-111111111111;oid=22222222-2222-2222-2222-222222222222;iss=https://sts.windows.net/33333333-3333-3333-3333-333333333333/\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nResource: '/subscriptions/x/resourcegroups/y/providers/microsoft.keyvault/vaults/kv/secrets/db'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: kv;location=westeurope\r\n\nCode: Forbidden\nInner error: {\n    \"code\": \"ForbiddenByRbac\"\n}",
        "rbac-missing",
        1,
    ),
    (
        "RESPONSE 403: 403 Forbidden ERROR CODE: Forbidden { \"error\": { \"code\": \"Forbidden\", \"message\": \"Caller is not authorized to perform action on resource. Action: 'Microsoft.KeyVault/vaults/secrets/readMetadata/action' Assignment: (not found) DenyAssignmentId: null\", \"innererror\": { \"code\": \"ForbiddenByRbac\" } } }",
        "missing-list",
        1,
    ),
    (
        "keyvault.BaseClient#GetSecret: Failure responding to request: StatusCode=403 -- Original Error: autorest/azure: Service returned an error. Status=403 Code=\"Forbidden\" Message=\"The user, group or application 'appid=a;oid=b;iss=https://sts.windows.net/c/' does not have secrets get permission on key vault 'kv;location=westeurope'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287\" InnerError={\"code\":\"AccessDenied\"}",
        "access-policy-missing",
        1,
    ),
    (
        "(Forbidden) Client address is not authorized and caller is not a trusted service.\nClient address: 203.0.113.7\nCaller: appid=a;oid=b\nVault: kv;location=westeurope\nCode: Forbidden\nInner error: { \"code\": \"ForbiddenByFirewall\" }",
        "firewall",
        1,
    ),
    (
        "(Unauthorized) AKV10032: Invalid issuer. Expected one of https://sts.windows.net/a/, found https://sts.windows.net/b/.",
        "tenant-wrong",
        1,
    ),
    (
        "Azure.RequestFailedException: The request URI contains an invalid name: db_password\nStatus: 400 (Bad Request)\nErrorCode: BadParameter",
        "secret-name-invalid",
        1,
    ),
    (
        "Secret db is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.",
        "secret-soft-deleted",
        1,
    ),
    (
        "The policy requires the caller 'appid=a;oid=b' to use on-behalf-of (OBO) flow. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2152310",
        "access-policy-compound",
        1,
    ),
    // Google
    (
        "Error: google-github-actions/auth failed with: failed to generate Google Cloud federated token for //iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/g: {\"error\":\"unauthorized_client\",\"error_description\":\"The given credential is rejected by the attribute condition.\"}",
        "attribute-condition",
        1,
    ),
    (
        "Error: google-github-actions/auth failed with: retry function failed after 4 attempts: failed to generate Google Cloud access token for sa@p.iam.gserviceaccount.com: (403) { \"error\": { \"code\": 403, \"message\": \"Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).\", \"status\": \"PERMISSION_DENIED\" } }",
        "principalset-mismatch",
        1,
    ),
    (
        "oauth2/google: status code 400: {\"error\":\"invalid_grant\",\"error_description\":\"The audience in ID Token [https://a] does not match the expected audience https://b.\"}",
        "aud-mismatch",
        1,
    ),
    (
        "google.api_core.exceptions.PermissionDenied: 403 Permission 'secretmanager.versions.access' denied for resource 'projects/p/secrets/s/versions/latest' (or it may not exist).",
        "secret-iam-missing",
        1,
    ),
    (
        "rpc error: code = PermissionDenied desc = Secret Manager API has not been used in project 1234 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/secretmanager.googleapis.com/overview?project=1234 then retry.",
        "api-disabled",
        1,
    ),
    (
        "rpc error: code = FailedPrecondition desc = Secret Version [projects/1/secrets/s/versions/3] is in DESTROYED state.",
        "secret-version-state",
        1,
    ),
    (
        "google.auth.exceptions.OAuthError: ('Error code invalid_target: The target service indicated by the \"audience\" parameters is invalid.', '{...}')",
        "wrong-provider-name",
        1,
    ),
    // Token libraries and issuers
    (
        "oidc: issuer did not match the issuer returned by provider, expected \"https://issuer.example.com\" got \"https://issuer.example.com/\"",
        "issuer-differs",
        1,
    ),
    ("failed to verify id token signature: failed to verify signature: no matching key", "jwks-kid-missing", 2),
    ("jsonwebtoken.TokenExpiredError: jwt expired", "token-expired", 1),
    (
        "GET https://platform.example.com/.well-known/openid-configuration 503 Service Unavailable",
        "issuer-not-configured",
        1,
    ),
    ("Error: Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable", "id-token-permission-missing", 1),
    // The platform
    ("Failed to resolve env var API_KEY: no credential found for provider aws", "credential-not-default", 1),
    ("azure_vault_url is required for Azure secret resolution", "vault-url-missing", 1),
    ("JSON key not found: 'password' in secret 'db'", "json-key-missing", 1),
    ("POST https://crew.example.com/kickoff 401 Unauthorized", "deployment-token-wrong", 1),
    ("POST https://crew.example.com/kickoff returned 422: missing inputs topic", "deployment-inputs-missing", 1),
];
