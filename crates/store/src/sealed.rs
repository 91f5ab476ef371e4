//! Values that the key-encryption key keeps: which there are, and how they come under another one.
//!
//! A sealed value begins with the short name of the key that sealed it and a dot; one from before keys had
//! names has no dot.

use crate::Result;
use crate::audit::Entry;
use async_trait::async_trait;
use domain::UnixMs;

/// One value, wherever it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The table, by its place in the list of them.
    pub(crate) table: usize,
    pub(crate) id: String,
    pub(crate) version: i64,
    /// What it was sealed for: the row's name.
    pub place: String,
    pub sealed: String,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({})", self.place)
    }
}

/// The short name of the key that sealed a value; empty: from before they had names.
pub fn sealer(sealed: &str) -> &str {
    sealed.split_once('.').map_or("", |(kid, _)| kid)
}

#[async_trait]
pub trait SealedValues {
    /// Values that another key than `kid` sealed, `limit` of each table at most.
    async fn sealed_by_others(&self, kid: &str, limit: u32) -> Result<Vec<Sealed>>;
    /// Puts another sealing of the same secret in its place. `false`: it has changed or gone meanwhile.
    async fn reseal(&self, value: &Sealed, sealed: &str) -> Result<bool>;
    /// From now on nothing that these keys sealed is written: what others are about to write fails with
    /// [`crate::Error::OldSealer`], what they have written is seen.
    async fn retire_sealers(&self, kids: &[String], audit: &Entry, now: UnixMs) -> Result<()>;
    async fn retired_sealers(&self) -> Result<Vec<String>>;
}
