#![doc = include_str!("../README.md")]

mod error;
mod network;
mod process;
mod programs;
mod snapshot;

pub use error::Error;
pub use network::{ProvenPayment, RegtestNetwork};
pub use programs::{are_installed, free_port};

pub type Result<T, E = Error> = std::result::Result<T, E>;
