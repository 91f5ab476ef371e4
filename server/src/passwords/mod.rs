//! Password hashing and the passwords that are refused.

pub mod common;
mod measure;
mod pool;

pub use measure::measure;
pub use pool::{Error, Load, Passwords, Place, Verified, threads};
