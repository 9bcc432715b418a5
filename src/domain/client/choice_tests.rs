//! What each client was seen to do, row by row, against what the choice makes of its file.

use super::aws_choice::{self, AwsSource, Because, Sts};
use super::behaviour::SharedProfile;
use super::entra_choice::{self, AzureBecause, AzureSource};
use super::surroundings::{ProfileKeys, Surroundings, TokenFile};
use super::{AwsBehaviour, AzureBehaviour, Client};

const R: (&str, &str) = ("AWS_REGION", "eu-central-1");
const D: (&str, &str) = ("AWS_DEFAULT_REGION", "eu-central-1");

fn aws(id: &str) -> &'static AwsBehaviour {
    Client::named(id).and_then(|client| client.aws.as_ref()).unwrap_or_else(|| panic!("{id}"))
}

fn azure(id: &str) -> &'static AzureBehaviour {
    Client::named(id).and_then(|client| client.azure.as_ref()).unwrap_or_else(|| panic!("{id}"))
}

fn variables(set: &[(&str, &str)]) -> Surroundings {
    Surroundings::of_variables(&|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
}

/// A role and a token's file, and what else is set.
fn identity(set: &[(&str, &str)]) -> Surroundings {
    let own = [("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")];
    variables(&[&own, set].concat())
}

fn federated(set: &[(&str, &str)]) -> Surroundings {
    let own = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_FEDERATED_TOKEN_FILE", "/t")];
    variables(&[&own, set].concat())
}

/// The STS that is dialled: a host, the endpoint's variable, `-` where none is.
fn dialled(id: &str, set: &[(&str, &str)]) -> String {
    match aws_choice::choose(aws(id), &identity(set)).sts {
        Sts::Host(host) => host,
        Sts::Endpoint(variable) => variable.to_owned(),
        Sts::OfBucket => "bucket".to_owned(),
        Sts::Unfit(_) | Sts::NoRegion(_) => "-".to_owned(),
    }
}

fn compare<const N: usize>(rows: &[(&str, [&str; N])], columns: [&[(&str, &str)]; N]) {
    let short =
        |host: String| host.replace(".amazonaws.com", "").replace("eu-central-1", "eu").replace("sts.cn-north-1", "cn");
    for (client, expected) in rows {
        let found = columns.map(|set| short(dialled(client, set)));
        assert_eq!(found, expected.map(str::to_owned), "{client}");
    }
}

#[test]
fn the_region_decides_the_sts_as_each_client_reads_it() {
    // With AWS_REGION alone, with neither, with AWS_DEFAULT_REGION alone.
    let rows = [
        ("boto3", ["sts", "sts", "sts.eu"]),
        ("aws-cli-v1", ["sts", "sts", "sts.eu"]),
        ("aws-cli-v2", ["sts.eu", "sts", "sts.eu"]),
        ("js-v3", ["sts.eu", "-", "-"]),
        ("js-v2", ["sts", "sts", "sts"]),
        ("deltalake", ["sts.eu", "-", "sts.eu"]),
        ("rust", ["sts.eu", "-", "sts.eu"]),
        ("pyarrow", ["sts.eu", "-", "sts.eu"]),
        ("tiledb", ["sts.eu", "sts.us-east-1", "sts.eu"]),
        ("awscrt", ["sts.eu", "-", "sts.eu"]),
        ("tensorstore", ["sts.eu", "-", "sts.eu"]),
        ("obstore", ["sts.eu", "sts.us-east-1", "sts.eu"]),
        ("polars", ["sts.eu", "bucket", "sts.eu"]),
        ("polars-boto3", ["sts", "sts", "sts.eu"]),
        ("opendal", ["sts", "-", "sts"]),
        ("aws-creds", ["sts", "sts", "sts"]),
        ("gdal", ["sts.eu", "sts.us-east-1", "sts.us-east-1"]),
        ("rasterio", ["sts.eu", "sts.us-east-1", "sts.us-east-1"]),
        ("s3cmd", ["sts", "sts", "sts"]),
        ("restic", ["sts.eu", "sts", "sts"]),
        ("rclone-1.60", ["sts", "sts", "sts"]),
        ("go-v2", ["sts.eu", "-", "sts.eu"]),
        ("s5cmd", ["sts", "sts", "sts"]),
        ("s3fs", ["sts", "sts", "sts.eu"]),
        ("smart-open", ["sts", "sts", "sts.eu"]),
        ("java-v1", ["sts", "-", "-"]),
        ("java-v2", ["sts.eu", "sts", "sts"]),
        ("dotnet", ["sts.eu", "sts.us-east-1", "sts.us-east-1"]),
    ];
    compare(&rows, [&[R], &[], &[D]]);
}

#[test]
fn without_a_region_some_take_the_machines_role_and_some_nothing() {
    for (client, source, without_machine) in [
        ("boto3", AwsSource::WebIdentity, AwsSource::WebIdentity),
        ("js-v3", AwsSource::Error, AwsSource::Error),
        ("rust", AwsSource::Error, AwsSource::Error),
        ("opendal", AwsSource::Error, AwsSource::Error),
        ("go-v2", AwsSource::Error, AwsSource::Error),
        ("pyarrow", AwsSource::Machine, AwsSource::Anonymous),
        ("tensorstore", AwsSource::Machine, AwsSource::Anonymous),
        ("awscrt", AwsSource::Machine, AwsSource::Error),
    ] {
        let choice = aws_choice::choose(aws(client), &identity(&[]));
        assert_eq!((choice.source, choice.source.without_machine(aws(client))), (source, without_machine), "{client}");
    }
}

#[test]
fn variables_about_hosts_are_honoured_by_some() {
    let both = [R, D];
    let with = |name, value| [R, D, (name, value)];
    let (legacy, regional) =
        (with("AWS_STS_REGIONAL_ENDPOINTS", "legacy"), with("AWS_STS_REGIONAL_ENDPOINTS", "regional"));
    let (dual, fips) = (with("AWS_USE_DUALSTACK_ENDPOINT", "true"), with("AWS_USE_FIPS_ENDPOINT", "true"));
    let china = [("AWS_REGION", "cn-north-1"), ("AWS_DEFAULT_REGION", "cn-north-1")];
    let off = [R, ("AWS_ENDPOINT_URL", "https://127.0.0.1:8443"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
    assert_eq!(dialled("js-v3", &both), "sts.eu-central-1.amazonaws.com");
    let rows = [
        ("boto3", ["sts", "sts", "sts.eu", "sts.eu.api.aws", "sts-fips.eu", "cn.cn"]),
        ("aws-cli-v1", ["sts", "sts", "sts.eu", "sts.eu.api.aws", "sts-fips.eu", "cn.cn"]),
        ("aws-cli-v2", ["sts.eu", "sts.eu", "sts.eu", "sts.eu.api.aws", "sts-fips.eu", "cn.cn"]),
        ("js-v3", ["sts.eu", "sts.eu", "sts.eu", "sts.eu.api.aws", "sts-fips.eu", "cn.cn"]),
        ("js-v2", ["sts", "sts", "sts.eu", "sts", "sts", "cn.cn"]),
        ("deltalake", ["sts.eu", "sts.eu", "sts.eu", "sts.eu", "sts.eu", "cn.cn"]),
        ("rust", ["AWS_ENDPOINT_URL", "sts.eu", "sts.eu", "sts.eu", "sts.eu", "cn.cn"]),
        ("pyarrow", ["-", "sts.eu", "sts.eu", "sts.eu", "sts.eu", "cn.cn"]),
        ("tiledb", ["sts.eu", "sts.eu", "sts.eu", "sts.eu", "sts.eu", "cn.cn"]),
        ("awscrt", ["-", "sts.eu", "sts.eu", "sts.eu", "sts.eu", "cn.cn"]),
        ("tensorstore", ["-", "sts.eu", "sts.eu", "sts.eu", "sts.eu", "cn.cn"]),
        ("obstore", ["sts.eu", "sts.eu", "sts.eu", "sts.eu", "sts.eu", "cn"]),
        ("polars", ["sts.eu", "sts.eu", "sts.eu", "sts.eu", "sts.eu", "cn"]),
        ("polars-boto3", ["sts", "sts", "sts.eu", "sts.eu.api.aws", "sts-fips.eu", "cn.cn"]),
        ("opendal", ["sts", "sts", "sts.eu", "sts", "sts", "sts.cn"]),
        ("aws-creds", ["sts", "sts", "sts", "sts", "sts", "sts"]),
        ("gdal", ["sts.eu", "sts", "sts.eu", "sts.eu", "sts.eu", "cn"]),
        ("rasterio", ["sts.eu", "sts", "sts.eu", "sts.eu", "sts.eu", "cn"]),
        ("s3cmd", ["sts", "sts", "sts.eu", "sts", "sts", "sts"]),
        ("restic", ["sts.eu", "sts.eu", "sts.eu", "sts.eu", "sts.eu", "cn.cn"]),
        ("go-v2", ["sts.eu", "sts.eu", "sts.eu", "sts.eu.api.aws", "sts-fips.eu", "cn.cn"]),
        ("s3fs", ["sts", "sts", "sts.eu", "sts.eu.api.aws", "sts-fips.eu", "cn.cn"]),
    ];
    compare(&rows, [&off, &legacy, &regional, &dual, &fips, &china]);
}

#[test]
fn endpoints_are_taken_passed_over_or_stumbled_upon() {
    let url = "https://127.0.0.1:8443";
    let (own, general) = ([R, D, ("AWS_ENDPOINT_URL_STS", url)], [R, D, ("AWS_ENDPOINT_URL", url)]);
    let (s, e) = ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL");
    let rows = [
        ("boto3", [s, e]),
        ("aws-cli-v1", [s, e]),
        ("aws-cli-v2", ["sts.eu", "sts.eu"]),
        ("js-v3", [s, e]),
        ("js-v2", ["sts", "sts"]),
        ("deltalake", [s, "sts.eu"]),
        ("rust", [s, e]),
        ("pyarrow", ["-", "-"]),
        ("tiledb", ["sts.eu", "sts.eu"]),
        ("awscrt", ["-", "-"]),
        ("tensorstore", ["-", "-"]),
        ("obstore", [s, "sts.eu"]),
        ("polars", [s, "sts.eu"]),
        ("polars-boto3", [s, e]),
        ("opendal", ["sts", "sts"]),
        ("aws-creds", ["sts", "sts"]),
        ("gdal", ["sts.eu", "sts.eu"]),
        ("rasterio", ["sts.eu", "sts.eu"]),
        ("s3cmd", ["sts", "sts"]),
        ("restic", ["sts.eu", "sts.eu"]),
        ("rclone-1.60", ["sts", "sts"]),
        ("go-v2", [s, "sts.eu"]),
        ("s5cmd", ["sts", "sts"]),
        ("s3fs", [s, e]),
        ("smart-open", [s, e]),
    ];
    compare(&rows, [&own, &general]);
    for (client, without_machine) in
        [("pyarrow", AwsSource::Anonymous), ("tensorstore", AwsSource::Anonymous), ("awscrt", AwsSource::Error)]
    {
        let choice = aws_choice::choose(aws(client), &identity(&own));
        assert_eq!((choice.source, choice.because), (AwsSource::Machine, Some(Because::Endpoint(s))), "{client}");
        assert_eq!(choice.source.without_machine(aws(client)), without_machine, "{client}");
    }
    // A bare host name is what the Common Runtime takes, and what nobody else does.
    let bare = [R, D, ("AWS_ENDPOINT_URL_STS", "vpce-1.sts.us-east-1.vpce.amazonaws.com")];
    compare(&[("awscrt", [s]), ("pyarrow", [s]), ("boto3", ["-"]), ("js-v3", ["-"]), ("rust", ["-"])], [&bare]);
}

#[test]
fn other_credentials_win_as_each_client_orders_them() {
    use AwsSource::{EmptyKeys, Error, VariableKeys, WebIdentity};
    let keys = |id, secret| [R, ("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)];
    let profile = identity(&[R, ("AWS_PROFILE", "x")]);
    let named = Surroundings { named_profile: ProfileKeys::Keys, ..profile };
    let default = Surroundings { default_profile: ProfileKeys::Keys, ..identity(&[R]) };
    let columns =
        [identity(&keys("AKIA", "s")), named, default, identity(&keys("", "")), identity(&[R, ("AWS_PROFILE", "")])];
    let (n, d) = (AwsSource::ProfileKeys(SharedProfile::Named), AwsSource::ProfileKeys(SharedProfile::Default));
    let w = WebIdentity;
    for (client, expected) in [
        ("boto3", [w, w, w, Error]),
        ("aws-cli-v1", [w, w, w, Error]),
        ("aws-cli-v2", [w, w, w, Error]),
        ("js-v3", [n, d, w, w]),
        ("js-v2", [n, d, w, w]),
        ("deltalake", [n, d, EmptyKeys, w]),
        ("rust", [n, d, w, w]),
        ("pyarrow", [n, d, w, w]),
        ("tiledb", [n, d, w, w]),
        ("awscrt", [n, d, w, w]),
        ("tensorstore", [w, w, w, w]),
        ("obstore", [w, w, EmptyKeys, w]),
        ("polars", [n, d, EmptyKeys, w]),
        ("polars-boto3", [w, w, w, Error]),
        ("opendal", [n, d, Error, w]),
        ("aws-creds", [w, d, EmptyKeys, w]),
        ("gdal", [n, d, w, w]),
        ("rasterio", [n, d, w, w]),
        ("s3cmd", [n, w, w, w]),
        ("restic", [n, d, w, w]),
        ("go-v2", [w, w, w, w]),
        ("s3fs", [w, w, w, Error]),
        ("java-v1", [w, w, w, w]),
        ("java-v2", [w, w, w, w]),
        ("dotnet", [w, w, w, w]),
    ] {
        let found = columns.each_ref().map(|around| aws_choice::choose(aws(client), around).source);
        let [named, default, empty, no_name] = expected;
        // A region that only AWS_REGION has is none for some, and that is told elsewhere.
        assert_eq!(found, [VariableKeys, named, default, empty, no_name], "{client}");
    }
}

#[test]
fn an_incomplete_set_up_ends_as_it_was_seen_to() {
    use AwsSource::{Anonymous, Error, Machine, Unfit};
    let columns = [
        variables(&[R, ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")]),
        Surroundings { token_file: TokenFile::Missing, ..identity(&[R]) },
        Surroundings { token_file: TokenFile::Empty, ..identity(&[R]) },
    ];
    for (client, expected) in [
        ("boto3", [Error, Error, Error]),
        ("aws-cli-v2", [Error, Error, Error]),
        ("js-v3", [Machine, Error, Unfit]),
        ("js-v2", [Machine, Machine, Unfit]),
        ("deltalake", [Machine, Error, Unfit]),
        ("rust", [Error, Error, Unfit]),
        ("pyarrow", [Machine, Machine, Unfit]),
        ("tiledb", [Machine, Machine, Unfit]),
        ("awscrt", [Machine, Machine, Unfit]),
        ("tensorstore", [Machine, Machine, Unfit]),
        ("obstore", [Machine, Error, Unfit]),
        ("polars", [Machine, Error, Unfit]),
        ("polars-boto3", [Error, Error, Error]),
        ("opendal", [Machine, Machine, Machine]),
        ("aws-creds", [Error, Error, Unfit]),
        ("gdal", [Machine, Machine, Machine]),
        ("rasterio", [Machine, Machine, Machine]),
        ("s3cmd", [Machine, Error, Unfit]),
        ("restic", [Unfit, Anonymous, Unfit]),
        ("go-v2", [Error, Error, Unfit]),
        ("s3fs", [Error, Error, Error]),
        ("java-v1", [Machine, Machine, Unfit]),
        ("java-v2", [Machine, Machine, Unfit]),
        ("dotnet", [Machine, Error, Unfit]),
    ] {
        let found = columns.each_ref().map(|around| aws_choice::choose(aws(client), around).source);
        assert_eq!(found, expected, "{client}");
    }
}

#[test]
fn the_authoritys_form_decides_at_entra() {
    let private = "127.0.0.1:8443";
    let columns = [
        "https://127.0.0.1:8443/",
        "https://127.0.0.1:8443",
        "http://127.0.0.1:80/",
        "login.microsoftonline.com",
        "https://login.chinacloudapi.cn/",
    ];
    let (public, former, present) =
        ("login.microsoftonline.com", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn");
    for (client, expected) in [
        ("azure-python-workload", [private, private, "error", public, former]),
        ("azure-python", [private, private, "error", public, former]),
        ("azure-js-workload", [private, private, "error", "error", present]),
        ("azure-js", [private, private, "error", "error", present]),
        ("azure-rust", [private, private, "error", "error", former]),
        ("msal-python", [private, private, "error", "error", former]),
        ("obstore", [private, private, "error", "error", former]),
        ("deltalake", [private, private, "error", "error", former]),
        ("pyarrow", [private, private, "error", "error", former]),
        ("opendal", [private, private, "127.0.0.1:80", "machine", former]),
        ("go-v2", [private, private, "error", "error", former]),
        ("rasterio", [private, "machine", "127.0.0.1:80", "machine", former]),
        // It reads none of the variables: its own cloud has an authority.
        ("az", [private, private, "127.0.0.1:80", public, former]),
    ] {
        for (written, expected) in columns.into_iter().zip(expected) {
            let choice = entra_choice::choose(azure(client), &federated(&[("AZURE_AUTHORITY_HOST", written)]));
            let found = match choice.source {
                AzureSource::WorkloadIdentity => choice.authority.unwrap(),
                AzureSource::Machine => "machine".to_owned(),
                _ => "error".to_owned(),
            };
            assert_eq!(found, expected, "{client}: {written}");
        }
    }
}

#[test]
fn without_an_authority_all_but_gdal_ask_microsofts_own() {
    for client in Client::all() {
        let Some(behaviour) = &client.azure else { continue };
        let choice = entra_choice::choose(behaviour, &federated(&[]));
        let expected = match client.id {
            "gdal" | "rclone-1.60" => (AzureSource::Machine, Some(AzureBecause::NoWorkloadIdentity)),
            "rasterio" => (AzureSource::Machine, Some(AzureBecause::NoAuthority)),
            _ => (AzureSource::WorkloadIdentity, None),
        };
        assert_eq!((choice.source, choice.because), expected, "{}", client.id);
    }
}

#[test]
fn another_credential_of_the_chain_goes_first_at_entra() {
    let source = |client: &str, set: &[(&str, &str)]| entra_choice::choose(azure(client), &federated(set)).source;
    let secret = [("AZURE_CLIENT_SECRET", "s")];
    let user = [("AZURE_USERNAME", "u"), ("AZURE_PASSWORD", "p")];
    for client in ["azure-python", "azure-js"] {
        assert_eq!(source(client, &secret), AzureSource::Environment);
        assert_eq!(source(client, &user), AzureSource::Environment);
        assert_eq!(source(client, &[("AZURE_USERNAME", "u")]), AzureSource::WorkloadIdentity);
        for (named, expected) in [
            ("dev", AzureSource::Developer),
            ("AzureCliCredential", AzureSource::Developer),
            ("ManagedIdentityCredential", AzureSource::Machine),
            ("prod", AzureSource::WorkloadIdentity),
            ("WorkloadIdentityCredential", AzureSource::WorkloadIdentity),
        ] {
            assert_eq!(source(client, &[("AZURE_TOKEN_CREDENTIALS", named)]), expected, "{client}: {named}");
        }
    }
    for client in ["azure-python-workload", "azure-rust", "obstore", "opendal"] {
        assert_eq!(source(client, &secret), AzureSource::WorkloadIdentity, "{client}");
        assert_eq!(source(client, &[("AZURE_TOKEN_CREDENTIALS", "dev")]), AzureSource::WorkloadIdentity, "{client}");
    }
}

#[test]
fn a_missing_token_file_and_a_tenant_in_the_authority_end_as_they_were_seen_to_at_entra() {
    let missing = Surroundings { token_file: TokenFile::Missing, ..federated(&[]) };
    for (client, expected) in [
        ("azure-python", AzureSource::Error),
        ("azure-js", AzureSource::Error),
        ("azure-rust", AzureSource::Error),
        ("opendal", AzureSource::Machine),
        ("pyarrow", AzureSource::Unfit),
    ] {
        assert_eq!(entra_choice::choose(azure(client), &missing).source, expected, "{client}");
    }
    assert_eq!(entra_choice::choose(azure("az"), &variables(&[])).source, AzureSource::WorkloadIdentity);
    let tenant = federated(&[("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/4c1a2b3d/")]);
    for (client, because) in [
        ("azure-python", Some(AzureBecause::TenantInAuthority)),
        ("azure-python-workload", Some(AzureBecause::TenantInAuthority)),
        ("azure-rust", None),
    ] {
        assert_eq!(entra_choice::choose(azure(client), &tenant).because, because, "{client}");
    }
}
