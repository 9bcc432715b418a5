//! Azure Key Vault: names of secrets, the authentication challenge, and error answers decoded.

mod challenge;
mod error;
mod name;

pub use challenge::{Challenge, ChallengeFit};
pub use error::{Caller, VaultError};
pub use name::{NameError, SecretName};
