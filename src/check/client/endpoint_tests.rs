//! Where a client's own way differs from trustline's, fault by fault.

use super::*;
use crate::check::Outcome;
use crate::check::facts::aws::AssumedRole;
use crate::check::facts::client::ClientFact;
use crate::check::facts::network::Exchange;
use crate::check::facts::secret::{Answer, Call, Refusal};
use crate::domain::certificate::{Certificate, Chain};
use crate::domain::guide::Guide;

fn seen(set: &[(&str, &str)]) -> Surroundings {
    Surroundings::of_variables(&|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
}

fn aws(set: &[(&str, &str)]) -> Facts {
    let own = [("AWS_ROLE_ARN", "r"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")];
    Facts { client: Some(ClientFact::new(seen(&[&own, set].concat()))), ..Facts::default() }
}

fn azure(set: &[(&str, &str)]) -> Facts {
    let own = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_FEDERATED_TOKEN_FILE", "/t")];
    Facts { client: Some(ClientFact::new(seen(&[&own, set].concat()))), ..Facts::default() }
}

fn judge(guide: Guide, client: &str, facts: &Facts) -> Verdict {
    let clients = Client::named(client).into_iter().collect();
    let mut profile = Profile { clients, ..Profile::bare("p", guide) };
    profile.aws.region = Some("us-east-1".to_owned());
    endpoint(facts, &profile)
}

const R: (&str, &str) = ("AWS_REGION", "us-east-1");
const D: (&str, &str) = ("AWS_DEFAULT_REGION", "us-east-1");

#[test]
fn regions_endpoints_and_proxies_that_a_client_reads_otherwise() {
    let url = "https://vpce.example";
    let fails = Outcome::Fail;
    for (set, client, outcome, cause) in [
        (&[R][..], "boto3", fails, Cause::EnvNotSet),
        (&[R], "aws-cli-v1", fails, Cause::EnvNotSet),
        (&[D], "js-v3", fails, Cause::EnvNotSet),
        (&[R, ("AWS_DEFAULT_REGION", "eu-west-3")], "boto3", fails, Cause::EnvConflict),
        (&[R, D, ("AWS_ENDPOINT_URL_STS", url)], "pyarrow", fails, Cause::ClientSettingIgnored),
        (&[R, D, ("AWS_ENDPOINT_URL_STS", url)], "awscrt", fails, Cause::ClientSettingIgnored),
        (&[R, D, ("AWS_ENDPOINT_URL_STS", url)], "aws-cli-v2", fails, Cause::ClientSettingIgnored),
        (&[R, D, ("AWS_ENDPOINT_URL", url)], "obstore", fails, Cause::ClientSettingIgnored),
        (&[R, D, ("AWS_ENDPOINT_URL_STS", "vpce.example")], "boto3", fails, Cause::ClientSettingIgnored),
        (&[R, D, ("HTTPS_PROXY", "http://p:1")], "js-v3", Outcome::Warn, Cause::ClientSettingIgnored),
        (&[R, D, ("HTTPS_PROXY", "http://p:1")], "pyarrow", Outcome::Warn, Cause::ClientSettingIgnored),
        (&[R, D, ("AWS_ENDPOINT_URL", url), (ENDPOINTS_OFF, "true")], "rust", fails, Cause::ClientSettingIgnored),
    ] {
        let verdict = judge(Guide::AwsWorkloadIdentity, client, &aws(set));
        let causes: Vec<Cause> = verdict.findings.iter().map(|finding| finding.cause).collect();
        assert_eq!((verdict.outcome, causes.as_slice()), (outcome, &[cause][..]), "{client} {set:?}");
    }
    for (set, client) in [
        (&[D][..], "boto3"),
        (&[R], "js-v3"),
        (&[R, D], "pyarrow"),
        (&[R, D, ("AWS_ENDPOINT_URL_STS", url)], "boto3"),
        (&[R, D, ("AWS_ENDPOINT_URL_STS", "vpce.example")], "awscrt"),
        (&[R, D, ("AWS_ENDPOINT_URL", url), (ENDPOINTS_OFF, "true")], "boto3"),
        (&[R, D, ("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", ".amazonaws.com")], "js-v3"),
        (&[R, D, ("HTTPS_PROXY", "http://p:1")], "boto3"),
    ] {
        assert_eq!(judge(Guide::AwsWorkloadIdentity, client, &aws(set)), Verdict::pass(), "{client} {set:?}");
    }
}

#[test]
fn authorities_of_entra_that_a_client_reads_otherwise() {
    let host = |value| azure(&[("AZURE_AUTHORITY_HOST", value)]);
    for (facts, client, cause) in [
        (
            host("https://login.microsoftonline.com/4c1a2b3d-5e6f-4708-91a2-b3c4d5e6f708"),
            "azure-python",
            Cause::TenantWrong,
        ),
        (host("https://login.microsoftonline.com"), "rasterio", Cause::ClientSettingIgnored),
        (azure(&[]), "rasterio", Cause::ClientSettingIgnored),
        (host("login.microsoftonline.com"), "azure-js", Cause::ClientSettingIgnored),
        (host("http://login.example/"), "azure-python", Cause::ClientSettingIgnored),
    ] {
        let verdict = judge(Guide::AzureWorkloadIdentity, client, &facts);
        assert_eq!((verdict.outcome, verdict.findings[0].cause), (Outcome::Fail, cause), "{client}");
    }
    for client in ["azure-rust", "azure-js", "rasterio"] {
        let verdict = judge(Guide::AzureWorkloadIdentity, client, &host("https://login.microsoftonline.com/"));
        assert_eq!(verdict, Verdict::pass(), "{client}");
    }
    let with_tenant = judge(Guide::AzureWorkloadIdentity, "azure-python", &host("https://h.example/4c1a2b3d/"));
    assert_eq!(
        with_tenant.findings[0].fixes[0].command.as_deref(),
        Some("export AZURE_AUTHORITY_HOST=https://h.example/")
    );
}

#[test]
fn a_host_that_is_asked_about_a_private_authority_is_told_of_who_asks_it() {
    let facts = azure(&[("AZURE_AUTHORITY_HOST", "https://login.example/")]);
    for (client, outcome) in [("azure-js", Outcome::Warn), ("go-v2", Outcome::Warn), ("azure-python", Outcome::Pass)] {
        let verdict = judge(Guide::AzureWorkloadIdentity, client, &facts);
        assert_eq!(verdict.outcome, outcome, "{client}");
        assert!(
            verdict.findings.iter().all(|told| told.summary.contains("login.microsoftonline.com is asked")),
            "{client}"
        );
    }
    let unnamed = endpoint(&facts, &Profile::bare("p", Guide::AzureWorkloadIdentity));
    assert!(unnamed.findings.iter().all(|told| !told.summary.contains("is asked")), "{unnamed:?}");
}

fn signed_by(issuer: &str, set: &[(&str, &str)]) -> Facts {
    let certificate = Certificate {
        subject: "CN=sts.us-east-1.amazonaws.com".to_owned(),
        issuer: issuer.to_owned(),
        names: Vec::new(),
        not_before: 0,
        not_after: 1,
        thumbprint_sha1: String::new(),
        is_ca: false,
        is_self_signed: false,
        wanted_by_iam: false,
    };
    let tls = Tls {
        server_name: "sts.us-east-1.amazonaws.com".to_owned(),
        version: None,
        chain: Chain { certificates: vec![certificate], oddities: Vec::new() },
        accepted: true,
        named_authority: false,
    };
    let refusal = Refusal { code: String::new(), message: String::new(), http_status: 403, request_id: None };
    let call: Call<AssumedRole> = Call {
        region: None,
        attempts: 1,
        waited_ms: 0,
        answer: Answer::Refused(refusal),
        exchange: Some(Exchange { tls: Some(tls), ..Exchange::default() }),
    };
    let mut facts = aws(&[&[R, D], set].concat());
    facts.aws.assume_role = Some(call);
    facts
}

#[test]
fn a_private_authority_has_to_stand_where_the_client_looks() {
    let private = "CN=Example Inspection CA";
    let causes = |client: &str, facts: &Facts| -> Vec<Cause> {
        judge(Guide::AwsWorkloadIdentity, client, facts).findings.iter().map(|finding| finding.cause).collect()
    };
    let untrusted = [Cause::TlsUntrusted];
    for (client, variable, trusted) in [
        ("boto3", "SSL_CERT_FILE", false),
        ("boto3", "AWS_CA_BUNDLE", true),
        ("boto3", "REQUESTS_CA_BUNDLE", true),
        ("js-v3", "SSL_CERT_FILE", false),
        ("js-v3", "AWS_CA_BUNDLE", false),
        ("js-v3", "NODE_EXTRA_CA_CERTS", true),
        ("rust", "SSL_CERT_FILE", true),
        ("rust", "AWS_CA_BUNDLE", false),
        ("tiledb", "SSL_CERT_FILE", false),
    ] {
        let found = causes(client, &signed_by(private, &[(variable, "/ca.pem")]));
        let expected: &[Cause] = if trusted { &[] } else { &untrusted };
        assert_eq!(found, expected, "{client} {variable}");
    }
    // Of the system's own store.
    assert_eq!(causes("boto3", &signed_by(private, &[])), untrusted);
    assert_eq!(causes("rust", &signed_by(private, &[])), []);
    // A public authority is everybody's.
    let public = "CN=Amazon RSA 2048 M01, O=Amazon, C=US";
    assert_eq!(causes("boto3", &signed_by(public, &[("SSL_CERT_FILE", "/bundle.pem")])), []);
}
