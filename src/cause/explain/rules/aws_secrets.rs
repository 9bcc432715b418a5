//! What AWS Secrets Manager and KMS say.
//!
//! Sources: the Secrets Manager API
//! (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>) and KMS' key states
//! (<https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>).

use crate::cause::Cause::{self, *};
use crate::cause::explain::rule::{Rule, Stage};
use crate::domain::ids::Cloud::Aws;

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

pub(super) const RULES: &[Rule] = &[
    Rule::ambiguous(
        Stage::Access,
        &[
            "secretsmanager:ListSecrets",
            "secretsmanager:BatchGetSecretValue",
            "ListSecrets",
            "list_secrets",
            "BatchGetSecretValue",
            "list-secrets",
        ],
        &[MissingList, ListResourceScoped, PropagationDelay],
    )
    .with(&[DENIED])
    .without(&[
        "explicit deny",
        "service control policy",
        "token included in the request",
        "SignatureDoesNotMatch",
        "not authorized to perform: secretsmanager:GetSecretValue",
    ])
    .of(Aws),
    Rule::ambiguous(
        Stage::Access,
        &[
            "secretsmanager:GetSecretValue",
            "secretsmanager:DescribeSecret",
            "secretsmanager:ListSecretVersionIds",
            "GetSecretValue",
            "get_secret_value",
            "get-secret-value",
        ],
        READ_DENIED,
    )
    .with(&[DENIED])
    .without(&[
        "explicit deny",
        "service control policy",
        "Access to KMS is not allowed",
        "token included in the request",
        "SignatureDoesNotMatch",
        "AssumeRole",
        "can't find the specified secret",
        "sts:",
        "kms:",
        "secretsmanager:ListSecrets",
        "secretsmanager:BatchGetSecretValue",
    ])
    .of(Aws),
    Rule::ambiguous(
        Stage::Access,
        &[
            "perform: secretsmanager:GetSecretValue",
            "perform: secretsmanager:DescribeSecret",
            "allows the secretsmanager:GetSecretValue",
        ],
        READ_DENIED,
    )
    .without(&["explicit deny", "service control policy"])
    .of(Aws),
    Rule::ambiguous(
        Stage::Access,
        &[
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecret",
            "secretsmanager:CreateSecret",
            "secretsmanager:RotateSecret",
        ],
        &[MissingGet, SecretArnSuffix, EnvConflict, ExplicitDeny],
    )
    .with(&[DENIED])
    .without(&["explicit deny"])
    .of(Aws),
    Rule::leading(
        Stage::Access,
        &["Failed to fetch secret from all regions", "Verify secret exists and required permissions are granted"],
        &[MissingGet, SecretNotFound, SecretWrongRegion, SecretArnSuffix, VersionstageCondition, MissingKms],
    )
    .without(&["not authorized to perform", "can't find the specified secret"])
    .of(Aws),
    // KMS behind the secret.
    Rule::conclusive(Stage::Access, &["Access to KMS is not allowed"], &[MissingKms]).of(Aws),
    Rule::leading(
        Stage::Access,
        &["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
        &[MissingKms, WrongAccount, ExplicitDeny],
    )
    .with(&[DENIED])
    .without(&["explicit deny", "Access to KMS is not allowed"])
    .of(Aws),
    Rule::leading(
        Stage::Access,
        &[
            "ciphertext refers to a customer master key that does not exist",
            "ciphertext refers to a KMS key that does not exist",
        ],
        &[MissingKms, WrongAccount, KmsKeyState, SecretWrongRegion],
    )
    .of(Aws),
    Rule::leading(
        Stage::Access,
        &["default KMS service key", "encrypt the secret with the default KMS"],
        &[MissingKms, WrongAccount],
    )
    .of(Aws),
    Rule::conclusive(
        Stage::Access,
        &[
            "KMSInvalidState",
            "is pending deletion",
            "is pending import",
            "KMS key is disabled",
            "KeyUnavailableException",
        ],
        &[KmsKeyState],
    )
    .without(&["secret with this name"])
    .of(Aws),
    Rule::conclusive(Stage::Access, &["is disabled"], &[KmsKeyState])
        .with(&[&["arn:aws:kms", "AWSKMS", "KMS", "DisabledException"]])
        .without(&["endpoint"])
        .of(Aws),
    Rule::leading(
        Stage::Access,
        &[
            "DecryptionFailure",
            "can't decrypt the protected secret",
            "EncryptionFailure",
            "can't encrypt the protected secret",
        ],
        &[KmsKeyState, MissingKms],
    )
    .of(Aws),
    // The secret.
    Rule::conclusive(
        Stage::Secret,
        &["secret value for staging label", "secret value for VersionStage"],
        &[SecretEmpty],
    )
    .of(Aws),
    Rule::leading(Stage::Secret, &["secret value for VersionId"], &[SecretEmpty, SecretNotFound]).of(Aws),
    Rule::ambiguous(
        Stage::Secret,
        &["can't find the specified secret", "cannot find the specified secret"],
        &[SecretWrongRegion, SecretNotFound, WrongAccount, SecretEmpty],
    )
    .without(&["specified secret value for"])
    .of(Aws),
    Rule::conclusive(Stage::Secret, &["ResourceNotFoundException", "ResourceNotFound", "not found"], &[SecretEmpty])
        .with(&[
            &["GetSecretValue", "get_secret_value", "get-secret-value"],
            &[
                "DescribeSecret works",
                "describe_secret works",
                "describe-secret works",
                "describe works",
                "describe_secret succeeds",
                "DescribeSecret succeeds",
                "secret exists",
                "no value",
                "without a value",
                "empty secret",
            ],
        ])
        .of(Aws),
    Rule::ambiguous(
        Stage::Secret,
        &["ResourceNotFoundException", "ResourceNotFound|", "not found"],
        &[SecretWrongRegion, SecretNotFound, SecretEmpty, WrongAccount],
    )
    .with(&[&[
        "secretsmanager",
        "Secrets Manager",
        "GetSecretValue",
        "get_secret_value",
        "get-secret-value",
        "DescribeSecret",
        "asm:",
        "AWSSecretsManager",
    ]])
    .without(&[
        "can't find the specified secret",
        "vault.azure",
        "secretmanager.googleapis",
        "AADSTS",
        "OpenIDConnect",
        "json key",
        "does not contain json key",
        "did not contain json key",
    ])
    .of(Aws),
    Rule::conclusive(
        Stage::Secret,
        &[
            "was marked for deletion",
            "marked for deletion",
            "already scheduled for deletion",
            "currently marked deleted",
            "is scheduled for deletion",
        ],
        &[SecretPendingDeletion],
    )
    .without(&["KMS", "vault"])
    .of(Aws),
    Rule::conclusive(
        Stage::Secret,
        &["did not contain json key", "does not contain json key", "does not contain key"],
        &[JsonKeyMissing],
    ),
    Rule::leading(
        Stage::Secret,
        &["Invalid name. Must be a valid name", "Invalid name. Must be"],
        &[SecretNameInvalid],
    )
    .with(&[&["secret", "Secret"]])
    .of(Aws),
    // Any other right.
    Rule::ambiguous(
        Stage::Access,
        &["is not authorized to perform:", "not authorized to perform"],
        &[MissingGet, ExplicitDeny, Scp, EnvConflict],
    )
    .without(&[
        "secretsmanager:",
        "sts:",
        "kms:Decrypt",
        "explicit deny",
        "kms:GenerateDataKey",
        "does not have authorization",
        "Caller is not authorized",
        "because no service control",
    ])
    .of(Aws),
];
