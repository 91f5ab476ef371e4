//! Passwords: hashing them, and knowing the common ones.

pub mod common;
mod pool;

pub use pool::{Error, Passwords, Place, Verified};
