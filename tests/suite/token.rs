//! `trustline token`.
