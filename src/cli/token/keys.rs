//! Where `trustline token` has the issuer's keys and its document from: files as saved, or the issuer itself.

use std::path::Path;

use super::{TokenArgs, block_on};
use crate::check::facts::network::{DocumentFact, Exchange, IssuerFacts, KeysFact};
use crate::cli::exit::CliError;
use crate::domain::discovery::{Discovery, IssuerAddress};
use crate::domain::jwks::Jwks;
use crate::domain::token::DecodedToken;
use crate::probe::http::HttpStack;
use crate::probe::issuer::IssuerProbe;
use crate::probe::regular_file;

/// The most that is read of a key set's file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// What the arguments say of keys, and what was found there.
pub(super) struct KeySource {
    /// Where the keys were to come from; `None` where the arguments name nothing.
    pub described: Option<String>,
    /// What was found, judged like an issuer's.
    pub facts: IssuerFacts,
}

impl KeySource {
    /// The key set, where there is one.
    pub(super) fn set(&self) -> Option<&Jwks> {
        self.facts.keys.as_ref()?.jwks.as_ref()
    }

    /// Why there is none.
    pub(super) fn missing(&self) -> Option<String> {
        self.described.as_ref()?;
        if let Some(keys) = &self.facts.keys {
            return lacks(&keys.exchange, keys.unreadable.as_ref().map(ToString::to_string), keys.jwks.is_some());
        }
        let document = self.facts.document.as_ref()?;
        let unreadable = document.unreadable.as_ref().map(ToString::to_string);
        lacks(&document.exchange, unreadable, false)
    }
}

fn lacks(exchange: &Exchange, unreadable: Option<String>, found: bool) -> Option<String> {
    if found {
        return None;
    }
    let why = match (&exchange.failure, unreadable, exchange.status) {
        (Some(failure), _, _) => failure.to_string(),
        (None, Some(unreadable), _) => format!("{}: {unreadable}", exchange.url),
        (None, None, Some(200)) => format!("{} names no key set (`jwks_uri`)", exchange.url),
        (None, None, status) => format!("{} answered with status {}", exchange.url, status.unwrap_or_default()),
    };
    Some(why)
}

/// The issuer that the arguments expect, exact.
pub(super) fn expected_issuer(args: &TokenArgs) -> Result<Option<IssuerAddress>, CliError> {
    let clean = |text: &String| IssuerAddress::clean(text).map_err(|error| CliError::new(format!("--issuer: {error}")));
    args.issuer.as_ref().map(clean).transpose()
}

/// Gets the keys that the arguments name.
pub(super) fn find(args: &TokenArgs, issuer: Option<&IssuerAddress>) -> Result<KeySource, CliError> {
    match (&args.jwks, issuer) {
        (Some(url), _) if is_url(url) => {
            let stack = args.network.stack()?;
            let keys = block_on(IssuerProbe::new(&stack).keys(url, url))?;
            let facts = IssuerFacts { document: None, keys: Some(keys) };
            Ok(KeySource { described: Some(url.clone()), facts })
        }
        (Some(path), _) => {
            let jwks = read_set(Path::new(path))?;
            let keys = KeysFact { exchange: Exchange::default(), cached_s: None, jwks: Some(jwks), unreadable: None };
            let facts = IssuerFacts { document: None, keys: Some(keys) };
            Ok(KeySource { described: Some(format!("file {path}")), facts })
        }
        (None, Some(address)) => {
            let stack = args.network.stack()?;
            let facts = block_on(ask(&stack, address))?;
            let keys_url = facts.keys.as_ref().map(|keys| keys.exchange.url.clone());
            Ok(KeySource { described: Some(keys_url.unwrap_or_else(|| address.document.to_string())), facts })
        }
        (None, None) => Ok(KeySource { described: None, facts: IssuerFacts::default() }),
    }
}

async fn ask(stack: &HttpStack, address: &IssuerAddress) -> IssuerFacts {
    let issuer = IssuerProbe::new(stack);
    let document = issuer.document(address).await;
    let keys = match document.discovery.as_ref().and_then(|discovery| discovery.jwks_uri.as_deref()) {
        Some(uri) => Some(issuer.keys(uri, &address.issuer).await),
        None => None,
    };
    IssuerFacts { document: Some(document), keys }
}

fn is_url(text: &str) -> bool {
    ["https://", "http://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|t| t.eq_ignore_ascii_case(scheme)))
}

fn read_set(path: &Path) -> Result<Jwks, CliError> {
    let bytes =
        saved(path, "key set", "--jwks takes a file with the issuer's key set (JSON), or its address (https://…)")?;
    Jwks::parse(&bytes).map_err(|error| CliError::new(format!("the key set {}: {error}", path.display())))
}

/// The issuer's discovery document as saved, where the arguments name it, read as that of the token's issuer.
pub(super) fn saved_document(args: &TokenArgs, token: &DecodedToken) -> Result<Option<DocumentFact>, CliError> {
    let Some(path) = &args.discovery else { return Ok(None) };
    let hint = "--discovery takes a file with what the issuer answers at /.well-known/openid-configuration (JSON)";
    let bytes = saved(path, "discovery document", hint)?;
    let issuer = token.issuer().unwrap_or_default().to_owned();
    let discovery = Discovery::parse(&bytes, &issuer).map_err(|error| {
        CliError::new(format!("the discovery document {}: {error}", path.display())).with_hint(hint)
    })?;
    Ok(Some(DocumentFact { issuer, exchange: Exchange::default(), discovery: Some(discovery), unreadable: None }))
}

fn saved(path: &Path, what: &str, hint: &str) -> Result<Vec<u8>, CliError> {
    let shown = path.display();
    let unreadable =
        |error: std::io::Error| CliError::new(format!("the {what} {shown} cannot be read: {error}")).with_hint(hint);
    let bytes = regular_file::read(path, MAX_BYTES).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(CliError::new(format!("the {what} {shown} holds more than 1 MiB")));
    }
    Ok(bytes.to_vec())
}
