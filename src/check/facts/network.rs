//! Facts about the network.

use serde::{Deserialize, Serialize};

/// One hop of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hop {}

/// No answer arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkFailure {}
