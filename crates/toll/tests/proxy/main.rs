//! The proxy between real sockets: raw clients in front of it, a real server behind it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod faults;
mod forwarding;
mod routes;
mod smuggling;
mod streams;
mod support;
mod versions;
mod websocket;
