//! What only a browser can do: keys, requests, locks, time.
//!
//! Compiled on both sides, so that islands need no conditional code; the server never calls it.

#[cfg(any(feature = "ssr", feature = "dashboard"))]
pub mod api;
pub mod clock;
#[cfg(any(feature = "ssr", feature = "dashboard"))]
pub mod counting;
pub mod dpop;
pub mod fetch;
pub mod idb;
pub mod keys;
pub mod locks;
pub mod page;
pub mod session;

#[cfg(any(feature = "ssr", feature = "seal"))]
pub mod sealed_post;
#[cfg(any(feature = "ssr", feature = "seal"))]
pub mod sealing;

#[cfg(all(feature = "hydrate", feature = "dashboard"))]
pub mod awake;
#[cfg(all(feature = "hydrate", feature = "dashboard"))]
pub mod local_times;
#[cfg(feature = "hydrate")]
pub mod start;
