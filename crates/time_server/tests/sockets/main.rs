//! The time server through real sockets, with tickets made here.

mod hello;
mod lasting;
mod privacy;
mod reasons;
mod support;
mod websocket;
