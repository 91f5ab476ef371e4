//! A portal to test, and visitors to it.

mod authenticator;
mod envelope;
mod keys;
mod portal;
mod program;
mod visitor;

pub use authenticator::{Authenticator, VERIFIED};
pub use envelope::seal_with_header;
pub use keys::{ClientKey, new_jti, receiving_key};
pub use portal::{ORIGIN, PASSWORD, Portal};
pub use program::{Program, postern, said};
pub use visitor::{Answer, Visitor};
