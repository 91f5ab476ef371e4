//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0): clients are told that a session has ended.

use crate::api_error::ApiError;
use crate::error_chain::chain;
use crate::state::AppState;
use oidc::Client;
use reqwest::redirect;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use store::oauth::DueLogout;

/// Number of notices in one round.
const ROUND: i64 = 20;
/// Number of attempts: the last one is some six hours after the first.
const MOST_TRIES: u32 = 10;
const FIRST_PAUSE_MS: i64 = 30_000;
const TIMEOUT: Duration = Duration::from_secs(5);
/// Lifetime of a logout token in seconds (section 2.4).
const TOKEN_SECONDS: i64 = 120;
/// The member of `events` (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Tells clients about sessions that have ended. Each notice is claimed by one node, and repeated with growing pauses.
///
/// # Errors
/// The store fails.
pub async fn send_due(state: &AppState) -> store::Result<()> {
    let now = state.now();
    for due in state.store.due_logouts(now, ROUND).await? {
        let pause = FIRST_PAUSE_MS.saturating_mul(1 << due.tries.min(10));
        if !state.store.claim_logout(&due, now.saturating_add(pause)).await? {
            continue;
        }
        let client = state.clients.find(&due.client);
        let uri = client.as_ref().and_then(|client| client.settings.backchannel_logout_uri.clone());
        let (Some(client), Some(uri)) = (client, uri) else {
            state.store.finish_logout(&due).await?;
            continue;
        };
        let state = state.clone();
        // A slow client delays nobody.
        tokio::spawn(async move { tell(&state, &client, &uri, &due).await });
    }
    Ok(())
}

async fn tell(state: &AppState, client: &Arc<Client>, uri: &str, due: &DueLogout) {
    let told = match token(state, client, due) {
        Ok(token) => post(uri, &token).await.map_err(|error| chain(&error)),
        Err(error) => Err(format!("{error:?}")),
    };
    let last = due.tries + 1 >= MOST_TRIES;
    if let Err(cause) = &told {
        tracing::warn!(client = client.id(), %cause, last, "a client could not be told that a session has ended");
    }
    if (told.is_ok() || last)
        && let Err(error) = state.store.finish_logout(due).await
    {
        tracing::error!(cause = %chain(&error), "the store does not answer");
    }
}

fn token(state: &AppState, client: &Client, due: &DueLogout) -> Result<String, ApiError> {
    let now = state.now();
    let iat = now.div_euclid(1000);
    let claims = json!({
        "iss": state.config.origin,
        "aud": client.id(),
        "sub": due.user,
        "sid": due.session,
        "iat": iat,
        "exp": iat + TOKEN_SECONDS,
        "jti": state.ulid(),
        "events": { EVENT: {} },
    });
    let claims: Map<String, Value> = claims.as_object().cloned().unwrap_or_default();
    let alg = client.settings.id_token_alg;
    state.client_tokens.sign_id(alg, "logout+jwt", &claims, now).map_err(ApiError::broken)
}

/// Follows no redirect, and reads nothing of the answer but its status.
async fn post(uri: &str, token: &str) -> Result<(), reqwest::Error> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none()).build()?;
    let body = oidc::params::with_query("", &[("logout_token", token)]);
    let request = client.post(uri).header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(body.trim_start_matches('?').to_owned()).send().await?;
    answer.error_for_status().map(drop)
}
