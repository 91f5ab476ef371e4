//! The portal from outside: requests into the whole router, on a real store and a clock of our own.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails says so")]

mod accounts;
mod bans;
mod commands;
mod connections;
mod fuzz;
mod kill;
mod known_device;
mod login;
mod refresh;
mod same_origin;
mod sessions;
mod signup;
mod support;
mod tokens;
