//! The client of an authorization request, which may be a document that was never fetched before.

use crate::api_error::ApiError;
use crate::guards::client_document::{self, is_old};
use crate::state::AppState;
use domain::client_key::ClientKey;
use oidc::Client;
use oidc::authorize::{ShownError, disabled_client, unknown_client};
use oidc::document::is_document_id;
use oidc::error::{ErrorCode, OAuthError};
use std::sync::Arc;

/// The client of an authorization request.
#[derive(Debug)]
pub enum FoundClient {
    Client(Arc<Client>),
    /// The document is fetched for people who are signed in, so that strangers make this server fetch nothing.
    SignInFirst,
    Shown(ShownError),
}

/// The signed-in person for whom a document may be fetched.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    pub user: &'a str,
    pub address: ClientKey,
}

/// Finds the client of an authorization request. `reader`: the person who is signed in, if any.
///
/// # Errors
/// The store fails.
pub async fn find(state: &AppState, id: &str, reader: Option<Reader<'_>>) -> Result<FoundClient, ApiError> {
    let now = state.now();
    if let Some(client) = state.clients.find(id, now) {
        return Ok(FoundClient::Client(client));
    }
    if state.clients.registered(id, now).is_some() {
        return Ok(FoundClient::Shown(disabled_client(id)));
    }
    if !state.config.settings.oauth.client_documents || !is_document_id(id) {
        return Ok(FoundClient::Shown(unknown_client(id)));
    }
    let documents = &state.clients.documents;
    let known = client_document::find(state, id).await?;
    let Some(known) = known else {
        if documents.has_failed(id, now) {
            return Ok(FoundClient::Shown(failed(id, "could not be fetched a moment ago: try again in a minute")));
        }
        let Some(reader) = reader else { return Ok(FoundClient::SignInFirst) };
        if !documents.may_fetch(reader.user, &reader.address.to_string(), now) {
            let text = "was not fetched, because many new apps were opened from here: try again in some minutes";
            return Ok(FoundClient::Shown(failed(id, text)));
        }
        return Ok(match client_document::fetch(state, id).await? {
            Ok(client) => FoundClient::Client(client),
            Err(problem) => FoundClient::Shown(failed(id, &problem)),
        });
    };
    if known.client.settings.disabled {
        return Ok(FoundClient::Shown(disabled_client(id)));
    }
    // If the fetch fails, the stored document serves until it expires: its host may be down for a while.
    if reader.is_some() && is_old(&known, now) && !documents.has_failed(id, now) {
        let fetched = client_document::fetch(state, id).await?;
        return Ok(FoundClient::Client(fetched.unwrap_or(known.client)));
    }
    Ok(FoundClient::Client(known.client))
}

fn failed(id: &str, problem: &str) -> ShownError {
    let error = OAuthError::new(ErrorCode::InvalidClient, format!("the client's metadata document {problem}"));
    ShownError { error, facts: vec![("client_id", id.to_owned())] }
}
