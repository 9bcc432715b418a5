//! Whose directory an Azure subscription belongs to, as Resource Manager tells anybody.

use serde::Serialize;

use super::cloud::Call;

/// The question for a subscription, without any token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SubscriptionFact {
    /// The subscription's id, as the profile has it.
    pub subscription: String,
    #[serde(flatten)]
    pub call: Call<SubscriptionSeen>,
}

/// What was told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "subscription-is")]
pub enum SubscriptionSeen {
    /// It belongs to this directory.
    Of { tenant: String },
    /// There is none of this id.
    Nowhere,
}
