//! Folds of the run events.
