//! The lab's clouds, tried by any client.

mod client;
mod happy;
