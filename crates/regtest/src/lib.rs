#![doc = include_str!("../README.md")]

mod error;
mod process;
mod programs;
mod rig;
mod snapshot;

pub use error::Error;
pub use programs::are_installed;
pub use rig::{Paid, Rig};

pub type Result<T, E = Error> = std::result::Result<T, E>;
