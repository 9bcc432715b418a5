//! What people and programs read: pages of lines with their back ends, and folds of the run events as JSON and JUnit.

pub mod context;
pub mod finding_text;
pub mod fix;
pub mod fleet;
pub mod glyphs;
pub mod guide;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod page;
pub mod paint;
pub mod privacy;
pub mod rotation;
pub mod text;
pub mod undecided;
mod wrap;
