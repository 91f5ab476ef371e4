//! What whoever runs the place can ask of a running server, on an address of its own.

pub mod gate;
pub mod health;
pub mod listener;
pub mod metrics;
