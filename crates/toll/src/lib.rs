//! The paid gate: a reverse proxy that asks for payment before it lets a request through.

mod gate;
mod headers;
mod plausible;
mod refusal;
pub mod route;
mod serve;
mod surroundings;
pub mod terms;
pub mod upstream;

pub use gate::{Config, Gate};
pub use serve::{Limits, serve};
pub use surroundings::Surroundings;
