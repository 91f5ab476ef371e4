//! The keys with which clients sign their assertions: in their registration, or at their `jwks_uri` (RFC 7591, section 2).

use super::run_to_completion;
use crate::api_error::ApiError;
use crate::clock::Clock;
use crate::error_chain::chain;
use crate::guards::oauth_client::signed_claims;
use crate::oauth::key_sets::KeySet;
use crate::outbound::{Outbound, OutboundError, Reach};
use crate::state::CoreState;
use oidc::client_auth::AssertionClaims;
use oidc::{Client, jwks};
use std::sync::Arc;
use wire::problem::Code;

/// Returns the claims of an assertion that one of the client's keys has signed. If none of the keys at a `jwks_uri` has, they
/// are fetched again, because the client may have a new one.
///
/// # Errors
/// `busy`: the keys could not be fetched, because this server fetches too much.
pub(super) async fn verify(
    state: &CoreState,
    client: &Arc<Client>,
    jwt: &str,
) -> Result<Option<AssertionClaims>, ApiError> {
    if client.settings.jwks_uri.is_none() {
        return Ok(client.settings.jwks.as_ref().and_then(|keys| signed_claims(keys, jwt)));
    }
    let set = state.clients.key_sets.of(client);
    if let Some(claims) = set.fresh(state.now()).and_then(|keys| signed_claims(&keys, jwt)) {
        return Ok(Some(claims));
    }
    // Runs to completion, or clients that hang up would cause more fetches than one a minute.
    let fetch = fetch(Arc::clone(&state.clock), Arc::clone(&state.outbound), Arc::clone(client), Arc::clone(&set));
    let fetched = run_to_completion(async move { Ok(fetch.await) }).await?;
    match (set.last(state.now()).and_then(|keys| signed_claims(&keys, jwt)), fetched) {
        (None, Fetched::Busy) => Err(ApiError::wait(Code::Busy, 1000)),
        (claims, _) => Ok(claims),
    }
}

enum Fetched {
    Done,
    Busy,
}

/// Fetches the keys of a client, if that is due. A set that is already known stays if that fails.
async fn fetch(clock: Arc<dyn Clock>, outbound: Arc<Outbound>, client: Arc<Client>, set: Arc<KeySet>) -> Fetched {
    let Some(uri) = &client.settings.jwks_uri else { return Fetched::Done };
    // Others wait for this fetch, instead of being refused meanwhile.
    let _alone = set.fetching.lock().await;
    let now = clock.now();
    if !set.is_due(now) {
        return Fetched::Done;
    }
    let problem = match outbound.get(Reach::of(&client), uri, jwks::LONGEST).await {
        Ok(body) => match jwks::read(&body) {
            Ok(keys) => {
                set.remember(keys, now);
                return Fetched::Done;
            }
            Err(problem) => format!("the set of keys {problem}"),
        },
        Err(OutboundError::Busy) => return Fetched::Busy,
        Err(error) => chain(&error),
    };
    tracing::warn!(client = client.id(), cause = %problem, "the keys of a client could not be fetched");
    set.fail(now);
    Fetched::Done
}
