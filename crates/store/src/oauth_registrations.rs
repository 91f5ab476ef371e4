//! Clients that register themselves, clients that are documents, and pairwise subjects.

use crate::Result;
use crate::audit::AuditEntry;
use crate::oauth::StoredClient;
use async_trait::async_trait;
use domain::UnixMs;

/// A token for the registration of new clients (RFC 7591, section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialToken {
    /// SHA-256, base64url.
    pub token_hash: String,
    /// A note for administrators.
    pub note: String,
    /// Number of clients that it may still register.
    pub uses_left: u32,
    pub created_at: UnixMs,
    pub expires_at: UnixMs,
}

/// The registration of a client by itself, written only if the token has a use left and the list is not full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterClient {
    pub client: StoredClient,
    pub token_hash: String,
    /// Maximum number of registered clients.
    pub most: u32,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

/// A client that a document describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// Its URL.
    pub id: String,
    /// JSON, as of a [`StoredClient`].
    pub registration: String,
    pub fetched_at: UnixMs,
    pub expires_at: UnixMs,
}

#[async_trait]
pub trait OAuthRegistrations {
    async fn add_initial_token(&self, token: &InitialToken, audit: &AuditEntry) -> Result<()>;
    /// Returns the tokens that have not expired, newest first.
    async fn initial_tokens(&self, now: UnixMs) -> Result<Vec<InitialToken>>;
    /// `false`: the token is unknown, used up or expired, or the list of registered clients is full.
    async fn register_client(&self, registration: &RegisterClient) -> Result<bool>;
    async fn document(&self, id: &str, now: UnixMs) -> Result<Option<StoredDocument>>;
    /// Stores or replaces a document. Beyond `most` documents the oldest are deleted.
    async fn put_document(&self, document: &StoredDocument, most: u32) -> Result<()>;
    /// Returns the subject of a person in a sector. `fresh`: stored and returned, if the person has none.
    async fn pairwise_subject(&self, sector: &str, user: &str, fresh: &str) -> Result<String>;
}
