//! GitHub's annotations: workflow commands in a job's output
//! (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>).

use std::fmt::Write as _;

use super::{Alerts, Level, Place};
use crate::domain::text::visible_lines;

/// A line for each alert that counts, and for each thing that could not be judged.
pub fn github(alerts: &Alerts) -> String {
    let mut lines = String::new();
    for alert in alerts.found.iter().filter(|alert| alert.suppressed.is_none()) {
        let command = match alert.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        annotate(&mut lines, command, alert.place.as_ref(), &alert.title, &alert.message);
    }
    for refused in &alerts.refused {
        annotate(&mut lines, "error", refused.place.as_ref(), "this cannot be used", &refused.message);
    }
    for unjudged in &alerts.not_judged {
        let message = format!("{}: {}", unjudged.resource, unjudged.why);
        annotate(&mut lines, "warning", unjudged.place.as_ref(), "not judged", &message);
    }
    for remark in &alerts.remarks {
        annotate(&mut lines, "notice", None, &remark.title, &remark.text);
    }
    lines
}

fn annotate(lines: &mut String, command: &str, place: Option<&Place>, title: &str, message: &str) {
    let place = place.map_or_else(String::new, |at| format!("file={},line={},", property(&at.file), at.line));
    let (title, message) = (property(title), data(&visible_lines(message)));
    let _ = writeln!(lines, "::{command} {place}title={title}::{message}");
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&visible_lines(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ci::NotJudged;

    #[test]
    fn nothing_from_outside_begins_a_command_of_its_own() {
        let place = Some(Place { file: "a,b:c\n::error::x".into(), line: 3 });
        let unjudged =
            NotJudged { resource: "role\n::set-output name=x::y".into(), why: "100 % \u{1b}[31mred".into(), place };
        let text = github(&Alerts { not_judged: vec![unjudged], ..Alerts::default() });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.starts_with("::warning file=a%2Cb%3Ac%0A%3A%3Aerror%3A%3Ax,line=3,title=not judged::role%0A"),
            "{text}"
        );
        assert!(text.contains("100 %25 ") && !text.contains('\u{1b}'), "{text}");
    }
}
