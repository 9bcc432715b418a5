//! What a user sees of the program, tried as a user would: one module a capability.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod support;

mod access_keys;
mod architecture;
mod audit;
mod audit_code;
mod audit_issuers;
mod audit_samples;
mod authorization;
mod azure;
mod azure_cli;
mod azure_fixes;
mod check;
mod ci_formats;
mod ci_jobs;
mod ci_scripts;
mod clients;
mod cluster;
mod config;
mod console;
mod data;
mod denial;
mod deployment;
mod events;
mod explain;
mod faults;
mod fix;
mod fixes;
mod fleet;
mod google_commands;
mod google_fixes;
mod google_operator;
mod guide;
mod hostile;
mod http;
mod inside;
mod install;
mod issuer;
mod issuers;
mod lab;
mod mcp;
mod operator;
mod pages;
mod pairs;
mod peers;
mod profile;
mod pty;
mod real_clients;
mod replay;
mod rotate;
mod rotate_interrupted;
mod scenario;
mod secrets;
mod servers;
mod supply;
#[cfg(feature = "otlp")]
mod telemetry;
mod terminals;
mod thumbprint;
mod token;
mod trust;
mod trust_google;
