//! A portal to test, and visitors to it.

mod keys;
mod portal;
mod visitor;

pub use keys::ClientKey;
pub use portal::{PASSWORD, Portal};
pub use visitor::{Answer, Visitor};
