//! Verdicts on the network facts.
