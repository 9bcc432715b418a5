//! Verdicts on the issuer facts.
