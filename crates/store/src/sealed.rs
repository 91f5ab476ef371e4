//! Values encrypted with the key-encryption key, and their encryption under a new one.
//!
//! A sealed value begins with the short name of its key and a dot. Values from before keys had names have no dot.

use crate::Result;
use crate::audit::AuditEntry;
use async_trait::async_trait;
use domain::UnixMs;

/// One encrypted value in any table.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedValue {
    /// The table's index in the list of tables.
    pub(crate) table: usize,
    pub(crate) id: String,
    pub(crate) version: i64,
    /// The associated data: the row's name.
    pub place: String,
    pub sealed: String,
}

impl std::fmt::Debug for SealedValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({})", self.place)
    }
}

/// Returns the short name of a value's key; empty for values from before keys had names.
pub fn sealer(sealed: &str) -> &str {
    sealed.split_once('.').map_or("", |(kid, _)| kid)
}

#[async_trait]
pub trait SealedValues {
    /// Returns values under other keys than `kid`, at most `limit` of each table.
    async fn sealed_by_others(&self, kid: &str, limit: u32) -> Result<Vec<SealedValue>>;
    /// Replaces a value by an encryption of the same secret. `false`: it was changed or deleted meanwhile.
    async fn reseal(&self, value: &SealedValue, sealed: &str) -> Result<bool>;
    /// Refuses further writes under these keys: they fail with [`crate::Error::OldSealer`]. All earlier writes are
    /// visible afterwards.
    async fn retire_sealers(&self, kids: &[String], audit: &AuditEntry, now: UnixMs) -> Result<()>;
    async fn retired_sealers(&self) -> Result<Vec<String>>;
}
