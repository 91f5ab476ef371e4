//! `/api/passkeys` and below, `POST /api/login/passkey`, `GET /.well-known/passkey-endpoints`

use super::challenge::pre_login;
use super::{ApiError, delivery, metadata, request};
use crate::client::Client;
use crate::flows::sealed::SealedMessage;
use crate::flows::{self, passkey_login, passkeys};
use crate::guards::recent_factor;
use crate::guards::signed_in::SignedIn;
use crate::state::{AppState, CoreState, KeyState, SessionState};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use std::sync::Arc;
use store::audit::AuditEvent;
use tower_cookies::Cookies;
use wire::login::SignedIn as SignedInAnswer;
use wire::passkeys::{
    AddedPasskey, NewPasskey, PasskeyChallenge, PasskeyChange, Passkeys, RegistrationChallenge, RegistrationOptions,
};
use wire::paths;

/// Lists the person's passkeys, oldest first.
pub(crate) async fn list(State(state): State<Arc<CoreState>>, session: SignedIn) -> Result<Json<Passkeys>, ApiError> {
    Ok(Json(passkeys::list(&state, &session.claims.sub).await?))
}

/// Begins a registration.
pub(crate) async fn begin(
    State(state): State<Arc<KeyState>>,
    session: SignedIn,
    body: Bytes,
) -> Result<Json<RegistrationChallenge>, ApiError> {
    let RegistrationOptions { conditional } = request::body(&body)?;
    recent_factor::check(&state, &session).await?;
    Ok(Json(passkeys::begin(&state, &session, conditional).await?))
}

/// Registers a passkey.
pub(crate) async fn add(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    session: SignedIn,
    body: Bytes,
) -> Result<(StatusCode, Json<AddedPasskey>), ApiError> {
    let request: NewPasskey = request::body(&body)?;
    let audit = passkeys::entry(&state, &client, &session, AuditEvent::PasskeyAdded);
    let made = flows::run_to_completion(async move { passkeys::add(&state, &session, request, audit).await }).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Gives a passkey another name.
pub(crate) async fn rename(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    session: SignedIn,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let PasskeyChange { label } = request::body(&body)?;
    recent_factor::check(&state, &session).await?;
    let audit = passkeys::entry(&state, &client, &session, AuditEvent::PasskeyRenamed);
    flows::run_to_completion(async move { passkeys::rename(&state, &session.claims.sub, &id, &label, audit).await })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a passkey.
pub(crate) async fn remove(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    recent_factor::check(&state, &session).await?;
    let audit = passkeys::entry(&state, &client, &session, AuditEvent::PasskeyRemoved);
    flows::run_to_completion(async move { passkeys::remove(&state, &session.claims.sub, &id, audit).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns a challenge for signing in. Writes nothing.
pub(crate) async fn challenge(
    State(state): State<Arc<KeyState>>,
    cookies: Cookies,
    headers: HeaderMap,
) -> Result<Json<PasskeyChallenge>, ApiError> {
    let cookie = pre_login(&state, &cookies, &headers);
    Ok(Json(passkey_login::challenge(&state, cookie)?))
}

/// Signs in with a passkey.
pub(crate) async fn login(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<SignedInAnswer>, ApiError> {
    let sealed = SealedMessage::read(&state, paths::PASSKEY_LOGIN, &headers, body)?;
    let delivery = sealed.request.delivery;
    let answered = flows::run_to_completion(passkey_login::login(state.clone(), client, sealed)).await;
    let issued = answered.inspect_err(|error| delivery::choose_device(&state, &headers, &cookies, error))?;
    Ok(delivery::deliver(&state, &headers, &cookies, delivery, issued))
}

/// Returns where people manage passkeys, for their managers (W3C, A Well-Known URL for Passkey Endpoints).
pub(crate) async fn endpoints(State(state): State<Arc<CoreState>>) -> impl IntoResponse {
    let page = format!("{}{}", state.config.origin, paths::ACCOUNT_PAGE);
    (metadata::open(), Json(json!({ "enroll": page, "manage": page })))
}
