#![doc = include_str!("../README.md")]

pub mod carrier;
mod clock;
mod conversation;
mod hello;
pub mod key;
mod serve;
mod server;
mod tickets;
mod visits;

pub use clock::{Clock, ManualClock, SystemClock};
pub use conversation::{Channel, Sealed};
pub use serve::Doors;
pub use server::{Config, Surroundings, TimeServer};
pub use tickets::{Opened, Visit};
