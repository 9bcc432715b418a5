//! The lab's clouds, tried by any client.

pub mod aws_operations;
pub mod azure_operations;
pub mod client;
mod command;
mod deployment;
pub mod gcloud;
mod google;
mod happy;
mod records;
mod secrets;
mod store;
mod sts;
mod worlds;
