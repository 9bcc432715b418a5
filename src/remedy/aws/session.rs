//! The session that is asked for.

use crate::cause::Fix;
use crate::domain::profile::key::Key;
use crate::remedy::{Context, profile_set};

/// Every role allows a session of an hour, and a role that another role assumes allows no longer one.
const ALWAYS_ALLOWED_S: &str = "3600";

/// The fix for a session longer than the role allows: a shorter one. The role stays as it is.
pub(super) fn fixes(context: Context<'_>) -> Vec<Fix> {
    match context.profile.aws.session_duration_s {
        Some(_) => vec![profile_set(context.profile, &[(Key::SessionDuration, ALWAYS_ALLOWED_S.to_owned())])],
        None => Vec::new(),
    }
}
