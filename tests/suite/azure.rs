//! The Azure line: the lab's Entra and Key Vault through the vendor's SDKs, checks, and offline answers.

mod check;
mod operator;
mod protocol;
mod rows;
mod trust;
mod world;
