//! Times as people read them: a moment in the chosen clock, how far away it is, a countdown.

use crate::domain::timestamp::{in_words, rfc3339};
use crate::tui::inputs::Clock;
use crate::tui::model::Model;

/// Time left as a clock shows it: `41:07`, `2:05:09`.
pub fn countdown(seconds: i64) -> String {
    match seconds {
        0..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds % 3600 / 60, seconds % 60),
    }
}

/// A time of day in the clock that is chosen.
pub fn moment(model: &Model, at: i64) -> String {
    let (offset, zone) = match (model.appearance.clock, model.inputs.utc_offset_s) {
        (Clock::Local, Some(offset)) => (i64::from(offset), zone(offset)),
        _ => (0, "UTC".to_owned()),
    };
    match at.checked_add(offset).and_then(rfc3339) {
        Some(text) => format!("{} {zone}", text.trim_end_matches('Z').replacen('T', " ", 1)),
        None => format!("{at} (no date)"),
    }
}

/// The time of day in the clock that is chosen, without its date and zone.
pub fn time_of_day(model: &Model, at: i64) -> String {
    let whole = moment(model, at);
    whole.split(' ').nth(1).unwrap_or_default().to_owned()
}

fn zone(offset_s: i32) -> String {
    let (sign, minutes) = (if offset_s < 0 { '-' } else { '+' }, offset_s.unsigned_abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A moment as seen from now; empty in a recording, whose now is over.
pub fn relative(model: &Model, at: i64) -> String {
    if model.replay.is_some() {
        return String::new();
    }
    let away = at.saturating_sub(model.now_ms.div_euclid(1000));
    if away >= 0 {
        format!("in {}", in_words(away.unsigned_abs()))
    } else {
        format!("{} ago", in_words(away.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countdowns_read_like_a_clock() {
        assert_eq!(countdown(0), "0:00");
        assert_eq!(countdown(41 * 60 + 7), "41:07");
        assert_eq!(countdown(2 * 3600 + 5 * 60 + 9), "2:05:09");
    }
}
