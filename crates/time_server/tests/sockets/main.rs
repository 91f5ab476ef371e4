//! The time server through real sockets, with tickets made here.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails says so")]

mod hello;
mod lasting;
mod privacy;
mod reasons;
mod support;
mod websocket;
