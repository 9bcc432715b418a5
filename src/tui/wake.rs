//! When the console must be woken because something that shows changes by itself; nothing wakes it otherwise.

use super::command::Screen;
use super::content;
use super::inputs::Animation;
use super::layout;
use super::model::rotation::Doing;
use super::model::{Model, SPINNER_MS};

impl Model {
    /// When time must enter next, in milliseconds since 1970, because something that shows would change by itself.
    pub fn next_wake(&self) -> Option<i64> {
        let toast = self.toast.as_ref().map(|toast| toast.until_ms);
        let watch = self
            .runs
            .watch
            .as_ref()
            .and_then(|watch| watch.next_ms)
            .map(|next| next.min(next_second(self.clock.now_ms())));
        let spinner = (self.runs.live().is_some() && self.appearance.animation == Animation::Moving)
            .then(|| next_frame(self.clock.now_ms()));
        let countdown = content::token::remaining(self).map(|_| next_second(self.clock.now_ms()));
        let countdown = countdown.filter(|_| !layout::is_too_small(self.size));
        [toast, watch, spinner, countdown, self.rotation_wake()].into_iter().flatten().min()
    }

    /// When what a rotation session does would look different.
    fn rotation_wake(&self) -> Option<i64> {
        let session = self.rotation.live().filter(|_| self.screen == Screen::Rotation)?;
        match session.doing {
            Doing::Waiting { next_ms, .. } => (next_ms > self.clock.now_ms()).then(|| next_second(self.clock.now_ms())),
            Doing::Offering(_) => None,
            _ => (self.appearance.animation == Animation::Moving).then(|| next_frame(self.clock.now_ms())),
        }
    }
}

fn next_frame(now_ms: i64) -> i64 {
    now_ms - now_ms.rem_euclid(SPINNER_MS) + SPINNER_MS
}

fn next_second(now_ms: i64) -> i64 {
    now_ms - now_ms.rem_euclid(1000) + 1000
}
