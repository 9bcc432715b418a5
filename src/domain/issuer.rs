//! Issuers: their URL, and what is known of the well-known ones.
