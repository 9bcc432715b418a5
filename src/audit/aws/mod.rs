//! AWS: the roles of accounts and their trust policies.

mod corrected;
mod judge;
mod provider;
mod reach;
mod role;

pub use corrected::{Beside, attach, with_another_subject};
pub use judge::{judge, unused_provider};
pub use provider::{Providers, RegisteredProvider};
pub use reach::Reach;
pub use role::{ManagedPolicies, NotJudged, RoleTrust, is_federated};
