//! Password hashing, and refused passwords.

pub mod common;
mod costs;
mod measure;
mod pool;
mod stored;
mod worker;

pub use costs::Cost;
pub use measure::measure;
pub use pool::{HashError, HashLoad, HashPermit, HashPool, PasswordCheck, threads};
