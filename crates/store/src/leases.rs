//! Addresses of one's own for people who pay from a browser: lent, each to one offer at a time.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;

/// An offer wants an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The offer's own name.
    pub challenge: String,
    pub route: String,
    /// Blocks of the chain now.
    pub height: i64,
    pub now: UnixMs,
    /// When the offer runs out.
    pub expires_at: UnixMs,
    /// From when on another offer may have the address: long after.
    pub ends_at: UnixMs,
    /// How many addresses there are: 0 and up.
    pub addresses: u32,
}

/// An address that is lent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub subaddress: u32,
    pub challenge: String,
    pub route: String,
    /// Blocks of the chain when it was lent: no payment in one of those is for this offer.
    pub height: i64,
    /// Blocks before this one were searched.
    pub searched: i64,
    pub leased_at: UnixMs,
    pub expires_at: UnixMs,
}

#[async_trait]
pub trait Leases {
    /// Lends an address that nobody had yet, else the one that was given back longest ago. `None`: all are
    /// lent. Of any number of wishes at once, no two get the same.
    async fn lease(&self, wish: &Wish) -> Result<Option<u32>>;
    /// What is lent at this time.
    async fn leases(&self, now: UnixMs) -> Result<Vec<Lease>>;
    /// Blocks before `height` were searched for payments to all that is lent.
    async fn searched(&self, height: i64) -> Result<()>;
}
