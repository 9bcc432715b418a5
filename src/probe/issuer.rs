//! The issuer: fetches its discovery document and keys, and says what it saw on the way.
