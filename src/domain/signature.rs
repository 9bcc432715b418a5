//! Whether a token's signature is the issuer's (RFC 7515).
