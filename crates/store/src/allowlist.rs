//! Networks that are never closed.

use crate::Result;
use crate::audit::Entry;
use async_trait::async_trait;
use domain::UnixMs;
use ipnet::IpNet;

/// The most networks of the list: every node holds it in memory and walks it.
pub const ALLOWLIST_CAP: u64 = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// ULID.
    pub id: String,
    pub network: IpNet,
    /// Why, in the words of whoever made it.
    pub comment: String,
    /// Not in force from then on; `None`: for good.
    pub expires_at: Option<UnixMs>,
    /// As [`crate::bans::Ban::made_by`].
    pub made_by: String,
    pub created_at: UnixMs,
}

impl Allowed {
    pub fn in_force(&self, now: UnixMs) -> bool {
        self.expires_at.is_none_or(|expires_at| expires_at > now)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// Added, or put in the place of what the list said of the same network.
    Added,
    /// The list has [`ALLOWLIST_CAP`] networks.
    Full,
}

#[async_trait]
pub trait Allowlist {
    /// All, in force or not, newest first.
    async fn allowlist(&self) -> Result<Vec<Allowed>>;
    async fn allow(&self, allowed: &Allowed, audit: &Entry) -> Result<Added>;
    /// Takes a network off the list. `false`: there is none of this id.
    async fn disallow(&self, id: &str, audit: &Entry) -> Result<bool>;
}
