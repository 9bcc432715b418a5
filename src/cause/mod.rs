//! Why things fail: the closed list of causes, what each means, and how facts and error texts lead to one.

pub mod access;
pub mod assume;
pub mod authorization;
pub mod catalogue;
pub mod entra;
pub mod exchange;
pub mod exclusion;
pub mod explain;
mod finding;
pub mod gcp;
pub mod gcp_exchange;
pub mod gcp_rights;
pub mod keyvault;
pub mod rotation;
pub mod trust;
pub mod vault_access;

pub use crate::domain::cause::Cause;
pub use exclusion::TrustDocument;
pub use finding::{Actor, Certainty, Finding, Fix, Look, Severity, Suspect, UNFOLDED, Undecided};
