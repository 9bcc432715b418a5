//! What people and programs read: pages of lines with their back ends, and folds of the run events as JSON and JUnit.

pub mod ansi;
pub mod audit;
pub mod ci;
pub mod clients;
pub mod clouds;
mod comparison;
pub mod context;
pub mod events;
pub mod explanation;
pub mod finding;
pub mod glyphs;
pub mod guide;
pub mod issuer;
pub mod json;
pub mod junit;
pub mod layout;
pub mod line;
pub mod markdown;
pub mod page;
pub mod progress;
pub mod rotation;
pub mod run;
pub mod token;
pub mod trust;

pub use comparison::Comparison;
