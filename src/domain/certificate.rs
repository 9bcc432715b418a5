//! Certificates as a TLS server presents them.
