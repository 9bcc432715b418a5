//! The console: a terminal program over the same run events as every other output.
//!
//! What happens is a [`message::Msg`]; [`update::update`] changes the [`model::Model`] by it and answers with
//! [`message::Effect`]s; [`view::draw`] draws the model. These are pure. The [`shell`] around them owns the terminal,
//! the clock and the runs, sleeps while nothing happens, and does what the effects say. [`flat`] shows the same model as lines.

mod alarm;
pub mod available;
pub mod clipboard;
pub mod command;
pub mod config;
pub mod content;
pub mod copy;
pub mod flat;
mod input;
pub mod inputs;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod message;
pub mod model;
pub mod panes;
mod performer;
pub mod picker;
pub mod services;
pub mod shell;
mod summary;
mod terminal;
mod terminal_reader;
pub mod theme;
pub mod typed_value;
pub mod update;
pub mod view;
mod wake;
mod writer;

pub use terminal::obstacle;
