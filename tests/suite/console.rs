//! The console without a terminal: what keys do, what every screen and layer looks like, and that nothing breaks it.

mod audit;
mod docs;
mod events;
mod guide;
mod issuer;
mod keys;
pub mod macros;
mod picture;
mod random;
mod rotation;
pub mod rotation_sample;
pub mod sample;
mod screens;
