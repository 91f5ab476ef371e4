//! Clients that are described by a document at the URL that is their id (draft-ietf-oauth-client-id-metadata-document):
//! what is stored of it.

use crate::api_error::ApiError;
use crate::oauth::clients;
use crate::state::CoreState;
use domain::UnixMs;
use oidc::Client;
use oidc::document::is_document_id;
use std::sync::Arc;
use store::oauth_registrations::StoredDocument;

/// How long a document serves before it is fetched again.
const FRESH_MS: i64 = 60 * 60_000;

/// A stored document and the client that it describes.
#[derive(Debug, Clone)]
pub struct KnownDocument {
    pub row: StoredDocument,
    pub client: Arc<Client>,
}

impl KnownDocument {
    /// Whether the document is due for a fetch.
    pub fn is_old(&self, now: UnixMs) -> bool {
        now - self.row.fetched_at >= FRESH_MS
    }
}

/// Returns a document as it is stored, even if its client is disabled. `None`: none is stored, or this site refuses such
/// clients.
///
/// # Errors
/// The store fails.
pub async fn find(state: &CoreState, id: &str) -> Result<Option<KnownDocument>, ApiError> {
    if !state.config.settings.oauth.client_documents || !is_document_id(id) {
        return Ok(None);
    }
    let Some(row) = state.store.document(id, state.now()).await? else { return Ok(None) };
    match clients::read_document(&row) {
        Ok(client) => Ok(Some(KnownDocument { row, client: Arc::new(client) })),
        Err(problem) => {
            tracing::error!(client = id, %problem, "a stored document cannot be used");
            Ok(None)
        }
    }
}
