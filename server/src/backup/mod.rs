//! Copies of the database, made while the server runs and put back when it does not.

mod error;
mod files;
mod last;
mod restore;
mod returned;
mod sealed_key;
mod write;

pub use error::Error;
pub use last::last;
pub use restore::{Brought, Restoring, Wish, prepare};
pub use returned::Returned;
pub use sealed_key::Passphrase;
pub use write::write;
