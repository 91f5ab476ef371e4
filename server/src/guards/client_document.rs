//! Clients that are described by a document at the URL that is their id (draft-ietf-oauth-client-id-metadata-document).

use crate::api_error::ApiError;
use crate::error_chain::chain;
use crate::oauth::clients;
use crate::oauth::documents::CachedDocument;
use crate::outbound::{OutboundError, Reach};
use crate::state::AppState;
use domain::UnixMs;
use oidc::document::{self, LONGEST};
use oidc::{Client, ClientSource};
use std::sync::Arc;
use store::oauth_registrations::{PutDocument, StoredDocument};

/// How long a document serves before it is fetched again.
const FRESH_MS: i64 = 60 * 60_000;
/// How long a row serves before it is read again, because another node may have fetched a newer document.
const READ_AGAIN_MS: i64 = 60_000;
/// Maximum number of stored documents.
const MOST: u32 = 1000;

/// Whether the document is due for a fetch.
pub fn is_old(document: &CachedDocument, now: UnixMs) -> bool {
    now - document.fetched_at >= FRESH_MS
}

/// Returns a document as a node has stored it, even if its client is disabled.
///
/// # Errors
/// The store fails.
pub async fn find(state: &AppState, id: &str) -> Result<Option<CachedDocument>, ApiError> {
    let now = state.now();
    let documents = &state.clients.documents;
    if let Some(cached) = documents.find(id).filter(|cached| now - cached.read_at < READ_AGAIN_MS) {
        return Ok(Some(cached));
    }
    let Some(row) = state.store.document(id, now).await? else {
        documents.forget(id);
        return Ok(None);
    };
    let client = match clients::read_document(&row) {
        Ok(client) => Arc::new(client),
        Err(problem) => {
            tracing::error!(client = id, %problem, "a stored document cannot be used");
            return Ok(None);
        }
    };
    let document = CachedDocument { client, fetched_at: row.fetched_at, read_at: now };
    documents.remember(id, document.clone());
    Ok(Some(document))
}

/// Fetches a document and stores it. What is stored stays if that fails, and the problem is a sentence part for the page.
///
/// # Errors
/// The store fails.
pub async fn fetch(state: &AppState, id: &str) -> Result<Result<Arc<Client>, String>, ApiError> {
    let now = state.now();
    let failure = |text: String| {
        state.clients.documents.fail(id, now);
        Ok(Err(text))
    };
    let body = match state.outbound.get(Reach::Public, id, LONGEST).await {
        Ok(body) => body,
        // The document has not failed, so nothing is remembered.
        Err(OutboundError::Busy) => return Ok(Err("was not fetched, because this site is busy: try again".to_owned())),
        Err(error) => {
            tracing::info!(client = id, cause = %chain(&error), "a client's document could not be fetched");
            // The same for every cause, or the page would tell which ports of a network are open.
            let text = "could not be fetched: it must be at a public address and answer with status 200";
            return failure(text.to_owned());
        }
    };
    let settings = match document::read(id, &body) {
        Ok(settings) => settings,
        Err(invalid) => return failure(format!("is not accepted: {invalid}")),
    };
    let registration = serde_json::to_string(&settings).map_err(ApiError::broken)?;
    let mut client = match Client::new(settings, &[], ClientSource::Document) {
        Ok(client) => client,
        Err(invalid) => return failure(format!("is not accepted: {invalid}")),
    };
    let before = state.store.document(id, now).await?;
    let is_same = |row: &&StoredDocument| clients::read_document(row).is_ok_and(|old| old.is_same_app(&client));
    let same_app = before.as_ref().filter(is_same).map(|row| row.registration.clone());
    let disabled_at = before.and_then(|row| row.disabled_at);
    let expires_at = now + state.config.settings.session.absolute.ms();
    let document = StoredDocument { id: id.to_owned(), registration, fetched_at: now, expires_at, disabled_at };
    if !state.store.put_document(&PutDocument { document, same_app, most: MOST }).await? {
        tracing::warn!(client = id, "a new document was refused: all that are stored are in use");
        return failure("cannot be stored: people at this site use as many such apps as it may know".to_owned());
    }
    client.settings.disabled = disabled_at.is_some();
    let client = Arc::new(client);
    let cached = CachedDocument { client: Arc::clone(&client), fetched_at: now, read_at: now };
    state.clients.documents.remember(id, cached);
    Ok(Ok(client))
}

/// Returns the client of a document with its present keys, because a key that it has withdrawn must not serve any longer.
/// If the document cannot be fetched, the stored one serves until it expires.
///
/// # Errors
/// The store fails.
pub async fn with_present_keys(state: &AppState, client: Arc<Client>) -> Result<Arc<Client>, ApiError> {
    let now = state.now();
    if client.source != ClientSource::Document || state.clients.documents.has_failed(client.id(), now) {
        return Ok(client);
    }
    match find(state, client.id()).await? {
        Some(known) if is_old(&known, now) => Ok(fetch(state, client.id()).await?.unwrap_or(client)),
        _ => Ok(client),
    }
}
