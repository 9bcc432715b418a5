//! Folds of the run events into what people and programs read.

pub mod finding_text;
pub mod guide;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod paint;
pub mod text;
