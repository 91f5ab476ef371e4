//! From a listening socket to requests: who may connect, what proxies say first, TLS.

pub mod proxy_protocol;
mod serve;
mod tls;

pub use serve::{Answers, Door, serve};
pub use tls::{Tls, TlsError};
