//! IAM policies: parsing, and evaluation as AWS does it, in three values.
