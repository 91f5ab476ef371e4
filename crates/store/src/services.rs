//! Services that accept tickets.

use crate::Result;
use crate::audit::AuditEntry;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account::Role;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub name: String,
    /// The public key for encrypting tickets, as JWK text.
    pub jwk: String,
    /// Its thumbprint (RFC 7638).
    pub kid: String,
    /// The role that a ticket for it requires.
    pub role: Option<Role>,
    pub created_at: UnixMs,
    /// The time of the last change of its key or its role.
    pub changed_at: UnixMs,
}

#[async_trait]
pub trait Services {
    /// Returns all services by name.
    async fn services(&self) -> Result<Vec<Service>>;
    async fn service(&self, name: &str) -> Result<Option<Service>>;
    /// Adds a service, or replaces the key and role of an existing one. Returns the stored service.
    async fn put_service(&self, service: &Service, audit: &AuditEntry) -> Result<Service>;
    /// Removes a service. `false`: no service has this name.
    async fn remove_service(&self, name: &str, audit: &AuditEntry) -> Result<bool>;
}
