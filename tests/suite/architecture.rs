//! The arrows between the rooms go one way.
