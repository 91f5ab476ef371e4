//! The rules of Postern's OpenID provider (OpenID Connect Core 1.0, OAuth 2.1, RFC 9700). They do no I/O. Time, secrets
//! and stored rows are arguments.

pub mod access_token;
mod answer;
pub mod authorize;
pub mod claims;
pub mod client;
pub mod client_auth;
mod client_settings;
pub mod consent;
pub mod device;
pub mod document;
pub mod error;
pub mod exchange;
pub mod jwks;
pub mod logout;
pub mod metadata;
mod pairwise;
pub mod params;
pub mod pkce;
pub mod preset;
pub mod redirect_uri;
pub mod registration;
pub mod scope;
pub mod step;
pub mod webfinger;

pub use client::{Client, ClientSettings, ClientSource};
pub use error::{ErrorCode, OAuthError};
pub use params::Params;
pub use scope::Scopes;
