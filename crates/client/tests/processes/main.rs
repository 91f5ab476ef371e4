//! The program itself, killed at each step, with a simulated wallet and a simulated gate.

#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

mod downloads;
mod files;
mod gate;
mod keyrings;
mod kills;
mod wallet;
mod world;
