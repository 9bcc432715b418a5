//! `trustline profile` and bad profiles.
