#![doc = include_str!("../README.md")]

mod answer;
pub mod booth;
mod caching;
mod caller;
mod checkout;
pub mod cors;
mod declined;
mod discovery;
mod gate;
mod headers;
mod lease;
mod ledger;
mod pace;
mod page;
mod paid;
mod plausible;
mod refusal;
pub mod route;
mod serve;
mod surroundings;
pub mod terms;
pub mod upstream;

pub use booth::Booth;
pub use gate::{Config, Gate};
pub use serve::{Limits, http, serve, serve_with};
pub use surroundings::{Portal, Surroundings};
