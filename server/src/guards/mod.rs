//! The checks before a handler. [`crate::service`] has the order of the common ones; the others are extractors of
//! handlers.

pub mod administrator;
pub mod app_cookie;
pub mod body;
pub mod client;
pub mod client_document;
pub mod copied;
pub mod factor_policy;
pub mod forwarded;
pub mod forwarded_request;
pub mod headers;
pub mod host;
pub mod known_device;
pub mod log;
pub mod oauth_client;
pub mod own_bucket;
pub mod proof;
pub mod rate_limit;
pub mod recent_factor;
pub mod route_guards;
pub mod same_origin;
pub mod sign_in;
pub mod signed_in;
pub mod token;
