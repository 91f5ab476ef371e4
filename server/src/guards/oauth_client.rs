//! Clients of the OpenID provider by their ids, and by what they prove.

use super::client_document;
use crate::api_error::ApiError;
use crate::state::CoreState;
use http::{HeaderMap, header};
use jose::PublicKey;
use oidc::client_auth::{AssertionClaims, Credentials, has_assertion_header};
use oidc::{Client, Params, jwks};
use serde_json::Value;
use std::sync::Arc;
use wire::paths;

/// The form of a request that has proved its client's secret, so that the handler reads neither again.
#[derive(Debug, Clone)]
pub struct ProvenForm {
    pub client: Arc<Client>,
    pub params: Params,
}

/// A client that a request proves.
#[derive(Debug, Clone)]
pub enum ProvenClient {
    BySecret(Arc<Client>),
    /// Whether the assertion comes for the first time is checked later.
    ByAssertion(Arc<Client>),
}

/// Returns the client with this id, unless it is disabled or has expired. A client that is a document must have been read
/// before: only an authorization request fetches a new one.
///
/// # Errors
/// The store fails.
pub async fn find(state: &CoreState, id: &str) -> Result<Option<Arc<Client>>, ApiError> {
    if let Some(client) = state.clients.find(id, state.now()) {
        return Ok(Some(client));
    }
    let document = client_document::find(state, id).await?;
    Ok(document.map(|document| document.client).filter(|client| !client.settings.disabled))
}

/// Returns the client whose secret or key the request proves. An assertion is not used up, and no keys are fetched.
/// `may_check`: whether a signature of the client with this id may be verified now, or its document read from the store.
///
/// # Errors
/// The store fails.
pub async fn proves(
    state: &CoreState,
    headers: &HeaderMap,
    params: &Params,
    may_check: impl Fn(&str) -> bool,
) -> Result<Option<ProvenClient>, ApiError> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Ok(credentials) = Credentials::read(authorization, params) else { return Ok(None) };
    let id = credentials.client_id();
    Ok(match &credentials {
        Credentials::None { .. } => None,
        Credentials::Secret { .. } => {
            let client = state.clients.find(id, state.now());
            if client.is_none() {
                credentials.hash_for_nobody();
            }
            client.filter(|client| credentials.fit(client)).map(ProvenClient::BySecret)
        }
        Credentials::Assertion { .. } if !may_check(id) => None,
        Credentials::Assertion { jwt, .. } => {
            let client = find(state, id).await?.filter(|client| has_signed(state, client, jwt));
            client.map(ProvenClient::ByAssertion)
        }
    })
}

/// Whether one of the client's keys that are known here has signed an assertion for this server.
fn has_signed(state: &CoreState, client: &Arc<Client>, jwt: &str) -> bool {
    let claims = if client.settings.jwks_uri.is_some() {
        let set = state.clients.key_sets.of(client);
        set.last(state.now()).and_then(|keys| signed_claims(&keys, jwt))
    } else {
        client.settings.jwks.as_ref().and_then(|keys| signed_claims(keys, jwt))
    };
    claims.is_some_and(|claims| is_for_this_server(state, client, &claims))
}

/// Whether the claims of an assertion name the client and this server, and are in time (RFC 7523, section 3).
pub fn is_for_this_server(state: &CoreState, client: &Client, claims: &AssertionClaims) -> bool {
    let at = |path: &str| format!("{}{path}", state.config.origin);
    let (token, pushed) = (at(paths::OAUTH_TOKEN), at(paths::OAUTH_PAR));
    let audiences = [state.config.origin.as_str(), &token, &pushed];
    claims.are_of(client.id(), &audiences, state.now().to_seconds())
}

/// Returns the claims of an assertion that a key of this JWKS has signed.
pub fn signed_claims(keys: &Value, jwt: &str) -> Option<AssertionClaims> {
    if !has_assertion_header(jwt) {
        return None;
    }
    let keys = keys.get("keys").and_then(Value::as_array).into_iter().flatten();
    keys.filter_map(public_key).find_map(|key| key.verify(jwt).ok())
}

/// Reads a key of a JWKS. Its kind determines the algorithm.
fn public_key(jwk: &Value) -> Option<PublicKey> {
    let member = |name: &str| jwk.get(name).and_then(Value::as_str);
    if !jwk.as_object().is_some_and(jwks::verifies) {
        return None;
    }
    match member("kty")? {
        "RSA" => PublicKey::rsa(member("n")?, member("e")?),
        "EC" if member("crv") == Some("P-256") => PublicKey::p256(member("x")?, member("y")?),
        "OKP" if member("crv") == Some("Ed25519") => PublicKey::ed25519(member("x")?),
        _ => None,
    }
}
