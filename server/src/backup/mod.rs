//! Backup of a live database, and restore of a stopped one.

mod error;
mod files;
mod last;
mod restore;
mod returned;
mod sealed_key;
mod write;

pub use error::BackupError;
pub use last::last;
pub use restore::{Brought, PreparedRestore, Wish, prepare};
pub use returned::Returned;
pub use sealed_key::Passphrase;
pub use write::write;
