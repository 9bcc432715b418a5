//! Servers nobody here wrote.
