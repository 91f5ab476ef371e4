//! Functions that only a browser provides: keys, requests, locks, time.
//!
//! They are compiled for both sides, so that islands need no conditional code. The server never calls them.

pub mod api;
pub mod clock;
#[cfg(any(feature = "ssr", feature = "signed-in"))]
pub mod counting;
pub mod dpop;
pub mod fetch;
pub mod idb;
pub mod keys;
pub mod locks;
pub mod page;
pub mod session;

#[cfg(any(feature = "ssr", feature = "login", feature = "dashboard"))]
pub mod fragment;
#[cfg(any(feature = "ssr", feature = "signed-in"))]
pub mod fresh_proof;
#[cfg(any(feature = "ssr", feature = "signed-in"))]
pub(crate) mod kept;
#[cfg(any(feature = "ssr", feature = "dashboard", feature = "private"))]
pub mod passkey_managers;
#[cfg(any(feature = "ssr", feature = "login"))]
pub mod passkey_sign_in;
#[cfg(any(feature = "ssr", feature = "seal", feature = "dashboard"))]
pub mod passkeys;
#[cfg(any(feature = "ssr", feature = "seal"))]
pub mod sealed_post;
#[cfg(any(feature = "ssr", feature = "seal"))]
pub mod sealing;

#[cfg(any(feature = "ssr", feature = "private"))]
pub mod tickets;
#[cfg(any(feature = "ssr", feature = "private"))]
pub mod time_server;
#[cfg(any(feature = "ssr", feature = "private"))]
pub mod user_key;

#[cfg(all(feature = "hydrate", feature = "signed-in"))]
pub mod awake;
#[cfg(all(feature = "hydrate", feature = "signed-in"))]
pub mod local_times;
#[cfg(feature = "hydrate")]
pub mod start;
