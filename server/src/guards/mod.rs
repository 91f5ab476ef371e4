//! The checks before a handler. `entrance.rs` has the order of the common ones; the others are extractors of handlers.

pub mod administrator;
pub mod app;
pub mod body;
pub mod client;
pub mod floods;
pub mod forwarded;
pub mod gates;
pub mod headers;
pub mod host;
pub mod known_device;
pub mod log;
pub mod own_bucket;
pub mod proof;
pub mod same_origin;
pub mod sign_in;
pub mod signed_in;
pub mod token;
