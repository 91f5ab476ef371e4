//! The checks before a handler. `entrance.rs` says in which order a request passes those that all share; the rest are
//! extractors of the handlers that ask for them.

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
