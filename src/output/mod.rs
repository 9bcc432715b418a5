//! Folds of the run events into what people and programs read, and how it is left on disk.

pub mod file;
pub mod finding_text;
pub mod fix;
pub mod fleet;
pub mod guide;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod paint;
pub mod rotation;
pub mod text;
pub mod undecided;
mod wrap;
