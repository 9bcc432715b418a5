//! Every lab scenario names its cause first.
