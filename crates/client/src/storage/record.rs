//! Records of servers.

use crate::Profile;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A stored record of a server.
pub trait StoredRecord: Serialize + DeserializeOwned + Send + Sync {
    /// The name of the kind: a folder below the storage's own, and part of the keyring's name.
    const KIND: &'static str;

    /// Returns the server's origin.
    fn origin(&self) -> &str;

    /// Returns a name for use when the secret cannot be read.
    fn name(&self) -> Option<&str> {
        None
    }
}

impl StoredRecord for Profile {
    const KIND: &'static str = "";

    fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the session's id.
    fn name(&self) -> Option<&str> {
        Some(&self.session)
    }
}
