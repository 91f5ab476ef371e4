//! What whoever runs the place can ask of a running server, on an address of its own.

pub mod health;
pub mod listener;
pub mod metrics;
