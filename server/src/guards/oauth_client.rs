//! Clients of the OpenID provider that authenticate (RFC 6749, section 2.3; RFC 7523).

use super::client_document;
use crate::api_error::ApiError;
use crate::state::AppState;
use domain::encoding::{base64url, sha256};
use http::{HeaderMap, header};
use jose::PublicKey;
use oidc::client_auth::{AssertionClaims, Credentials};
use oidc::document::is_document_id;
use oidc::error::{ErrorCode, OAuthError};
use oidc::{Client, Params};
use serde_json::Value;
use std::sync::Arc;
use store::proofs::UsedProof;
use wire::paths;

/// Period that an assertion's id is remembered, longer than any accepted assertion is valid.
const REMEMBERED_MS: i64 = 15 * 60_000;

/// Authenticates the client of a request. All wrong credentials get the same answer.
///
/// # Errors
/// The client's error, or the store fails.
pub async fn authenticate(
    state: &AppState,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Result<Arc<Client>, OAuthError>, ApiError> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credentials = match Credentials::read(authorization, params) {
        Ok(credentials) => credentials,
        Err(error) => return Ok(Err(error)),
    };
    let wrong = || OAuthError::new(ErrorCode::InvalidClient, "client authentication failed");
    let Some(client) = find(state, credentials.client_id()).await? else { return Ok(Err(wrong())) };
    let client = match &credentials {
        Credentials::Assertion { .. } => client_document::with_present_keys(state, client).await?,
        Credentials::Secret { .. } | Credentials::None { .. } => client,
    };
    if !credentials.fit(&client) {
        tracing::info!(client = client.id(), "client authentication failed");
        return Ok(Err(wrong()));
    }
    if let Credentials::Assertion { jwt, .. } = &credentials
        && !is_assertion_of(state, &client, jwt).await?
    {
        return Ok(Err(wrong()));
    }
    Ok(Ok(client))
}

/// Returns the client with this id, unless it is disabled or has expired. A client that is a document must have been read
/// before: only an authorization request fetches a new one.
///
/// # Errors
/// The store fails.
pub async fn find(state: &AppState, id: &str) -> Result<Option<Arc<Client>>, ApiError> {
    if let Some(client) = state.clients.find(id, state.now()) {
        return Ok(Some(client));
    }
    if !state.config.settings.oauth.client_documents || !is_document_id(id) {
        return Ok(None);
    }
    let document = client_document::find(state, id).await?;
    Ok(document.map(|document| document.client).filter(|client| !client.settings.disabled))
}

/// Whether an assertion is signed by one of the client's keys, is for this server, and comes for the first time.
async fn is_assertion_of(state: &AppState, client: &Client, jwt: &str) -> Result<bool, ApiError> {
    let now = state.now();
    let keys = client.settings.jwks.as_ref().and_then(|jwks| jwks.get("keys")?.as_array()).into_iter().flatten();
    let claims = keys.filter_map(public_key).find_map(|key| key.verify::<AssertionClaims>(jwt).ok());
    let at = |path: &str| format!("{}{path}", state.config.origin);
    let (token, pushed) = (at(paths::OAUTH_TOKEN), at(paths::OAUTH_PAR));
    let audiences = [state.config.origin.as_str(), &token, &pushed];
    let Some(claims) = claims.filter(|claims| claims.are_of(client.id(), &audiences, now.div_euclid(1000))) else {
        return Ok(false);
    };
    let id = base64url(&sha256(format!("client assertion\n{}\n{}", client.id(), claims.jti).as_bytes()));
    Ok(state.store.use_proof(&UsedProof { id, expires_at: now + REMEMBERED_MS }).await?)
}

/// Reads a key of a JWKS. Its kind determines the algorithm.
fn public_key(jwk: &Value) -> Option<PublicKey> {
    let member = |name: &str| jwk.get(name).and_then(Value::as_str);
    if member("use").is_some_and(|usage| usage != "sig") {
        return None;
    }
    match member("kty")? {
        "RSA" => PublicKey::rsa(member("n")?, member("e")?),
        "EC" if member("crv") == Some("P-256") => PublicKey::p256(member("x")?, member("y")?),
        "OKP" if member("crv") == Some("Ed25519") => PublicKey::ed25519(member("x")?),
        _ => None,
    }
}
