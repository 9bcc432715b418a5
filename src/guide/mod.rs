//! The setup guides: their steps as data, artifacts made from a profile, and where each step stands.

mod artifact;
mod change;
mod fill;
pub mod form;
mod import;
mod render;
mod state;
mod text;
mod values;

pub use artifact::{Artifact, Form, rotate_command};
pub use change::{Change, confirmations, shown};
pub use change::{Question, questions};
pub use fill::fill;
pub use import::{Import, Left, Taken, import};
pub use render::{Rendered, SAY_WHO_GETS_IN, render, render_least};
pub use state::{
    CheckResult, Confirmation, Evidence, ExternalProof, FailedElsewhere, Open, StepState, next_open, states,
};
pub use text::{
    Field, Place, Proof, Reading, SetupGuide, Side, Step, Tab, TellingAnswer, TokenOrigin, setup_guide, token_origin,
};
pub use values::{Missing, READER, TemplateContext, Values, thumbprint};
