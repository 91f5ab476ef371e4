//! Sign-in at an app: a state cookie there, a one-time code from the portal, and the app's session.

use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::config::App;
use crate::guards::app_cookie::held;
use crate::state::{CoreState, KeyState, SessionState};
use domain::app_session::AppSession;
use domain::encoding::{base64url, from_base64url, sha256};
use domain::ids::SessionId;
use domain::{CLOCK_TOLERANCE_MS, UnixMs};
use http::HeaderMap;
use store::app_codes::{AppCode, UseCode};
use store::audit::AuditEvent;

/// Lifetime of a code.
const CODE_MS: i64 = 30_000;
/// Maximum number of state cookies in a browser. Each tab that signs in has one, and all are in one header line, of
/// which proxies accept up to 8 KiB.
const MOST_STATES: usize = 50;
/// Length of the hash prefix that identifies a state's cookie.
const KEY: usize = 8;

/// A new session of an app.
pub struct EnteredApp {
    /// Its cookie.
    pub cookie: String,
    /// The latest end of its parent.
    pub until: UnixMs,
    /// The page in the app to return to.
    pub place: String,
}

impl std::fmt::Debug for EnteredApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnteredApp").field("until", &self.until).finish_non_exhaustive()
    }
}

/// The state of one tab that goes to sign in.
pub struct PendingSignIn {
    /// The key of its cookie.
    pub key: String,
    /// Its cookie.
    pub cookie: String,
    /// Its representation in URLs.
    pub hash: String,
}

impl std::fmt::Debug for PendingSignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PendingSignIn(..)")
    }
}

/// Makes a new state from the time and a secret.
pub fn begin(state: &CoreState) -> PendingSignIn {
    let cookie = format!("{}.{}", state.now().to_seconds(), base64url(&state.entropy.bytes::<16>()));
    let hash = hash(&cookie);
    PendingSignIn { key: key(&hash).to_owned(), cookie, hash }
}

/// Returns the keys of the oldest states beyond the limit, counting one more state.
pub fn surplus<'a>(held: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<&'a str> {
    let made_at = |cookie: &str| cookie.split('.').next().and_then(|at| at.parse::<i64>().ok()).unwrap_or_default();
    let mut held: Vec<_> = held.map(|(key, cookie)| (made_at(cookie), key)).collect();
    held.sort_unstable();
    let most = (held.len() + 1).saturating_sub(MOST_STATES);
    held.into_iter().take(most).map(|(_, key)| key).collect()
}

/// Returns a state cookie's representation in URLs.
pub fn hash(secret: &str) -> String {
    base64url(&sha256(secret.as_bytes()))
}

/// Returns the cookie key of the state with this hash.
pub fn key(hash: &str) -> &str {
    hash.get(..KEY).unwrap_or_default()
}

/// Whether a text can be a result of [`hash`].
pub fn is_256_bits(text: &str) -> bool {
    from_base64url(text).is_some_and(|bytes| bytes.len() == 32)
}

/// Makes a code for the browser whose state cookie has this hash.
///
/// # Errors
/// The store fails.
pub async fn code(
    state: &CoreState,
    app: &App,
    session: &SessionId,
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
        // Another node with a slower clock may redeem it.
        expires_at: state.now() + CODE_MS + CLOCK_TOLERANCE_MS,
    };
    state.store.add_app_code(&row).await?;
    Ok(code)
}

/// Redeems a code. `None`: it is used, expired, for another app or browser, or its session has ended.
///
/// # Errors
/// The store fails.
pub async fn enter(
    state: &KeyState,
    client: &Client,
    app: &App,
    code: String,
    cookie: String,
) -> Result<Option<EnteredApp>, ApiError> {
    let now = state.now();
    let mut entry = audit::entry(state, client, AuditEvent::AppOpened, audit::OK);
    entry.about.clone_from(&app.name);
    let using =
        UseCode { code_hash: hash(&code), app: app.origin.clone(), state_hash: hash(&cookie), audit: entry, now };
    let Some(code) = state.store.use_app_code(&using).await? else { return Ok(None) };
    let row = state.store.session(&code.session).await?;
    let Some((session, row)) = AppSession::of(&code.session, now).zip(row) else { return Ok(None) };
    let cookie = session.reveal(&state.keyring.macs(now)?.app_session, &app.origin);
    Ok(Some(EnteredApp { cookie, until: row.life.ends_at, place: code.place }))
}

/// Whether the browser has a session of this app with a live parent.
///
/// # Errors
/// The store fails.
pub async fn is_open(state: &SessionState, app: &App, headers: &HeaderMap) -> Result<bool, ApiError> {
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
