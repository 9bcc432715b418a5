//! Texts whose cause is a narrower one than a denial, a missing file or an old token: each with the cause that comes first.

/// A text and the cause that comes first.
pub const NARROWER: &[(&str, &str)] = &[
    (
        "google.api_core.exceptions.PermissionDenied: 403 Request had insufficient authentication scopes. [reason: \"ACCESS_TOKEN_SCOPE_INSUFFICIENT\" domain: \"googleapis.com\" metadata { key: \"service\" value: \"secretmanager.googleapis.com\" }]",
        "wrong-scope",
    ),
    (
        "rpc error: code = PermissionDenied desc = Request had insufficient authentication scopes. error details: name = ErrorInfo reason = ACCESS_TOKEN_SCOPE_INSUFFICIENT domain = googleapis.com",
        "wrong-scope",
    ),
    (
        "MountVolume.SetUp failed for volume \"aws-iam-token\" : failed to fetch token: serviceaccounts \"reader\" is forbidden: audience \"sts.amazonaws.com\" not found in pod spec volume, system:node:ip-10-0-1-7 is not authorized to request tokens for this audience",
        "id-token-permission-missing",
    ),
    (
        "An error occurred (InvalidRequestException) when calling the PutSecretValue operation: Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        "secret-wrong-region",
    ),
    (
        "Error: Could not assume role with OIDC: The web identity token that was passed is expired or is not valid. Get a new identity token from the identity provider and then retry the request.",
        "token-expired",
    ),
    (
        "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: Issuer must be a valid URL",
        "issuer-url-unfit",
    ),
    (
        "AADSTS700231: Token obtained using another federated identity credential may not be used as federated identity credential. Trace ID: 279fd918-de75-4e03-8e06-fc81c2f53701",
        "wrong-token-kind",
    ),
    (
        "AADSTS50034: The user account does not exist in the 4c1a2b3d-5e6f-4708-91a2-b3c4d5e6f708 directory. To sign into this application, the account must be added to the directory.",
        "wrong-flow",
    ),
    ("rusoto_core: Couldn't find AWS credentials in environment, credentials file, or IAM role.", "env-not-set"),
    (
        "{\"error\":\"invalid_grant\",\"error_description\":\"The given credential is rejected by the attribute condition.\"}",
        "attribute-condition",
    ),
    (
        "software.amazon.awssdk.core.exception.SdkClientException: To use web identity tokens, the 'sts' service module must be on the class path.",
        "sdk-sts-module-missing",
    ),
    (
        "java.lang.NoClassDefFoundError: software/amazon/awssdk/services/sts/auth/StsWebIdentityTokenFileCredentialsProvider",
        "sdk-sts-module-missing",
    ),
    (
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@aws-sdk/client-sts' imported from /srv/node_modules/x/index.mjs",
        "sdk-sts-module-missing",
    ),
    (
        "Assembly AWSSDK.SecurityToken could not be found or loaded. This assembly must be available at runtime to use Amazon.Runtime.AssumeRoleWithWebIdentityCredentials.",
        "sdk-sts-module-missing",
    ),
    (
        "[Errno 13] Permission denied: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token'",
        "token-file-unreadable",
    ),
    (
        "Error: EACCES: permission denied, open '/var/run/secrets/azure/tokens/azure-identity-token'",
        "token-file-unreadable",
    ),
    (
        "java.nio.file.AccessDeniedException: /var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        "token-file-unreadable",
    ),
    ("failed to read token file /run/team/token.jwt: Permission denied (os error 13)", "token-file-unreadable"),
    ("open /var/run/secrets/eks.amazonaws.com/serviceaccount/token: no such file or directory", "env-not-set"),
    (
        "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf because no permissions boundary allows the secretsmanager:GetSecretValue action",
        "permissions-boundary",
    ),
    (
        "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/reader/job is not authorized to perform: kms:Decrypt because no session policy allows the kms:Decrypt action",
        "session-policy",
    ),
    (
        "User: arn:aws:sts::123456789012:assumed-role/reader/job is not authorized to perform: secretsmanager:ListSecrets because no VPC endpoint policy allows the secretsmanager:ListSecrets action",
        "vpc-endpoint-policy",
    ),
    (
        "AccessDenied: User: arn:aws:sts::123456789012:assumed-role/reader/job is not authorized to perform: s3:GetObject with an explicit deny in a permissions boundary: arn:aws:iam::123456789012:policy/bound",
        "explicit-deny",
    ),
    (
        "Error: reading Secrets Manager Secret (db): operation error Secrets Manager: DescribeSecret, https response error StatusCode: 400, api error AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/plan/tf is not authorized to perform: secretsmanager:DescribeSecret on resource: db because no identity-based policy allows the secretsmanager:DescribeSecret action",
        "missing-describe",
    ),
    (
        "ExpiredTokenException: The security token included in the request is expired (Service: SecretsManager)",
        "session-expired",
    ),
    ("<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>", "session-expired"),
    (
        "An error occurred (ExpiredTokenException) when calling the AssumeRoleWithWebIdentity operation: Token expired: current date/time 1796000000 must be before the expiration date/time 1795990000",
        "token-expired",
    ),
    (
        "<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does not exist in our records.</Message><AWSAccessKeyId>ASIAQWERTYUIOPASDFGH</AWSAccessKeyId></Error>",
        "session-token-missing",
    ),
    (
        "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '0123456789ABCDEF0123456789ABCDEF01234567']",
        "client-certificate-unknown",
    ),
    (
        "AADSTS700027: Client assertion contains an invalid signature. [Reason - The key used is expired., Thumbprint of key used by client: '0123456789ABCDEF0123456789ABCDEF01234567']",
        "client-secret-expired",
    ),
    ("MalformedPolicyDocument: This policy contains invalid Json", "policy-not-json"),
    ("MalformedPolicyDocument: Syntax errors in policy.", "policy-not-json"),
    (
        "NoAuthWithAWSException: No AWS Credentials provided by X : SdkClientException: Unable to locate specified web identity token file: /var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        "env-not-set",
    ),
    (
        "ValueError: PERMISSION_DENIED: AccessDenied: User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: s3:GetObject because no session policy allows the s3:GetObject action [x-amzn-requestid='1']",
        "session-policy",
    ),
    ("AADSTS500014: The service principal for resource 'https://vault.azure.net' is disabled.", "app-disabled"),
    ("AADSTS7000112: Application '00001111-aaaa-2222-bbbb-3333cccc4444'(reader) is disabled.", "app-disabled"),
    (
        "The user, group or application 'appid=a;oid=b;iss=https://sts.windows.net/c/' does not have secrets get permission on key vault 'team;location=westeurope'.",
        "access-policy-missing",
    ),
    (
        "google: read JWT from JSON credentials: 'type' field is \"external_account\" (expected \"service_account\")",
        "credential-file-kind",
    ),
    (
        "google.auth.exceptions.MalformedError: Service account info was not in the expected format, missing fields client_email, token_uri.",
        "credential-file-kind",
    ),
    ("data did not match: unknown variant `external_account`, expected `service_account`", "credential-file-kind"),
    (
        "The nested job 'deploy' is requesting 'id-token: write', but is only allowed 'id-token: none'.",
        "id-token-permission-missing",
    ),
    (
        "AADSTS70023: External OIDC Provider token must have a lifetime of less than 1.01:00:00. Token issued at 0.",
        "malformed-token",
    ),
    (
        "ERROR: (gcloud.iam.workload-identity-pools.providers.create-oidc) FAILED_PRECONDITION: Org Policy violated for value: 'https://token.actions.githubusercontent.com'.",
        "scp",
    ),
    (
        "ERROR: (gcloud.iam.workload-identity-pools.create) Resource in projects [my-project] is the subject of a conflict: Requested entity already exists",
        "provider-disabled",
    ),
    (
        "googleapi: Error 404: Unknown service account: reader@my-project.iam.gserviceaccount.com, notFound",
        "service-account-missing",
    ),
];
