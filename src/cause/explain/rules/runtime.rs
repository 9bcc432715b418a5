//! What the agent platform, operators and programs say about a value: its field, its age, its form, and the deployment.

use crate::cause::Cause::*;
use crate::cause::explain::rule::rules;

rules! {
    _ Secret Conclusive says ["JSON key not found", "json key", "JSON field"]
        with [["not found", "missing", "does not exist", "no such"]] => [JsonKeyMissing];
    _ Secret Leading says ["does not exist in secret", "Failed to fetch jmesPath", "Invalid JMES Path", "JMESPath",
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
        "illegal newline", "net/http: invalid header field value"] => [ValueVariant, ReadAtImport];
    // The deployment's own answers.
    _ Runtime Leading says ["kickoff"] with [["401", "Unauthorized", "invalid token"]] => [DeploymentTokenWrong];
    _ Runtime Leading says ["kickoff"] with [["422", "missing inputs", "Missing required inputs", "Unprocessable"]]
        => [DeploymentInputsMissing];
    _ Runtime Leading says ["kickoff"]
        with [["connection refused", "timed out", "502", "503", "no such host", "unreachable", "404"]]
        => [DeploymentUnreachable];
}
