//! From an app to the portal and back: a state cookie there, a one-time code here, a session there.

use super::audit;
use crate::config::App;
use crate::cookies::{self, Name};
use crate::guards::client::Client;
use crate::http::ApiError;
use crate::state::AppState;
use domain::app_session::AppSession;
use domain::encoding::{base64url, from_base64url, sha256};
use domain::{CLOCK_TOLERANCE_MS, UnixMs};
use http::HeaderMap;
use store::app_codes::{AppCode, UseCode};
use store::audit::Event;

/// How long a code is good.
const CODE_MS: i64 = 30_000;
/// How many state cookies a browser holds at once: each tab that signs in has one, and all of them stand in a
/// header line that proxies take up to 8 KiB of.
const MOST_STATES: usize = 50;
/// Letters of a state's hash by which its cookie is found.
const KEY: usize = 8;

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

/// The state of one tab that goes to sign in.
#[derive(Debug)]
pub struct Begun {
    /// By which its cookie is found.
    pub key: String,
    /// Its cookie.
    pub cookie: String,
    /// What stands for it in addresses.
    pub hash: String,
}

/// A new state: when it was made, and a secret.
pub fn begin(state: &AppState) -> Begun {
    let cookie = format!("{}.{}", state.now().div_euclid(1000), base64url(&state.entropy.bytes::<16>()));
    let hash = hash(&cookie);
    Begun { key: key(&hash).to_owned(), cookie, hash }
}

/// Keys of the oldest states, so that with one more there are not too many.
pub fn surplus<'a>(held: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<&'a str> {
    let made_at = |cookie: &str| cookie.split('.').next().and_then(|at| at.parse::<i64>().ok()).unwrap_or_default();
    let mut held: Vec<_> = held.map(|(key, cookie)| (made_at(cookie), key)).collect();
    held.sort_unstable();
    let most = (held.len() + 1).saturating_sub(MOST_STATES);
    held.into_iter().take(most).map(|(_, key)| key).collect()
}

/// What stands for a state cookie in addresses.
pub fn hash(secret: &str) -> String {
    base64url(&sha256(secret.as_bytes()))
}

/// By which the cookie of the state with this hash is found.
pub fn key(hash: &str) -> &str {
    hash.get(..KEY).unwrap_or_default()
}

/// Whether a text can be what [`hash`] made.
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
    let cookie = session.reveal(&state.keyring.macs(now)?.app_session, &app.origin);
    Ok(Some(Entered { cookie, until: row.life.ends_at, place: code.place }))
}

/// The session of this app that the browser has, whether or not its parent still lives.
pub fn held(state: &AppState, app: &App, headers: &HeaderMap) -> Option<AppSession> {
    cookies::all(headers, &state.config, Name::App).find_map(|cookie| read(state, app, cookie))
}

/// What an app's cookie says, if it was made here for this app.
pub fn read(state: &AppState, app: &App, cookie: &str) -> Option<AppSession> {
    state.keyring.authentic(state.now(), |macs| AppSession::read(&macs.app_session, &app.origin, cookie))
}

/// Whether the browser has a session of this app whose parent lives.
///
/// # Errors
/// The store does not answer.
pub async fn is_open(state: &AppState, app: &App, headers: &HeaderMap) -> Result<bool, ApiError> {
    let Some(session) = held(state, app, headers) else { return Ok(false) };
    Ok(state.sessions.is_live(&*state.store, &session.session(), state.now()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_states_give_way_to_one_more() {
        let held: Vec<_> =
            (0..60).map(|n| (format!("key{n:02}"), format!("{}.secret", 1_000 + (n * 7) % 60))).collect();
        let few = held.iter().take(49).map(|(key, cookie)| (key.as_str(), cookie.as_str()));
        assert!(surplus(few).is_empty());
        let all = held.iter().map(|(key, cookie)| (key.as_str(), cookie.as_str()));
        let gone = surplus(all);
        assert_eq!(gone.len(), 11);
        let made_at = |key: &&str| held.iter().find(|(own, _)| own == key).map(|(_, cookie)| cookie.clone());
        assert_eq!(made_at(&gone[0]).as_deref(), Some("1000.secret"));
        assert_eq!(made_at(&gone[10]).as_deref(), Some("1010.secret"));
        assert_eq!(surplus([("x", "nonsense")].into_iter().cycle().take(50)), ["x"]);
    }
}
