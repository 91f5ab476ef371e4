//! The gate and its payment service between real sockets, with a chain that the test controls.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod attacks;
mod away;
mod browsers;
mod challenges;
mod compat;
mod deployed;
mod faults;
mod followed;
mod followed_attacks;
mod fronts;
mod leases;
mod offers;
mod origins;
mod payments;
mod readings;
mod regtest;
mod support;
mod tokens;
