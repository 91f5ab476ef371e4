#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

mod issuer;
mod jwks;
mod token;
