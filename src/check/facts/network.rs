//! Facts about the network.
