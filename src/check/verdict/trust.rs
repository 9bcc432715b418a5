//! Verdicts on the trust facts.
