//! What a program needs to sign in at Postern and to stay signed in, and to pay at its gate.
//!
//! [`login()`] seals name and password and makes a [`Profile`]; [`Storage`] keeps it in the operating
//! system's keyring or in a file; [`Session`] sends requests with its token, refreshes when that has run
//! out, and tries again once. The `rsa` crate comes with sealing, so the server must not depend on this.

mod api;
mod app;
mod discovery;
mod download;
mod error;
mod http;
mod keys;
mod login;
mod machine;
mod profile;
mod server;
mod session;
mod storage;
pub mod time;
pub mod toll;

pub use discovery::{Metadata, discover};
pub use download::{Download, Rest, Source};
pub use error::{Error, Result};
pub use http::{Answer, Http};
pub use keys::{ClientKeys, ProofKey};
pub use login::login;
pub use machine::{Machine, ThisMachine};
pub use profile::Profile;
pub use server::Server;
pub use session::Session;
pub use storage::{Choice, Keepsake, Left, Place, Storage, Stored};
