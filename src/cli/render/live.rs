//! The thumbprint that a provider registers, from the certificates that the issuer serves now.

use std::time::{Duration, Instant};

use crate::check::facts::network::{Exchange, Tls};
use crate::cli::CliError;
use crate::domain::discovery::IssuerAddress;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::{Setting, Value};
use crate::probe::http::HttpStack;
use crate::probe::issuer;

/// A look at the issuer's certificates.
pub(super) struct Live {
    /// The SHA-1 of the topmost certificate, 40 hexadecimal digits; none where it could not be had.
    pub thumbprint: Option<String>,
    /// Where it comes from, or why there is none.
    pub note: String,
}

/// The issuer that the settings name.
///
/// # Errors
/// They name none, or what they name is no issuer.
pub(super) fn issuer_of(settings: &[Setting]) -> Result<IssuerAddress, CliError> {
    let named = settings.iter().find(|setting| setting.key == Key::IssuerUrl).map(|setting| &setting.value);
    match named {
        Some(Value::Text(url)) => IssuerAddress::clean(url).map_err(|error| CliError::new(error.to_string())),
        _ => Err(CliError::new("--live fetches the issuer's certificates, and no issuer is named; set issuer.url")),
    }
}

/// Fetches the chain of the host that serves the keys, which is the one that IAM means ("Obtain the thumbprint for an
/// OpenID Connect identity provider" takes it from `jwks_uri`).
pub(super) async fn look(stack: &HttpStack, address: &IssuerAddress, whole: Duration) -> Live {
    let began = Instant::now();
    let document = issuer::document(stack, address).await;
    let Some(uri) = document.discovery.as_ref().and_then(|discovery| discovery.jwks_uri.as_deref()) else {
        return match &document.exchange.failure {
            Some(failure) => without(&failure.to_string()),
            None => without(&format!("{} answers with no discovery document that names a jwks_uri", address.document)),
        };
    };
    let left = stack.within(whole.saturating_sub(began.elapsed()));
    of_keys(&issuer::keys(&left, uri, &address.issuer).await.exchange)
}

/// A chain that was not verified here could be anybody's: its thumbprint is not registered.
fn of_keys(exchange: &Exchange) -> Live {
    let Some(tls) = exchange.tls.as_ref().filter(|tls| tls.accepted) else {
        let why = exchange.failure.as_ref().map(ToString::to_string);
        return without(&why.unwrap_or_else(|| format!("{} is not served over TLS", exchange.url)));
    };
    match (tls.chain.thumbprint(), tls.chain.certificates.last()) {
        (Some(thumbprint), Some(last)) => {
            Live { thumbprint: Some(thumbprint.to_owned()), note: taken(tls, thumbprint, &last.subject) }
        }
        _ => without(&format!("{} serves no certificate", tls.server_name)),
    }
}

fn taken(tls: &Tls, thumbprint: &str, subject: &str) -> String {
    let served = match tls.chain.certificates.len() {
        1 => "the only certificate".to_owned(),
        several => format!("the last of the {several} certificates"),
    };
    format!("thumbprint {thumbprint} is of `{subject}`, {served} that {} serves now", tls.server_name)
}

fn without(why: &str) -> Live {
    Live { thumbprint: None, note: format!("the issuer's certificates could not be had: {why}") }
}
