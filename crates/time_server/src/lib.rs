#![doc = include_str!("../README.md")]

pub mod carrier;
mod clock;
mod connection;
mod conversation;
mod hello;
pub mod key;
mod open_connections;
mod serve;
mod server;
mod tickets;

pub use clock::{Clock, ManualClock, SystemClock};
pub use conversation::{MessageChannel, SealedChannel};
pub use serve::Listeners;
pub use server::{Config, Environment, TimeServer};
pub use tickets::{OpenedTicket, TicketHolder};
