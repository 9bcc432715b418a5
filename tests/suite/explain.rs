//! `trustline explain`.
