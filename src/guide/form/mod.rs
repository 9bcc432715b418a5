//! The languages that artifacts are written in: each takes structure and does the quoting itself.

pub mod hcl;
pub mod shell;
pub mod yaml;
