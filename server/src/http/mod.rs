//! One file per endpoint, and what they share.

pub mod assets;
pub mod challenge;
pub mod delivery;
pub mod error;
pub mod invitations;
pub mod login;
pub mod logout;
pub mod metadata;
pub mod not_found;
pub mod pages;
pub mod password;
pub mod refresh;
pub mod render;
pub mod session;
pub mod sessions;
pub mod signup;
pub mod users;

pub use error::ApiError;
