//! Access and refresh tokens that are shown to the provider: userinfo, introspection and revocation.

use super::oauth_people::{self, read_details};
use crate::api_error::ApiError;
use crate::guards::oauth_client;
use crate::oauth::tokens::LONGEST_TOKEN;
use crate::recent_tokens::{Introspection, KnownChanges, LiveToken, RecentToken};
use crate::state::{CoreState, KeyState, SessionState};
use axum::body::Bytes;
use domain::encoding::{base64url, sha256};
use domain::refresh_token::RefreshToken;
use oidc::exchange::GrantDetails;
use oidc::scope::OPENID;
use oidc::{Client, Scopes, exchange};
use serde_json::{Value, json};
use std::sync::Arc;
use store::oauth::GrantRow;

/// Finds the live grant of an access token in the store. `None`: the token is not valid.
///
/// # Errors
/// The store fails, or this node cannot know whether the session has ended.
pub async fn live(state: &KeyState, text: &str) -> Result<Option<LiveToken>, ApiError> {
    let now = state.now();
    let mut token = state.client_tokens.read(text, now);
    if token.is_none() && state.tokens.has_unknown_key(text, now) {
        state.keyring.reload_for_unknown(&state.vault()).await?;
        token = state.client_tokens.read(text, now);
    }
    let Some(mut token) = token else { return Ok(None) };
    let Some(grant) = state.store.grant(&token.grant).await?.filter(|grant| grant.is_live(now)) else {
        return Ok(None);
    };
    let Some(client) = oauth_client::find(state, &grant.client).await? else { return Ok(None) };
    // An administrator may have taken scopes from the client since.
    token.scopes = client.allowed(&token.scopes);
    if token.scopes.is_empty() || !oauth_people::may_still_use(state, &client, &grant).await? {
        return Ok(None);
    }
    // The answer of the rotation has arrived, so its predecessor is spent.
    if grant.jkt.is_none() && token.generation > grant.used {
        state.store.show_grant(&grant.id, token.generation).await?;
    }
    Ok(Some(LiveToken { token, grant, client }))
}

/// Finds the live grant of an access token, in memory if nothing has changed since the token was read. `None`: the token
/// is not valid.
///
/// # Errors
/// As [`live`].
pub async fn recent(state: &SessionState, text: &str) -> Result<Option<Arc<RecentToken>>, ApiError> {
    if text.len() > LONGEST_TOKEN {
        return Ok(None);
    }
    let (now, hash) = (state.now(), sha256(text.as_bytes()));
    let known = known_changes(state);
    // A single node whose file does not answer asks it again instead of refusing.
    if !state.sync.is_stale(state.moment())
        && let Some(token) = state.recent_tokens.find(&hash, known, &state.sessions, now)
    {
        return Ok(Some(token));
    }
    let before = state.sessions.before_reading();
    let Some(live) = live(state, text).await? else { return Ok(None) };
    let version = state.sessions.version_since(&*state.store, &live.grant.session, before, now).await?;
    let client_ends_at = state.clients.expires_at(live.client.id());
    let token = Arc::new(RecentToken::new(live, known, version, client_ends_at, now));
    state.recent_tokens.keep(hash, &token);
    Ok(Some(token))
}

fn known_changes(state: &SessionState) -> KnownChanges {
    KnownChanges {
        keys: state.keyring.changes(),
        clients: state.clients.changes(),
        people: state.recent_tokens.forgotten(),
    }
}

/// Returns the claims that an access token may read, as JSON. `None`: it lacks the scope `openid`.
///
/// # Errors
/// The store fails.
pub async fn userinfo(state: &CoreState, token: &RecentToken) -> Result<Option<Bytes>, ApiError> {
    let live = &token.live;
    if !live.token.scopes.contains(OPENID) {
        return Ok(None);
    }
    if let Some(body) = token.userinfo.get() {
        return Ok(Some(body.clone()));
    }
    let details = read_details(&live.grant.details)?;
    let person = oauth_people::person(state, &live.client, &live.grant).await?;
    let claims = person.claims(&live.token.scopes, &live.client.allowed_claims(&details.userinfo));
    let body = serialized(&claims)?;
    Ok(Some(token.userinfo.get_or_init(|| body).clone()))
}

/// Answers an introspection (RFC 7662) by an authenticated client, as JSON. A token of another client is inactive,
/// unless it is for a resource that the client serves.
///
/// # Errors
/// The store fails.
pub async fn introspect(state: &SessionState, client: &Client, text: &str) -> Result<Bytes, ApiError> {
    let Some(token) = recent(state, text).await? else {
        return serialized(&introspect_refresh(state, client, text).await?);
    };
    let owner = token.live.client.id();
    if let Some(known) = token.introspection.get() {
        return Ok(if may_introspect(client, owner, &known.audiences) { known.body.clone() } else { inactive() });
    }
    let details = read_details(&token.live.grant.details)?;
    let audiences = audiences(state, &token.live, &details);
    if !may_introspect(client, owner, &audiences) {
        return Ok(inactive());
    }
    let body = serialized(&described(state, &token.live, &details, &audiences).await?)?;
    Ok(token.introspection.get_or_init(|| Introspection { audiences, body }).body.clone())
}

/// Returns the client and the resources that a token is for.
fn audiences(state: &CoreState, live: &LiveToken, details: &GrantDetails) -> Vec<String> {
    let LiveToken { token, grant, client: owner } = live;
    let mut audiences: Vec<&str> = match &token.aud {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => token.targets.of(&details.resources),
    };
    if audiences.is_empty() {
        audiences.push(&grant.client);
    }
    // An administrator may have taken resources from the client since.
    let open = &state.config.settings.oauth.resources;
    audiences.retain(|audience| *audience == grant.client || owner.may_name(audience, open));
    audiences.into_iter().map(str::to_owned).collect()
}

fn may_introspect(client: &Client, owner: &str, audiences: &[String]) -> bool {
    let serves = || client.settings.introspects.iter().any(|own| audiences.contains(own));
    !audiences.is_empty() && (owner == client.id() || serves())
}

fn inactive() -> Bytes {
    Bytes::from_static(br#"{"active":false}"#)
}

fn serialized(body: &impl serde::Serialize) -> Result<Bytes, ApiError> {
    serde_json::to_vec(body).map(Bytes::from).map_err(ApiError::broken)
}

async fn described(
    state: &CoreState,
    live: &LiveToken,
    details: &GrantDetails,
    audiences: &[String],
) -> Result<Value, ApiError> {
    let LiveToken { token, grant, client: owner } = live;
    let sub = oauth_people::subject(state, owner, &grant.user).await?;
    let sid = owner.session_id(grant.session.as_str(), &sub).into_owned();
    let mut body = json!({
        "active": true,
        "iss": state.config.origin,
        "sub": sub,
        "aud": audiences,
        "client_id": grant.client,
        // A pairwise subject hides who it is.
        "username": owner.sector().is_none().then_some(&grant.username),
        "scope": token.scopes.to_string(),
        "exp": token.exp,
        "iat": grant.rotated_at.to_seconds(),
        "token_type": if grant.jkt.is_some() { "DPoP" } else { "Bearer" },
        "auth_time": details.auth_time,
        "acr": details.acr,
        "amr": details.amr,
        "sid": sid,
        "cnf": grant.jkt.map(|jkt| json!({"jkt": jkt})),
    });
    // Some clients take a member that is null for one with a value.
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    Ok(body)
}

async fn introspect_refresh(state: &KeyState, client: &Client, text: &str) -> Result<Value, ApiError> {
    let grant = refresh_grant(state, text)
        .await?
        .filter(|(grant, current)| *current && grant.client == client.id() && grant.is_live(state.now()));
    let Some((grant, _)) = grant else { return Ok(json!({"active": false})) };
    let scopes = client.allowed(&Scopes::parse(&read_details(&grant.details)?.scope));
    if !exchange::gets_refresh_token(&scopes) || !oauth_people::may_still_use(state, client, &grant).await? {
        return Ok(json!({"active": false}));
    }
    Ok(json!({
        "active": true,
        "iss": state.config.origin,
        "sub": oauth_people::subject(state, client, &grant.user).await?,
        "client_id": grant.client,
        "scope": scopes.to_string(),
        "exp": grant.ends_at.min(grant.session_ends_at).to_seconds(),
    }))
}

/// Returns the grant of a refresh token, and whether the token is the current one.
async fn refresh_grant(state: &KeyState, text: &str) -> Result<Option<(GrantRow, bool)>, ApiError> {
    let read = |macs: &crate::keyring::MacKeys| RefreshToken::authenticate(&macs.oauth_refresh, text);
    let Some(token) = state.keyring.authentic(state.now(), read) else { return Ok(None) };
    let grant = state.store.grant(&base64url(&token.session())).await?;
    Ok(grant.map(|grant| {
        let current = grant.generation == token.generation() && grant.refresh_hash == Some(token.hash());
        (grant, current)
    }))
}

/// Revokes the grant of a client's own token (RFC 7009). A token of another client, or one that is not valid any more,
/// changes nothing.
///
/// # Errors
/// The store fails.
pub async fn revoke(state: Arc<SessionState>, client: String, text: String) -> Result<(), ApiError> {
    let grant = match refresh_grant(&state, &text).await? {
        Some((grant, _)) => Some(grant),
        None => live(&state, &text).await?.map(|live| live.grant),
    };
    if let Some(grant) = grant.filter(|grant| grant.client == client) {
        state.store.revoke_grant(&grant.id, None, state.now()).await?;
        state.sessions.outdate([&grant.session]);
    }
    Ok(())
}
