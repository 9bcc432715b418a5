//! A finished check as an OpenTelemetry trace, for the collector that the environment names. Made from the report alone, after
//! it was printed: nothing that checks knows of it, and no outcome depends on it.

#[cfg(feature = "otlp")]
mod collector;
#[cfg(feature = "otlp")]
mod sending;
#[cfg(feature = "otlp")]
mod spans;

#[cfg(feature = "otlp")]
pub(super) use self::sending::{in_force, send};

/// Sends nothing: this build has no telemetry.
#[cfg(not(feature = "otlp"))]
pub(super) fn send(
    _: &[(crate::domain::timestamp::UnixMillis, &crate::run::report::Report)],
    _: &super::flags::NetworkArgs,
) {
}

/// Where traces go, and what says so.
#[cfg(not(feature = "otlp"))]
pub(super) fn in_force() -> (String, String) {
    ("not in this build; `cargo install` it with `--features otlp`".to_owned(), "built in".to_owned())
}
