//! Planted secrets appear nowhere.
