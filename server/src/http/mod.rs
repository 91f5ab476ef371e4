//! One file per endpoint, and what they share.

pub mod administration;
pub mod allowlist;
mod app_page;
pub mod app_tokens;
pub mod apps;
pub mod assets;
pub mod audit;
pub mod bans;
pub mod challenge;
pub mod delivery;
pub mod error;
pub mod export;
pub mod invitations;
pub mod live;
pub mod login;
pub mod logout;
pub mod metadata;
pub mod not_found;
pub mod pages;
pub mod password;
pub mod refresh;
pub mod refusals;
pub mod render;
mod request;
pub mod revocations;
pub mod server_keys;
pub mod services;
pub mod session;
pub mod sessions;
pub mod signup;
pub mod tickets;
pub mod toll;
pub mod user_keys;
pub mod users;
pub mod verify;

pub use error::ApiError;
