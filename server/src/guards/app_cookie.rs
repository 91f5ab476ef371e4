//! Sessions of apps, by their cookies.

use crate::config::App;
use crate::cookies::{self, CookieName};
use crate::state::KeyState;
use domain::app_session::AppSession;
use http::HeaderMap;

/// Returns the browser's session of this app, even if its parent has ended.
pub fn held(state: &KeyState, app: &App, headers: &HeaderMap) -> Option<AppSession> {
    cookies::all(headers, &state.config, CookieName::App).find_map(|cookie| read(state, app, cookie))
}

/// Reads an app's cookie. Returns `None` unless this server made it for this app.
pub fn read(state: &KeyState, app: &App, cookie: &str) -> Option<AppSession> {
    state.keyring.authentic(state.now(), |macs| AppSession::read(&macs.app_session, &app.origin, cookie))
}
