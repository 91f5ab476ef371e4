//! The verifier against vectors of others and against any bytes.

#![expect(clippy::expect_used, reason = "tests may panic")]

mod any_bytes;
mod fido2;
mod specification;
mod support;
mod wycheproof;
