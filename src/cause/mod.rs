//! Why things fail: the closed list of causes, what each means, and how facts and error texts lead to one.

pub mod access;
mod assets;
pub mod assume;
pub mod catalogue;
pub mod entra;
pub mod exclusion;
pub mod explain;
mod finding;
mod id;
pub mod keyvault;
pub mod rotation;
pub mod trust;
mod trust_document;
mod undecided;

pub use finding::{Actor, Certainty, Finding, Fix, Look, Severity};
pub use id::{Cause, UnknownCause};
pub use trust_document::TrustDocument;
pub use undecided::{Suspect, UNFOLDED, Undecided};
