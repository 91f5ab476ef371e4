//! Services: who may be talked to with tickets.

use crate::Result;
use crate::audit::Entry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::Role;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub name: String,
    /// The public key that tickets are sealed to, as JWK text.
    pub jwk: String,
    /// Its thumbprint (RFC 7638).
    pub kid: String,
    /// Whoever lacks this role gets no ticket.
    pub role: Option<Role>,
    pub created_at: UnixMs,
    /// When its key or its role was last changed.
    pub changed_at: UnixMs,
}

#[async_trait]
pub trait Services {
    /// All, by name.
    async fn services(&self) -> Result<Vec<Service>>;
    async fn service(&self, name: &str) -> Result<Option<Service>>;
    /// Adds it, or gives the one of this name another key and role. What is stored then.
    async fn put_service(&self, service: &Service, audit: &Entry) -> Result<Service>;
    /// `false`: there is none of this name.
    async fn remove_service(&self, name: &str, audit: &Entry) -> Result<bool>;
}
