//! Paying at a gate that is played here, with a wallet that is played here: what is written down when, and
//! what happens where a run ends in between.

#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

mod crashes;
mod gate;
mod payer;
mod paying;
mod refusals;
mod world;
