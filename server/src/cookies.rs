//! All cookies are built here.
//!
//! `__Host-` cookies belong to this host only, and cannot be set from a sub-domain or over plain http (RFC 6265bis,
//! section 4.1.3.2).

use crate::config::Config;
use domain::{UnixMs, cookie};
use http::{HeaderMap, HeaderValue, header};
use tower_cookies::Cookies;
use tower_cookies::cookie::time::Duration;
use tower_cookies::cookie::{Cookie, SameSite};

/// The kinds of cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieName {
    /// The access token, for the session's lifetime. `Lax`, so that a link from another site to the dashboard finds a
    /// signed-in person.
    Access,
    /// The refresh token. `Strict`: only this site's own pages send it.
    Refresh,
    /// Ties a `short_key` to the browser that asked for it. `Strict`.
    PreLogin,
    /// Marks a browser that has signed in before ([`domain::known_device`]). `Strict`.
    Device,
    /// On an app's host: its session ([`domain::app_session`]). `Lax`, as for [`Self::Access`].
    App,
    /// On an app's host: the state of one tab that went to sign in. `Lax`, because it returns from another site.
    AppState,
}

impl CookieName {
    fn text(self, insecure: bool) -> &'static str {
        match (self, insecure) {
            (Self::Access, false) => "__Host-postern-access",
            (Self::Refresh, false) => "__Host-postern-refresh",
            (Self::PreLogin, false) => "__Host-postern-login",
            (Self::Device, false) => "__Host-postern-device",
            (Self::App, false) => "__Host-postern-app",
            (Self::AppState, false) => "__Host-postern-state",
            (Self::Access, true) => "postern-access",
            (Self::Refresh, true) => "postern-refresh",
            (Self::PreLogin, true) => "postern-login",
            (Self::Device, true) => "postern-device",
            (Self::App, true) => "postern-app",
            (Self::AppState, true) => "postern-state",
        }
    }

    fn same_site(self) -> SameSite {
        match self {
            Self::Access | Self::App | Self::AppState => SameSite::Lax,
            Self::Refresh | Self::PreLogin | Self::Device => SameSite::Strict,
        }
    }
}

/// Returns all values of this name, in the order sent. Our values are base64url and JWT, so nothing is decoded.
///
/// On plain http, where names have no prefix, a sub-domain can set a second one. So a caller tries each, and never takes
/// the first for its own.
pub fn all<'a>(headers: &'a HeaderMap, config: &Config, name: CookieName) -> impl Iterator<Item = &'a str> {
    cookie::values(lines(headers), name.text(config.insecure()))
}

/// Maximum number of tokens of one name that are verified. Otherwise a client could make the server verify any number.
pub const TRIED: usize = 3;

/// Returns the first value that is `good`, otherwise the first of all. Checks at most [`TRIED`] values, and none if
/// there is only one.
pub fn pick(headers: &HeaderMap, config: &Config, name: CookieName, good: impl Fn(&str) -> bool) -> Option<String> {
    let values: Vec<_> = all(headers, config, name).take(TRIED).collect();
    let chosen = if values.len() > 1 { values.iter().find(|value| good(value)) } else { None };
    chosen.or(values.first()).map(|value| (*value).to_owned())
}

/// Returns keys and values of the cookies of a numbered kind: [`CookieName::AppState`], with one key each.
pub fn each<'a>(headers: &'a HeaderMap, config: &Config, name: CookieName) -> impl Iterator<Item = (&'a str, &'a str)> {
    let found = cookie::with_prefix(lines(headers), name.text(config.insecure()));
    found.filter_map(|(rest, value)| Some((rest.strip_prefix('-')?, value)))
}

fn lines(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes)
}

/// Sets a cookie. `until`: when the browser deletes it; `None`: when it closes.
pub fn set(cookies: &Cookies, config: &Config, name: CookieName, value: String, until: Option<UnixMs>, now: UnixMs) {
    let mut cookie = build(config, name, None, value);
    if let Some(until) = until {
        cookie.set_max_age(Duration::milliseconds((until - now).max(0)));
    }
    cookies.add(cookie);
}

/// Sets one cookie of a numbered kind. `ms`: its lifetime in milliseconds.
pub fn set_one(cookies: &Cookies, config: &Config, name: CookieName, key: &str, value: String, ms: i64) {
    let mut cookie = build(config, name, Some(key), value);
    cookie.set_max_age(Duration::milliseconds(ms));
    cookies.add(cookie);
}

/// Makes the browser delete a cookie.
pub fn clear(cookies: &Cookies, config: &Config, name: CookieName) {
    forget(cookies, build(config, name, None, String::new()));
}

/// Makes the browser delete one cookie of a numbered kind.
pub fn clear_one(cookies: &Cookies, config: &Config, name: CookieName, key: &str) {
    forget(cookies, build(config, name, Some(key), String::new()));
}

fn forget(cookies: &Cookies, mut cookie: Cookie<'static>) {
    cookie.set_max_age(Duration::ZERO);
    cookies.add(cookie);
}

fn build(config: &Config, name: CookieName, key: Option<&str>, value: String) -> Cookie<'static> {
    let text = name.text(config.insecure());
    let text = key.map_or_else(|| text.to_owned(), |key| format!("{text}-{key}"));
    Cookie::build((text, value))
        .path("/")
        .http_only(true)
        .secure(!config.insecure())
        .same_site(name.same_site())
        .build()
}
