//! Clients of the OpenID provider by their ids.

use super::client_document;
use crate::api_error::ApiError;
use crate::state::AppState;
use oidc::Client;
use std::sync::Arc;

/// Returns the client with this id, unless it is disabled or has expired. A client that is a document must have been read
/// before: only an authorization request fetches a new one.
///
/// # Errors
/// The store fails.
pub async fn find(state: &AppState, id: &str) -> Result<Option<Arc<Client>>, ApiError> {
    if let Some(client) = state.clients.find(id, state.now()) {
        return Ok(Some(client));
    }
    let document = client_document::find(state, id).await?;
    Ok(document.map(|document| document.client).filter(|client| !client.settings.disabled))
}
