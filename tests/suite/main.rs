//! What a user sees of the program, tried as a user would: one module a capability.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod architecture;
mod azure;
mod check;
mod console;
mod deployment;
mod explain;
mod fleet;
mod guide;
mod hostile;
mod http;
mod issuer;
mod lab;
mod pairs;
mod peers;
mod profile;
mod pty;
mod replay;
mod rotate;
mod scenarios;
mod secrets;
mod servers;
mod supply;
mod support;
mod token;
mod trust;
