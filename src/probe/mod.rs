//! The only room that reaches the network, beside the lab: it turns the world into facts.

pub mod access_key;
pub mod aws;
pub mod azure;
pub mod client;
pub mod cluster;
#[cfg(feature = "otlp")]
pub mod collector;
pub mod deployment;
pub mod documents;
pub mod google;
pub mod http;
pub mod issuer;
pub mod new_value;
mod program;
pub mod regular_file;
pub mod runtime_text;
pub mod secret_value;
pub mod token_source;
