//! The setup guides: their steps as data, artifacts made from a profile, and where each step stands.

mod artifact;
mod form;
mod render;
mod values;

pub use artifact::{Artifact, Form};
pub use render::{Rendered, render};
pub use values::{Missing, Values};
