//! The console without a terminal: what keys do, what every screen and layer looks like, and that nothing breaks it.

mod docs;
mod guide;
mod keys;
mod macros;
mod picture;
mod random;
mod rotation;
mod rotation_sample;
mod sample;
mod screens;
