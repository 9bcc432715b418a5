//! JSON Web Tokens, decoded as far as they can be (RFC 7519).
