//! What AWS Secrets Manager and KMS say.
//!
//! Sources: the Secrets Manager API
//! (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>) and KMS' key states
//! (<https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>).

use crate::cause::Cause::{self, *};
use crate::cause::explain::rule::rules;

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
    Aws Access Ambiguous says ["secretsmanager:ListSecrets", "secretsmanager:BatchGetSecretValue", "ListSecrets",
        "list_secrets", "BatchGetSecretValue", "list-secrets"] with [DENIED] without ["explicit deny",
        "service control policy", "token included in the request", "SignatureDoesNotMatch",
        "not authorized to perform: secretsmanager:GetSecretValue"]
        => [MissingList, ListResourceScoped, PropagationDelay];
    Aws Access Ambiguous says ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret",
        "secretsmanager:ListSecretVersionIds", "GetSecretValue", "get_secret_value", "get-secret-value"] with [DENIED]
        without ["explicit deny", "service control policy", "Access to KMS is not allowed",
        "token included in the request", "SignatureDoesNotMatch", "AssumeRole", "can't find the specified secret",
        "sts:", "kms:", "secretsmanager:ListSecrets", "secretsmanager:BatchGetSecretValue"] => READ_DENIED;
    Aws Access Ambiguous says ["perform: secretsmanager:GetSecretValue", "perform: secretsmanager:DescribeSecret",
        "allows the secretsmanager:GetSecretValue"] without ["explicit deny", "service control policy"]
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
    Aws Secret Leading says ["Invalid name. Must be a valid name", "Invalid name. Must be"]
        with [["secret", "Secret"]] => [SecretNameInvalid];
    // Any other right.
    Aws Access Ambiguous says ["is not authorized to perform:", "not authorized to perform"]
        without ["secretsmanager:", "sts:", "kms:Decrypt", "explicit deny", "kms:GenerateDataKey",
        "does not have authorization", "Caller is not authorized", "because no service control"]
        => [MissingGet, ExplicitDeny, Scp, EnvConflict];
}
