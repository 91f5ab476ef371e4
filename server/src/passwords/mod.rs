//! Password hashing, and refused passwords.

pub mod common;
mod costs;
mod imported;
mod measure;
mod pool;
mod stored;
mod worker;

pub use costs::Work;
pub use imported::{ImportedHash, InvalidHash};
pub use measure::measure;
pub use pool::{HashError, HashLoad, HashPermit, HashPool, PasswordCheck, threads};
