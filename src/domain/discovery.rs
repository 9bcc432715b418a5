//! The OpenID Connect discovery document (OpenID Connect Discovery 1.0, section 3).
