//! A library for programs that sign in at Postern, stay signed in, and pay at its gate.
//!
//! [`login()`] encrypts name and password and makes a [`Profile`]. [`Storage`] stores it in the operating system's
//! keyring or in a file. [`Session`] sends requests with its token, refreshes an expired one, and tries again once.
//! Encryption needs the `rsa` crate, so the server must not depend on this crate.

mod api;
mod app;
mod browser_login;
mod confirm;
mod discovery;
mod download;
mod environment;
mod error;
mod http;
mod keys;
mod login;
mod profile;
mod server;
mod session;
mod storage;
pub mod time;
pub mod toll;

pub use browser_login::{BrowserLogin, DeviceLogin};
pub use confirm::ProofPrompt;
pub use discovery::{Metadata, discover};
pub use download::{Download, RangeSource};
pub use environment::{Environment, SystemEnvironment};
pub use error::{Error, Result};
pub use http::{Answer, HttpClient, RemainingRange};
pub use keys::{ClientKeys, ProofKey};
pub use login::login;
pub use profile::Profile;
pub use server::Server;
pub use session::Session;
pub use storage::{KeyringItem, Location, Storage, StorageChoice, StoreOutcome, StoredRecord};
