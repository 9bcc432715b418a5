//! Taking secrets out of texts: those that are known, however somebody else spells them ([`echo`]); what looks like
//! one; and what is too random to be anything else.

pub mod echo;
mod likeness;
mod random;
mod view;

pub use likeness::{CUT, cut_from_json, cut_from_text, looks_secret};
pub use random::random_runs;
