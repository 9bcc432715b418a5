//! The lab's clouds, tried by any client.

mod aws_operations;
mod azure_operations;
mod client;
mod command;
mod deployment;
mod happy;
mod secrets;
mod store;
mod sts;
mod worlds;
