#![doc = include_str!("../README.md")]

mod caching;
mod caller;
mod checkout;
pub mod cors;
mod discovery;
mod environment;
mod gate;
mod gate_problem;
mod headers;
mod ledger;
mod page;
mod page_routes;
mod payment_problem;
pub mod payments;
pub mod pricing;
mod rate_limiter;
mod request_host;
mod response;
pub mod route;
mod serve;
mod stream_meter;
pub mod upstream;

pub use environment::{Environment, PortalSessions};
pub use gate::{Gate, GateConfig};
pub use page::qr_svg;
pub use payments::PaymentService;
pub use serve::{GateLimits, http, serve, serve_with};
