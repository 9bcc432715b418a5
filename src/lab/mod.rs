//! The embedded cloud on loopback.
