//! The lab's clouds, tried by any client.

mod client;
mod command;
mod deployment;
mod happy;
mod secrets;
mod store;
mod sts;
mod worlds;
