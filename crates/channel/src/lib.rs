#![doc = include_str!("../README.md")]

mod cipher;
pub mod client;
mod frames;
mod keys;

pub use frames::{OVERHEAD, Opener, Sealer};
pub use keys::{Keys, Randoms};
