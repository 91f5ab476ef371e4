//! Clients that are documents: the client of an authorization request, which may never have been fetched before, and fetches.

use crate::api_error::ApiError;
use crate::error_chain::chain;
use crate::guards::client_document::{self, KnownDocument};
use crate::outbound::OutboundError;
use crate::state::CoreState;
use domain::client_key::ClientKey;
use domain::ids::UserId;
use oidc::authorize::{ShownError, disabled_client, unknown_client};
use oidc::document::{self, LONGEST, is_document_id};
use oidc::error::{ErrorCode, OAuthError};
use oidc::{Client, ClientSource};
use std::sync::Arc;
use store::oauth_registrations::{PutDocument, StoredDocument};

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

/// The signed-in person for whom a document may be fetched.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    pub user: &'a UserId,
    pub address: ClientKey,
}

/// Finds the client of an authorization request. `reader`: the person who is signed in, if any.
///
/// # Errors
/// The store fails.
pub async fn find(state: &CoreState, id: &str, reader: Option<Reader<'_>>) -> Result<FoundClient, ApiError> {
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
    let fetches = &state.clients.document_fetches;
    let Some(known) = client_document::find(state, id).await? else {
        if fetches.has_failed(id, now) {
            return Ok(FoundClient::Shown(failed(id, "could not be fetched a moment ago: try again in a minute")));
        }
        let Some(reader) = reader else { return Ok(FoundClient::SignInFirst) };
        if !fetches.may_fetch(reader.user, &reader.address.to_string(), now) {
            let text = "was not fetched, because many new apps were opened from here: try again in some minutes";
            return Ok(FoundClient::Shown(failed(id, text)));
        }
        return Ok(match fetch(state, id, None).await? {
            Ok(client) if client.settings.disabled => FoundClient::Shown(disabled_client(id)),
            Ok(client) => FoundClient::Client(client),
            Err(problem) => FoundClient::Shown(failed(id, &problem)),
        });
    };
    if known.client.settings.disabled {
        return Ok(FoundClient::Shown(disabled_client(id)));
    }
    Ok(FoundClient::Client(if reader.is_some() { renewed(state, known).await? } else { known.client }))
}

/// Returns the client of a document with its present keys. A key that it has withdrawn must not be used any more.
/// `None`: no document with this id is stored, or its client is disabled.
///
/// # Errors
/// The store fails.
pub(super) async fn with_present_keys(state: &CoreState, id: &str) -> Result<Option<Arc<Client>>, ApiError> {
    match client_document::find(state, id).await? {
        Some(known) if !known.client.settings.disabled => {
            let client = renewed(state, known).await?;
            Ok((!client.settings.disabled).then_some(client))
        }
        _ => Ok(None),
    }
}

/// Fetches an old document again. If that fails, the stored one serves until it expires: its host may be down for a while.
async fn renewed(state: &CoreState, known: KnownDocument) -> Result<Arc<Client>, ApiError> {
    let (id, now) = (known.client.id(), state.now());
    if !known.is_old(now) || state.clients.document_fetches.has_failed(id, now) {
        return Ok(known.client);
    }
    Ok(fetch(state, id, Some(&known)).await?.unwrap_or(known.client))
}

/// Fetches a document and stores it. What is stored stays if that fails, and the problem is a sentence part for the page.
/// `known`: the stored document, if there is one.
async fn fetch(
    state: &CoreState,
    id: &str,
    known: Option<&KnownDocument>,
) -> Result<Result<Arc<Client>, String>, ApiError> {
    let now = state.now();
    let failure = |text: String| {
        state.clients.document_fetches.fail(id, now);
        Ok(Err(text))
    };
    let body = match state.outbound.get_document(id, LONGEST).await {
        Ok(body) => body,
        // The document has not failed, so nothing is remembered.
        Err(OutboundError::Busy) => return Ok(Err("was not fetched, because this site is busy: try again".to_owned())),
        Err(error) => {
            tracing::info!(client = id, cause = %chain(&error), "a client's document could not be fetched");
            // The same for every cause, or the page would tell which ports of a network are open.
            let text = "could not be fetched: it must be at a public address and answer with status 200 and the content type \
                        application/json";
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
    if let Err(invalid) = client.check_name(&state.config.settings.site.name) {
        return failure(format!("is not accepted: {invalid}"));
    }
    let same_app = known.filter(|known| known.client.is_same_app(&client)).map(|known| known.row.registration.clone());
    let expires_at = now + state.config.settings.session.absolute.ms();
    let document = StoredDocument { id: id.to_owned(), registration, fetched_at: now, expires_at, disabled_at: None };
    let Some(stored) = state.store.put_document(&PutDocument { document, same_app, most: MOST }).await? else {
        tracing::warn!(client = id, "a new document was refused: all that are stored are in use");
        return failure("cannot be stored: people at this site use as many such apps as it may know".to_owned());
    };
    client.settings.disabled = stored.disabled_at.is_some();
    Ok(Ok(Arc::new(client)))
}

fn failed(id: &str, problem: &str) -> ShownError {
    let error = OAuthError::new(ErrorCode::InvalidClient, format!("the client's metadata document {problem}"));
    ShownError { error, facts: vec![("client_id", id.to_owned())] }
}
