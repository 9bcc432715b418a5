//! The rotation session: rotate, then prove that the running automation has the new value.

pub mod event;
pub mod keyed;
pub mod live;
pub mod report;
pub mod session;
