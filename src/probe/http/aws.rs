//! The AWS SDKs' transport over our client, so that their calls share its trust, proxy, timeout and observation.
//!
//! The SDK's own connect and read timeouts are not looked at: the stack's timeout bounds the whole exchange.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;

use super::ObservedClient;
use crate::check::facts::network::{FailureKind, NetworkFailure};

/// The most of an AWS answer that is read, in bytes: above a full page of `ListSecrets`, and 64 KiB of a secret.
const AWS_ANSWER_LIMIT: u64 = 8 * 1024 * 1024;

/// The transport for an AWS SDK's configuration. The exchanges go into `client`'s journal; a failure's
/// [`NetworkFailure`] is found in the `SdkError` by [`super::network_failure`].
pub fn connector(client: &ObservedClient) -> SharedHttpClient {
    SharedHttpClient::new(Transport { client: client.clone() })
}

#[derive(Clone, Debug)]
struct Transport {
    client: ObservedClient,
}

impl HttpClient for Transport {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.client.clone();
        HttpConnectorFuture::new(async move {
            let request = to_ours(request).await?;
            let observed = client.send(request, AWS_ANSWER_LIMIT).await;
            let Some(answer) = observed.answer else {
                return Err(match observed.exchange.failure {
                    Some(failure) => to_theirs(failure),
                    None => ConnectorError::other("no answer".into(), None),
                });
            };
            let mut response = http::Response::new(SdkBody::from(answer.body));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            HttpResponse::try_from(response).map_err(|e| ConnectorError::other(e.into(), None))
        })
    }
}

async fn to_ours(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let (parts, body) = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?.into_parts();
    let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
    reqwest::Request::try_from(http::Request::from_parts(parts, body)).map_err(|e| ConnectorError::user(e.into()))
}

fn to_theirs(failure: NetworkFailure) -> ConnectorError {
    match failure.kind {
        FailureKind::Timeout => ConnectorError::timeout(failure.into()),
        FailureKind::Address => ConnectorError::user(failure.into()),
        _ => ConnectorError::io(failure.into()),
    }
}
