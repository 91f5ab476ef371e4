//! Payments at a simulated gate with a simulated wallet: the stored state at each step, and runs that end in between.

#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

mod crashes;
mod gate;
mod macs;
mod payer;
mod paying;
mod refusals;
mod world;
