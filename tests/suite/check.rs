//! `trustline check`.
