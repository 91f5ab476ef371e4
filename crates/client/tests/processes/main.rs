//! The program itself, killed at each step, before a wallet and a gate that are played here.

#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

mod downloads;
mod files;
mod gate;
mod keyrings;
mod kills;
mod wallet;
mod world;
