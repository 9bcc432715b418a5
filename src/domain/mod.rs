//! The field's vocabulary as pure values: no runtime, clock, environment, file or socket is reachable from here.

#[macro_use]
mod assets;
pub(crate) use assets::asset;

pub mod arn;
pub mod cause;
pub mod certificate;
pub mod client;
pub mod discovery;
pub mod entra;
pub mod exchange;
pub mod fingerprint;
pub mod gcp;
pub mod google_error;
pub mod guide;
pub mod iam;
pub mod ids;
pub mod issuer;
pub mod json_stream;
pub mod jwks;
pub mod keyvault;
pub mod least_trust;
pub mod national_cloud;
pub mod pool_name;
pub mod profile;
pub mod redaction;
pub mod region;
pub mod relying_party;
pub mod roles_claim;
pub mod rotation;
pub mod runtime_output;
pub mod secret_ref;
pub mod signature;
pub mod text;
pub mod text_difference;
pub mod timestamp;
pub mod token;
pub mod vault_access;
