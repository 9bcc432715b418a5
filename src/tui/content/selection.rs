//! Which rows of the list are shown, and which one is selected.

use super::Rows;
use crate::check::CheckId;
use crate::tui::command::Screen;
use crate::tui::model::Model;

/// Rows that a filter lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// All of so many.
    All(usize),
    /// These.
    Some(Vec<usize>),
}

impl Matching {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Matching::All(count) => *count,
            Matching::Some(places) => places.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place, among all rows, of the one at `index`.
    pub fn get(&self, index: usize) -> Option<usize> {
        match self {
            Matching::All(count) => (index < *count).then_some(index),
            Matching::Some(places) => places.get(index).copied(),
        }
    }
}

impl Model {
    /// How many rows the screen's list has, before the filter.
    pub fn row_count(&self) -> usize {
        super::rows(self).count
    }

    /// The rows of the screen's list that the filter lets through, as their places among all.
    pub fn matching(&self, rows: &Rows<'_>) -> Matching {
        let filter = self.here().list.filter.text().to_lowercase();
        if filter.is_empty() {
            return Matching::All(rows.count);
        }
        let matches = |at: &usize| (rows.line)(*at, usize::MAX).plain().to_lowercase().contains(&filter);
        Matching::Some((0..rows.count).filter(matches).collect())
    }

    /// The place, among all rows, of the selected one.
    pub fn selected_row(&self) -> Option<usize> {
        let rows = super::rows(self);
        self.matching(&rows).get(self.here().list.selected)
    }

    /// The check that is selected on the handshake.
    pub fn selected_check(&self) -> Option<CheckId> {
        if self.screen != Screen::Handshake {
            return None;
        }
        let run = self.runs.shown()?;
        run.report.checks.get(self.selected_row()?).map(|check| check.id)
    }
}
