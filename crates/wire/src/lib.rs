//! The messages between browsers, other clients and Postern.
//!
//! This crate is compiled to native code and to WebAssembly. Both sides use these types, so that a field cannot be
//! renamed on one side only.

pub mod account;
pub mod allowlist;
pub mod apps;
pub mod audit;
pub mod bans;
pub mod challenge;
pub mod clients;
pub mod envelope;
pub mod jose;
pub mod jwk;
mod list;
pub mod login;
pub mod oauth;
pub mod passkeys;
pub mod password;
pub mod paths;
pub mod problem;
pub mod refresh;
pub mod refusals;
pub mod revocations;
pub mod second_factor;
pub mod server_keys;
pub mod services;
pub mod session;
pub mod signup;
pub mod tickets;
pub mod time;
pub mod toll;
pub mod toll_admin;
pub mod user_keys;
mod whole;

pub use problem::{Code, Problem};
