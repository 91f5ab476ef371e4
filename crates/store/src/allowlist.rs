//! Networks that are never banned.

use crate::Result;
use crate::audit::AuditEntry;
use async_trait::async_trait;
use domain::UnixMs;
use ipnet::IpNet;

/// Maximum size of the list. Every node holds it in memory and searches it linearly.
pub const ALLOWLIST_CAP: u64 = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedNetwork {
    /// ULID.
    pub id: String,
    pub network: IpNet,
    /// The reason, in the words of the person who made the entry.
    pub comment: String,
    /// End of the entry; `None`: no expiry.
    pub expires_at: Option<UnixMs>,
    /// As [`crate::bans::Ban::made_by`].
    pub made_by: String,
    pub created_at: UnixMs,
}

impl AllowedNetwork {
    pub fn in_force(&self, now: UnixMs) -> bool {
        self.expires_at.is_none_or(|expires_at| expires_at > now)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowOutcome {
    /// Added, or replaced the entry of the same network.
    Added,
    /// The list has [`ALLOWLIST_CAP`] networks.
    Full,
}

#[async_trait]
pub trait Allowlist {
    /// Returns all entries, also expired ones, newest first.
    async fn allowlist(&self) -> Result<Vec<AllowedNetwork>>;
    async fn allow(&self, allowed: &AllowedNetwork, audit: &AuditEntry) -> Result<AllowOutcome>;
    /// Removes an entry. `false`: no such id exists.
    async fn disallow(&self, id: &str, audit: &AuditEntry) -> Result<bool>;
}
