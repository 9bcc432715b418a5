//! Verdicts on the aws facts.
