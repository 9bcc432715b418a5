//! Texts of clients that treat a refused exchange as one source of credentials among several.

use super::{explained, json};

/// A text without the cloud's answer, the client, and what the way to the answer names.
const SWALLOWED: &[(&str, &str, &str)] = &[
    (
        "Unexpected (permanent) at stat => signing http request\n\nContext:\n   called: reqsign::Sign\n   service: s3\n\n\
         Source:\n   failed to load signing credential",
        "OpenDAL",
        "trustline check --as opendal",
    ),
    (
        "awscrt.exceptions.AwsCrtError: AWS_AUTH_CREDENTIALS_PROVIDER_IMDS_SOURCE_FAILURE: Valid credentials could not be \
         sourced by the IMDS provider",
        "Common Runtime",
        "AWS_EC2_METADATA_DISABLED=true",
    ),
    (
        "ERROR 15: AWS_SECRET_ACCESS_KEY and AWS_NO_SIGN_REQUEST configuration options not defined, and \
         /root/.aws/credentials not filled\nogrinfo failed - unable to open '/vsis3/a/b.gpkg'.",
        "GDAL",
        "trustline check --as gdal",
    ),
    (
        "OSError: When listing objects under key '' in bucket 'b': AWS Error ACCESS_DENIED during ListObjectsV2 operation: \
         Access Denied",
        "pyarrow",
        "S3LogLevel",
    ),
    (
        "Fatal: create repository at s3:s3.amazonaws.com/b failed: client.BucketExists: Access Denied.",
        "restic",
        "trustline check --as restic",
    ),
    (
        "tiledb.cc.TileDBError: [TileDB::S3] Error: Error while listing with prefix 's3://b/' [Exception: AccessDenied] : \
         Access Denied",
        "TileDB",
        "vfs.s3.logging_level",
    ),
    (
        "AggregateAuthenticationError: ChainedTokenCredential authentication failed.\nAuthenticationRequiredError: \
         network_error: See https://aka.ms/msal.js.errors#network_error for details",
        "@azure/identity",
        "AZURE_LOG_LEVEL=verbose",
    ),
];

#[test]
fn a_client_that_swallows_the_answer_is_named_with_the_way_to_see_it() {
    for (text, name, see) in SWALLOWED {
        let document = json(text);
        let client = &document["client"];
        assert!(client["name"].as_str().is_some_and(|known| known.contains(name)), "{document:#}");
        assert_eq!(client["hides"], true, "{text}");
        assert!(client["see"].as_str().is_some_and(|known| known.contains(see)), "{document:#}");
        assert!(client["instead"].as_array().is_some_and(|list| list.len() > 3), "{document:#}");
        assert_eq!(document["causes"], serde_json::json!([]), "no cause is guessed: {text}");
        let printed = explained(text, &[]);
        let report = String::from_utf8_lossy(&printed.stdout).replace(char::is_whitespace, " ");
        assert!(report.contains("not in this text") && report.contains("To see the answer"), "{report}");
        assert_eq!(printed.status.code(), Some(1), "{report}");
    }
}

#[test]
fn the_same_clients_with_the_answer_hide_nothing() {
    let answer = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";
    for (text, name, _) in SWALLOWED {
        let document = json(&format!("{answer}\n{text}"));
        assert_eq!(document["client"]["hides"], false, "{text}");
        assert_eq!(document["causes"][0]["cause"], "sub-mismatch", "{text}");
        assert!(document["client"]["name"].as_str().is_some_and(|known| known.contains(name)), "{document:#}");
    }
    let boto3 = json(&format!("botocore.exceptions.ClientError: An error occurred ({answer}"));
    assert_eq!((&boto3["client"]["name"], &boto3["client"]["hides"]), (&"boto3".into(), &false.into()), "{boto3:#}");
    assert_eq!(json(answer)["client"], serde_json::Value::Null);
}
