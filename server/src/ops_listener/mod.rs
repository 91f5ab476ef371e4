//! The monitoring endpoints, on a separate address.

pub mod gate;
pub mod health;
pub mod listener;
pub mod metrics;
