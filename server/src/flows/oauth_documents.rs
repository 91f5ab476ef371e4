//! Clients that are described by a document at the URL that is their id (draft-ietf-oauth-client-id-metadata-document).

use crate::api_error::ApiError;
use crate::error_chain::chain;
use crate::guards::oauth_client;
use crate::oauth::clients::CachedDocument;
use crate::outbound::Reach;
use crate::state::AppState;
use oidc::authorize::{ShownError, disabled_client, unknown_client};
use oidc::document::{self, LONGEST, is_document_id};
use oidc::error::{ErrorCode, OAuthError};
use oidc::{Client, ClientSource};
use std::sync::Arc;
use store::oauth_registrations::StoredDocument;

/// How long a document serves before an authorization request fetches it again.
const FRESH_MS: i64 = 60 * 60_000;
/// How long a failure is remembered, so that reloading a page is no flood for the other server.
const FAILED_MS: i64 = 30_000;
/// Maximum number of stored documents.
const MOST: u32 = 1000;

/// The client of an authorization request.
#[derive(Debug)]
pub enum FoundClient {
    Client(Arc<Client>),
    /// The document is fetched for people who are signed in, so that strangers make this server fetch nothing.
    SignInFirst,
    Shown(ShownError),
}

/// Finds the client of an authorization request. `signed_in`: whether a document may be fetched.
///
/// # Errors
/// The store fails.
pub async fn find(state: &AppState, id: &str, signed_in: bool) -> Result<FoundClient, ApiError> {
    if let Some(client) = state.clients.find(id) {
        return Ok(FoundClient::Client(client));
    }
    if state.clients.registered(id).is_some() {
        return Ok(FoundClient::Shown(disabled_client(id)));
    }
    if !state.config.settings.oauth.client_documents || !is_document_id(id) {
        return Ok(FoundClient::Shown(unknown_client(id)));
    }
    let known = oauth_client::find_document(state, id).await?;
    let age = known.as_ref().map(|known| state.now() - known.fetched_at);
    match known {
        Some(CachedDocument { client: Some(client), .. }) if age.is_some_and(|age| age < FRESH_MS) => {
            Ok(FoundClient::Client(client))
        }
        Some(CachedDocument { client: None, .. }) if age.is_some_and(|age| age < FAILED_MS) => {
            Ok(FoundClient::Shown(failed(id, "could not be fetched a moment ago: try again in a minute")))
        }
        _ if !signed_in => Ok(FoundClient::SignInFirst),
        _ => fetch(state, id).await,
    }
}

async fn fetch(state: &AppState, id: &str) -> Result<FoundClient, ApiError> {
    let now = state.now();
    let failure = |text: &str| {
        state.clients.remember(id, CachedDocument { client: None, fetched_at: now });
        Ok(FoundClient::Shown(failed(id, text)))
    };
    let body = match state.outbound.get(Reach::Public, id, LONGEST).await {
        Ok(body) => body,
        Err(error) => {
            tracing::info!(client = id, cause = %chain(&error), "a client's document could not be fetched");
            // The same for every cause, or the page would tell which ports of a network are open.
            return failure("could not be fetched: it must be at a public address and answer with status 200");
        }
    };
    let settings = match document::read(id, &body) {
        Ok(settings) => settings,
        Err(invalid) => return failure(&format!("is not accepted: {invalid}")),
    };
    let registration = serde_json::to_string(&settings).map_err(ApiError::broken)?;
    let client = match Client::new(settings, &[], ClientSource::Document) {
        Ok(client) => Arc::new(client),
        Err(invalid) => return failure(&format!("is not accepted: {invalid}")),
    };
    let expires_at = now + state.config.settings.session.absolute.ms();
    let row = StoredDocument { id: id.to_owned(), registration, fetched_at: now, expires_at };
    state.store.put_document(&row, MOST).await?;
    state.clients.remember(id, CachedDocument { client: Some(Arc::clone(&client)), fetched_at: now });
    Ok(FoundClient::Client(client))
}

fn failed(id: &str, problem: &str) -> ShownError {
    let error = OAuthError::new(ErrorCode::InvalidClient, format!("the client's metadata document {problem}"));
    ShownError { error, facts: vec![("client_id", id.to_owned())] }
}
