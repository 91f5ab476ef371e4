#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

mod client;
mod dpop;
mod forged;
mod forgeries;
mod fuzz;
mod guard;
mod issuer;
mod jwks;
mod revocations;
mod token;
