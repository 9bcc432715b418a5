//! The checks of the token: it is there, well formed, valid now, its issuer's, and what the cloud expects.

pub mod claims;
pub mod present;
mod problem;
pub mod shape;
pub mod signature;
pub mod time;

pub use claims::{Expectations, claims_against};
pub use time::{Clock, EXPIRES_SOON_S};
