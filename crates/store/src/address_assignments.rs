//! Addresses assigned to people who pay from a browser, each to one offer at a time.

use crate::Result;
use async_trait::async_trait;
use domain::UnixMs;

/// An offer that needs an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentRequest {
    /// The offer's name.
    pub challenge: String,
    pub route: String,
    /// The current number of blocks.
    pub height: i64,
    pub now: UnixMs,
    /// The offer's expiry.
    pub expires_at: UnixMs,
    /// When another offer may use the address, long after the expiry.
    pub ends_at: UnixMs,
    /// Number of addresses, with indices from 0.
    pub addresses: u32,
}

/// An assigned address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressAssignment {
    pub subaddress: u32,
    pub challenge: String,
    pub route: String,
    /// Number of blocks at the assignment. No earlier payment is for this offer.
    pub height: i64,
    /// Blocks before this one were scanned.
    pub searched: i64,
    pub leased_at: UnixMs,
    pub expires_at: UnixMs,
}

#[async_trait]
pub trait AddressAssignments {
    /// Assigns an unused address, or else the one that was released longest ago. `None`: all are assigned. Concurrent
    /// calls never get the same address.
    async fn assign_address(&self, request: &AssignmentRequest) -> Result<Option<u32>>;
    /// Returns the assignments that end after this time. An ended one exists until its address is assigned again.
    async fn address_assignments(&self, now: UnixMs) -> Result<Vec<AddressAssignment>>;
    /// Records that blocks before `height` were scanned for all assignments.
    async fn mark_searched(&self, height: i64) -> Result<()>;
}
