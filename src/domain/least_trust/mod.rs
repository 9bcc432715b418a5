//! The least trust that lets in every subject of one list and none of another, nor any stranger of the issuer: made for a cloud,
//! and proven with that cloud's evaluator before anybody sees it.

mod aws;
mod entra;
mod google;
mod lists;
mod proof;

pub use aws::trust_policy;
pub use entra::federated_credentials;
pub use google::attribute_condition;
pub use lists::{Listed, Lists, NoTrust, Side, read};
pub use proof::{Least, Wanted};

#[cfg(test)]
mod tests;
