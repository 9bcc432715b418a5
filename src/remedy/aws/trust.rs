//! The trust policy of a role, corrected.

use super::Context;
use crate::cause::{Finding, Fix};

/// The fixes for a finding about the trust policy.
pub fn fixes(finding: &Finding, context: Context<'_>) -> Vec<Fix> {
    let _ = (finding, context);
    Vec::new()
}
