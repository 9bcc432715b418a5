//! `trustline issuer` against servers that misbehave.
