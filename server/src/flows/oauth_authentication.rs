//! Clients of the OpenID provider that authenticate (RFC 6749, section 2.3; RFC 7523).

use super::{oauth_client_keys, oauth_documents};
use crate::api_error::ApiError;
use crate::guards::oauth_client;
use crate::state::CoreState;
use domain::encoding::{base64url, sha256};
use http::{HeaderMap, header};
use oidc::client_auth::{Credentials, WrongCredentials};
use oidc::document::is_document_id;
use oidc::error::{ErrorCode, OAuthError};
use oidc::{Client, Params};
use std::sync::Arc;
use store::proofs::UsedProof;

/// Period that an assertion's id is remembered, longer than any accepted assertion is valid.
const REMEMBERED_MS: i64 = 15 * 60_000;

/// Authenticates the client of a request. All wrong credentials get the same answer.
///
/// # Errors
/// The client's error, or the store fails.
pub async fn authenticate(
    state: &CoreState,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Result<Arc<Client>, OAuthError>, ApiError> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = all.next().map(|value| value.to_str().unwrap_or_default());
    if all.next().is_some() {
        return Ok(Err(OAuthError::new(ErrorCode::InvalidRequest, "the request has two Authorization headers")));
    }
    let credentials = match Credentials::read(authorization, params) {
        Ok(credentials) => credentials,
        Err(error) => return Ok(Err(error)),
    };
    let id = credentials.client_id();
    let wrong = |client: Option<&Client>, reason: WrongCredentials| {
        // An id that no client has may be a secret that an app sends in the wrong place.
        tracing::info!(client = client.map(Client::id), %reason, "client authentication failed");
        Ok(Err(OAuthError::new(ErrorCode::InvalidClient, "client authentication failed")))
    };
    let client = match &credentials {
        Credentials::Assertion { .. } if is_document_id(id) => oauth_documents::with_present_keys(state, id).await?,
        _ => oauth_client::find(state, id).await?,
    };
    let Some(client) = client else {
        credentials.hash_for_nobody();
        return wrong(None, WrongCredentials::UnknownClient);
    };
    if let Err(reason) = credentials.check(&client) {
        return wrong(Some(&client), reason);
    }
    if let Credentials::Assertion { jwt, .. } = &credentials
        && let Err(reason) = check_assertion(state, &client, jwt).await?
    {
        return wrong(Some(&client), reason);
    }
    Ok(Ok(client))
}

/// Checks that an assertion is signed by one of the client's keys, is for this server, and comes for the first time.
async fn check_assertion(
    state: &CoreState,
    client: &Arc<Client>,
    jwt: &str,
) -> Result<Result<(), WrongCredentials>, ApiError> {
    let Some(claims) = oauth_client_keys::verify(state, client, jwt).await? else {
        return Ok(Err(WrongCredentials::WrongSignature));
    };
    if !oauth_client::is_for_this_server(state, client, &claims) {
        return Ok(Err(WrongCredentials::WrongClaims));
    }
    let id = base64url(&sha256(format!("client assertion\n{}\n{}", client.id(), claims.jti).as_bytes()));
    let is_new = state.store.use_proof(&UsedProof { id, expires_at: state.now() + REMEMBERED_MS }).await?;
    Ok(if is_new { Ok(()) } else { Err(WrongCredentials::UsedAssertion) })
}
