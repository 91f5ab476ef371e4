//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0): clients are told that a session has ended.

use super::oauth_people;
use crate::api_error::ApiError;
use crate::error_chain::chain;
use crate::guards::oauth_client;
use crate::outbound::Reach;
use crate::state::AppState;
use oidc::{Client, ClientSource};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use store::oauth::DueLogout;

/// Number of notices in one round.
const ROUND: i64 = 20;
/// Number of attempts: the last one is some six hours after the first.
const MOST_TRIES: u32 = 10;
const FIRST_PAUSE_MS: i64 = 30_000;
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
        let client = match oauth_client::find(state, &due.client).await {
            Ok(client) => client,
            Err(error) => {
                tracing::warn!(client = %due.client, cause = ?error, "a client to notify cannot be read");
                continue;
            }
        };
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
    let told = match token(state, client, due).await {
        Ok(token) => {
            let body = oidc::params::with_query("", &[("logout_token", &token)]);
            let sent = state.outbound.post(reach(client), uri, body.trim_start_matches('?').to_owned()).await;
            sent.map_err(|error| chain(&error))
        }
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

/// The operator's own clients may be anywhere; others only where a stranger may send this server.
fn reach(client: &Client) -> Reach {
    if client.source == ClientSource::Settings { Reach::Anywhere } else { Reach::Public }
}

async fn token(state: &AppState, client: &Client, due: &DueLogout) -> Result<String, ApiError> {
    let now = state.now();
    let iat = now.div_euclid(1000);
    let claims = json!({
        "iss": state.config.origin,
        "aud": client.id(),
        "sub": oauth_people::subject(state, client, &due.user).await?,
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
