//! Checks of what the user's own client would do here, where trustline's exchange is only trustline's.

mod afterwards;
pub mod credentials;
pub mod endpoint;
mod fault;
mod google;
pub mod token_file;
