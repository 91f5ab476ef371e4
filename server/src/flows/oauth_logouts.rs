//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0): clients are told that a session has ended.

use super::oauth_people;
use crate::api_error::ApiError;
use crate::error_chain::chain;
use crate::guards::oauth_client;
use crate::outbound::{NoticePermit, Reach};
use crate::state::{AppState, CoreState, KeyState};
use crate::tokens::issued_at;
use domain::ids::SessionId;
use oidc::Client;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use store::oauth::{DueLogout, SessionClient};
use wire::oauth::TERMINAL_CLIENT;
use wire::problem::Code;

/// Number of due notices that one round reads. Those to a host that is slow are left, so others must be among them.
const ROUND: i64 = 200;
/// Number of attempts: the last one is some six hours after the first.
const MOST_TRIES: u32 = 10;
const FIRST_PAUSE_MS: i64 = 30_000;
/// Lifetime of a logout token in seconds (section 2.4).
const TOKEN_SECONDS: i64 = 120;
/// The member of `events` (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Tells clients about sessions that have ended. Each notice is claimed by one node, and repeated with growing pauses. A
/// notice is claimed only once it can be sent, or a slow client would use up its tries without an attempt.
///
/// # Errors
/// The store fails.
pub async fn send_due(state: &AppState) -> store::Result<()> {
    let now = state.now();
    for due in state.store.due_logouts(now, ROUND).await? {
        if state.outbound.is_full_of_notices() {
            break;
        }
        let pause = FIRST_PAUSE_MS.saturating_mul(1 << due.tries.min(10));
        let next_at = now + pause;
        let client = match oauth_client::find(state, &due.client).await {
            Ok(client) => client,
            Err(error) => {
                state.store.claim_logout(&due, next_at).await?;
                tracing::warn!(client = %due.client, cause = %error.reason(), "a client to notify cannot be read");
                continue;
            }
        };
        let uri = client.as_ref().and_then(|client| client.settings.backchannel_logout_uri.clone());
        let (Some(client), Some(uri)) = (client, uri) else {
            state.store.finish_logout(&due).await?;
            continue;
        };
        let Some(permit) = state.outbound.notice_permit(&uri) else { continue };
        if !state.store.claim_logout(&due, next_at).await? {
            continue;
        }
        let state = state.clone();
        // A slow client delays nobody.
        tokio::spawn(async move { notify_client(&state, &client, &uri, &due, permit).await });
    }
    Ok(())
}

async fn notify_client(state: &KeyState, client: &Arc<Client>, uri: &str, due: &DueLogout, permit: NoticePermit) {
    let sent = match token(state, client, due).await {
        Ok(token) => {
            let body = oidc::params::with_query("", &[("logout_token", &token)]);
            let body = body.trim_start_matches('?').to_owned();
            let sent = state.outbound.post(permit, Reach::of(client), uri, body).await;
            sent.map_err(|error| chain(&error))
        }
        Err(error) => Err(error.reason()),
    };
    let last = due.tries + 1 >= MOST_TRIES;
    if let Err(cause) = &sent {
        tracing::warn!(client = client.id(), %cause, last, "a client could not be told that a session has ended");
    }
    if (sent.is_ok() || last)
        && let Err(error) = state.store.finish_logout(due).await
    {
        tracing::error!(cause = %chain(&error), "the store does not answer");
    }
}

/// Names of the apps that a session has signed in to.
#[derive(Debug, Default)]
pub struct SessionApps {
    /// Those that are notified when the session ends.
    pub notified: Vec<String>,
    /// Those that may keep their own sign-in.
    pub others: Vec<String>,
}

/// Returns the apps that a session has signed in to.
///
/// # Errors
/// The store fails.
pub async fn apps_of(state: &CoreState, session: &SessionId) -> Result<SessionApps, ApiError> {
    let mut apps = SessionApps::default();
    for SessionClient { client: id, notified } in state.store.clients_of_session(session).await? {
        // The terminal program has a session of its own.
        if id == TERMINAL_CLIENT {
            continue;
        }
        let client = oauth_client::find(state, &id).await?;
        let notified = notified && client.as_ref().is_some_and(|own| own.settings.backchannel_logout_uri.is_some());
        let names = if notified { &mut apps.notified } else { &mut apps.others };
        names.push(client.map_or(id, |client| client.label()));
    }
    Ok(apps)
}

async fn token(state: &KeyState, client: &Client, due: &DueLogout) -> Result<String, ApiError> {
    let now = state.now();
    let sub = oauth_people::known_subject(state, client, &due.user).await?;
    let sub = sub.ok_or_else(|| ApiError::explained(Code::NotFound, "The client does not know this person."))?;
    let claims = json!({
        "iss": state.config.origin,
        "aud": client.id(),
        "sub": sub,
        "sid": client.session_id(due.session.as_str(), &sub),
        "iat": issued_at(now),
        "exp": now.to_seconds() + TOKEN_SECONDS,
        "jti": state.ulid(),
        "events": { EVENT: {} },
    });
    let claims: Map<String, Value> = claims.as_object().cloned().unwrap_or_default();
    let alg = client.settings.id_token_alg;
    state.client_tokens.sign_id(alg, "logout+jwt", &claims, now).map_err(ApiError::broken)
}
