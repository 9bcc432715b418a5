//! Texts of clients that treat a refused exchange as one source of credentials among several.

use std::collections::BTreeSet;

use trustline::domain::client::Client;

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
        "rasterio.errors.RasterioIOError: AWS_SECRET_ACCESS_KEY and AWS_NO_SIGN_REQUEST configuration options not defined, and \
         /root/.aws/credentials not filled",
        "rasterio",
        "trustline check --as rasterio",
    ),
    (
        "AuthCredentialsProvider:6146] Default chain credentials provider failed to source credentials with error 6153\n\
         ValueError: PERMISSION_DENIED: AccessDenied: Access Denied [http_response_code='403']",
        "TensorStore",
        "AWS_EC2_METADATA_DISABLED=true",
    ),
    (
        "Error: Could not get valid credentials from STS, ENV, Profile or Instance metadata",
        "aws-creds",
        "trustline check --as aws-creds",
    ),
    (
        "ERROR: /root/.s3cfg: None\nERROR: Configuration file not available.\nERROR: Consider using --configure parameter to create one.",
        "s3cmd",
        "trustline check --as s3cmd",
    ),
    (
        "CredentialsError: Missing credentials in config, if using AWS_CONFIG_FILE, set AWS_SDK_LOAD_CONFIG=1\n    at Timeout \
         (/srv/node_modules/aws-sdk/lib/util.js:1:1)",
        "JavaScript v2",
        "trustline check --as js-v2",
    ),
    (
        "daft.exceptions.DaftCoreException: DaftError::External\n1: an error occurred while loading credentials\n2: service \
         error\n3: unhandled error\n4: Error",
        "AWS SDK for Rust",
        "trustline check --as rust",
    ),
    (
        "    self._table = RawDeltaTable(\nOSError: Kernel error -> Operation not supported\n  an error occurred while loading \
         credentials\n  service error\n  unhandled error\n  Error",
        "deltalake",
        "trustline check --as deltalake",
    ),
    (
        "AuthenticationRequiredError: network_error: See https://aka.ms/msal.js.errors#network_error for details\n    at \
         Object.getTokenByClientAssertion (/srv/msalClient.js:255:50)",
        "WorkloadIdentityCredential",
        "AZURE_LOG_LEVEL=verbose",
    ),
    (
        "AggregateAuthenticationError: ChainedTokenCredential authentication failed.\nAuthenticationRequiredError: \
         network_error: See https://aka.ms/msal.js.errors#network_error for details",
        "@azure/identity, DefaultAzureCredential",
        "AZURE_LOG_LEVEL=verbose",
    ),
    (
        "  File \"/usr/lib/python3/site-packages/gcsfs/retry.py\", line 126, in retry_request\n\
         gcsfs.retry.HttpError: Invalid Credentials, 401",
        "gcsfs",
        "logging.getLogger(\"gcsfs\")",
    ),
];

#[test]
fn every_client_that_hides_has_its_text_here() {
    let hiding = Client::all().filter(|client| client.prints.as_ref().is_some_and(|prints| !prints.hides.is_empty()));
    let hiding: BTreeSet<String> = hiding.map(|client| client.name.clone()).collect();
    let told: BTreeSet<String> =
        SWALLOWED.iter().filter_map(|(text, ..)| json(text)["client"]["name"].as_str().map(str::to_owned)).collect();
    assert_eq!(told, hiding);
}

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
    let dotnet = json(
        "Azure.Identity.AuthenticationFailedException: AADSTS700016: Application with identifier 'x' was not found",
    );
    assert_eq!(dotnet["client"], serde_json::Value::Null, "another library's name in other letters: {dotnet:#}");
}
