//! Clients that register themselves, clients with metadata documents, and pairwise subjects.

use crate::Result;
use crate::audit::AuditEntry;
use crate::oauth::StoredClient;
use async_trait::async_trait;
use domain::UnixMs;
use domain::ids::UserId;

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

/// The registration of a client that registers itself. Written only if the token has a use left and the list is not
/// full.
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
    /// The URL of the document.
    pub id: String,
    /// JSON, as of a [`StoredClient`].
    pub registration: String,
    pub fetched_at: UnixMs,
    pub expires_at: UnixMs,
    /// When an administrator disabled the client. A disabled document does not expire.
    pub disabled_at: Option<UnixMs>,
}

/// A fetched document to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutDocument {
    /// A new row is enabled, and one that exists keeps its `disabled_at`.
    pub document: StoredDocument,
    /// The known registration that describes the same app, so that consents stay if it is the stored one. Otherwise they are
    /// withdrawn.
    pub same_app: Option<String>,
    /// Maximum number of documents. The oldest one that nobody uses makes room.
    pub most: u32,
}

#[async_trait]
pub trait OAuthRegistrations {
    async fn add_initial_token(&self, token: &InitialToken, audit: &AuditEntry) -> Result<()>;
    /// Returns the tokens that have not expired, newest first.
    async fn initial_tokens(&self, now: UnixMs) -> Result<Vec<InitialToken>>;
    /// Registers a client. `false`: the token is unknown, used up or expired, or the list of registered clients is
    /// full.
    async fn register_client(&self, registration: &RegisterClient) -> Result<bool>;
    async fn document(&self, id: &str, now: UnixMs) -> Result<Option<StoredDocument>>;
    /// Returns all documents that have not expired, by id.
    async fn documents(&self, now: UnixMs) -> Result<Vec<StoredDocument>>;
    /// Stores or replaces a document, and returns it as it is stored. `None`: it is new, and each of the others is used or
    /// disabled.
    async fn put_document(&self, put: &PutDocument) -> Result<Option<StoredDocument>>;
    /// Disables the client of a document, or enables it again. `false`: no such document is stored.
    async fn disable_document(&self, id: &str, disabled_at: Option<UnixMs>, audit: &AuditEntry) -> Result<bool>;
    /// Disables the client of a document that may never have been fetched. `document`: stored, if none is.
    async fn forbid_document(&self, document: &StoredDocument, audit: &AuditEntry) -> Result<()>;
    /// Removes the client of a document with its codes, grants and consents. `false`: no such document is stored.
    async fn remove_document(&self, id: &str, audit: &AuditEntry, now: UnixMs) -> Result<bool>;
    /// Returns the client that a management token is for, until its registration expires.
    async fn registered_client(&self, id: &str, management_hash: &str, now: UnixMs) -> Result<Option<StoredClient>>;
    /// Deletes a token. `false`: no such token is stored.
    async fn remove_initial_token(&self, token_hash: &str, audit: &AuditEntry) -> Result<bool>;
    /// Returns the subject of a person in a sector, if one is stored.
    async fn known_subject(&self, sector: &str, user: &UserId) -> Result<Option<String>>;
    /// Returns the subject of a person in a sector. `fresh`: stored and returned, if the person has none.
    async fn pairwise_subject(&self, sector: &str, user: &UserId, fresh: &str) -> Result<String>;
}
