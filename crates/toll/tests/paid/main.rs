//! The gate and its payment service between real sockets, with a chain that the test controls.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod attacks;
mod browser_address_attacks;
mod browser_addresses;
mod browsers;
mod challenges;
mod compat;
mod deployed;
mod elsewhere;
mod faults;
mod fronts;
mod macs;
mod node_outages;
mod offers;
mod origins;
mod payments;
mod readings;
mod regtest;
mod stream_meters;
mod support;
mod tokens;
