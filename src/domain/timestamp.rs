//! Seconds since the epoch, as tokens carry them, and their RFC 3339 form.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Seconds since 1970-01-01T00:00:00Z (RFC 7519 NumericDate, whole seconds).
pub type UnixSeconds = i64;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type UnixMillis = i64;

/// The RFC 3339 UTC form of `millis` with three digits after the second, or `None` where the year does not fit.
pub fn rfc3339_millis(millis: UnixMillis) -> Option<String> {
    let whole = rfc3339(millis.div_euclid(1000))?;
    Some(format!("{}.{:03}Z", whole.trim_end_matches('Z'), millis.rem_euclid(1000)))
}

/// The RFC 3339 UTC form of `seconds`, or `None` where the year does not fit four digits.
pub fn rfc3339(seconds: UnixSeconds) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

/// Parses an RFC 3339 time to whole seconds since the epoch.
pub fn parse_rfc3339(text: &str) -> Option<UnixSeconds> {
    OffsetDateTime::parse(text.trim(), &Rfc3339).ok().map(OffsetDateTime::unix_timestamp)
}

/// The IMF-fixdate of an HTTP `Date` header (RFC 9110 section 5.6.7) as seconds since the epoch.
pub fn parse_http_date(text: &str) -> Option<UnixSeconds> {
    use time::macros::format_description;
    let format =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    time::PrimitiveDateTime::parse(text.trim(), format).ok().map(|t| t.assume_utc().unix_timestamp())
}

/// A length of time in words a person reads at a glance: `41 s`, `12 min`, `3 h 5 min`, `2 d 4 h`.
pub fn in_words(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_parses() {
        assert_eq!(rfc3339(1_700_000_000).as_deref(), Some("2023-11-14T22:13:20Z"));
        assert_eq!(rfc3339(i64::MAX), None);
        assert_eq!(rfc3339_millis(1_700_000_000_042).as_deref(), Some("2023-11-14T22:13:20.042Z"));
        assert_eq!(parse_rfc3339("2023-11-14T23:13:20+01:00"), Some(1_700_000_000));
        assert_eq!(parse_http_date("Tue, 14 Nov 2023 22:13:20 GMT"), Some(1_700_000_000));
        assert_eq!(parse_http_date("yesterday"), None);
    }
}
