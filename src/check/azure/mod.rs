//! The checks of Entra's and the vault's answers.

pub mod exchange;
pub mod subscription;
pub mod vault;
