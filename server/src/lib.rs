//! Postern: a self-hosted sign-in portal and auth server in one program.

pub mod bans;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connections;
pub mod cookies;
pub mod device;
pub mod dpop;
pub mod entropy;
pub mod envelope;
pub mod floods;
pub mod flows;
pub mod guards;
pub mod http;
pub mod jobs;
pub mod key_encryption;
pub mod keyring;
pub mod operator;
pub mod passwords;
pub mod proofs;
pub mod queue;
pub mod router;
pub mod sessions;
pub mod setup;
pub mod state;
pub mod tokens;
