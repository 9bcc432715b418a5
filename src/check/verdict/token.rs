//! Verdicts on the token facts.
