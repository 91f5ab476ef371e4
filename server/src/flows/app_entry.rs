//! From an app to the portal and back: a state cookie there, a one-time code here, a session there.

use super::audit;
use crate::config::App;
use crate::guards::client::Client;
use crate::http::ApiError;
use crate::state::AppState;
use domain::app_session::AppSession;
use domain::encoding::{base64url, from_base64url, sha256};
use domain::{CLOCK_TOLERANCE_MS, UnixMs};
use store::app_codes::{AppCode, UseCode};
use store::audit::Event;

/// How long a code is good.
const CODE_MS: i64 = 30_000;

/// An app's session that has just begun.
#[derive(Debug)]
pub struct Entered {
    /// Its cookie.
    pub cookie: String,
    /// When its parent ends in any case.
    pub until: UnixMs,
    /// Where to go on in the app.
    pub place: String,
}

/// What stands for a state cookie in addresses.
pub fn hash(secret: &str) -> String {
    base64url(&sha256(secret.as_bytes()))
}

/// Whether a text can be what [`hash`] made, or a secret of ours.
pub fn is_256_bits(text: &str) -> bool {
    from_base64url(text).is_some_and(|bytes| bytes.len() == 32)
}

/// A code for the browser whose state cookie has this hash.
///
/// # Errors
/// The store does not answer.
pub async fn code(
    state: &AppState,
    app: &App,
    session: &str,
    state_hash: &str,
    place: &str,
) -> Result<String, ApiError> {
    let code = state.entropy.secret();
    let row = AppCode {
        code_hash: hash(&code),
        app: app.origin.clone(),
        state_hash: state_hash.to_owned(),
        session: session.to_owned(),
        place: place.to_owned(),
        // It may be taken in by another node.
        expires_at: state.now() + CODE_MS + CLOCK_TOLERANCE_MS,
    };
    state.store.add_app_code(&row).await?;
    Ok(code)
}

/// `None`: the code is used, over, another app's or another browser's, or its session has ended.
///
/// # Errors
/// The store does not answer.
pub async fn enter(
    state: AppState,
    client: Client,
    app: App,
    code: String,
    cookie: String,
) -> Result<Option<Entered>, ApiError> {
    let now = state.now();
    let mut entry = audit::entry(&state, &client, Event::AppOpened, audit::OK);
    entry.about.clone_from(&app.name);
    let using =
        UseCode { code_hash: hash(&code), app: app.origin.clone(), state_hash: hash(&cookie), audit: entry, now };
    let Some(code) = state.store.use_app_code(&using).await? else { return Ok(None) };
    let row = state.store.session(&code.session).await?;
    let Some((session, row)) = AppSession::of(&code.session, now).zip(row) else { return Ok(None) };
    let cookie = session.reveal(&state.keyring.macs.app_session, &app.origin);
    Ok(Some(Entered { cookie, until: row.life.ends_at, place: code.place }))
}

/// The parent session of an app's cookie.
pub fn parent(state: &AppState, app: &App, cookie: &str) -> Option<String> {
    AppSession::read(&state.keyring.macs.app_session, &app.origin, cookie).map(|session| session.session())
}
