//! The setup guides: their steps as data, artifacts made from a profile, and where each step stands.

mod artifact;
mod change;
mod fill;
pub mod form;
mod import;
mod render;
mod rotate_command;
mod state;
mod text;
mod thumbprint;
mod token_origin;
mod values;

pub use artifact::{Artifact, Form};
pub use change::{Change, confirmations, shown};
pub use change::{Question, questions};
pub use fill::fill;
pub use import::{Import, Left, Taken, import};
pub use render::{Rendered, render};
pub use rotate_command::rotate_command;
pub use state::{CheckResult, Confirmation, Evidence, ExternalProof, Open, StepState, next_open, states};
pub use text::{Field, Place, Proof, Reading, SetupGuide, Side, Step, Tab, TellingAnswer, setup_guide};
pub use thumbprint::thumbprint;
pub use token_origin::{TokenOrigin, token_origin};
pub use values::{Missing, READER, TemplateContext, Values};
