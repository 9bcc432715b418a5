//! `trustline trust`.
