//! Every cookie is built here.
//!
//! `__Host-` cookies belong to this host alone and cannot be set from a sub-domain or over plain http
//! (RFC 6265bis, section 4.1.3.2).

use crate::config::Config;
use domain::UnixMs;
use http::{HeaderMap, header};
use tower_cookies::Cookies;
use tower_cookies::cookie::time::Duration;
use tower_cookies::cookie::{Cookie, SameSite};

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The access token, for as long as the session lives. Lax: a link from elsewhere to the dashboard
    /// finds a signed-in person.
    Access,
    /// The refresh token. Strict: only this site's own pages send it.
    Refresh,
    /// Ties a `short_key` to the browser that asked for it. Strict.
    PreLogin,
    /// Says that this browser has signed in before ([`domain::known_device`]). Strict.
    Device,
    /// On an app's host: its session ([`domain::app_session`]). Lax, as for [`Self::Access`].
    App,
    /// On an app's host: which browser went to sign in. Lax: it comes back from another site.
    AppState,
}

impl Name {
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

/// The value of a cookie, if the browser sent it. Ours are base64url and JWT: nothing to decode.
pub fn get(headers: &HeaderMap, config: &Config, name: Name) -> Option<String> {
    let name = name.text(config.insecure());
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    sent.flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
        .filter(|value| !value.is_empty())
}

/// Sets a cookie; `until` is when the browser forgets it, `None`: when it closes.
pub fn set(cookies: &Cookies, config: &Config, name: Name, value: String, until: Option<UnixMs>, now: UnixMs) {
    let mut cookie = build(config, name, value);
    if let Some(until) = until {
        cookie.set_max_age(Duration::milliseconds((until - now).max(0)));
    }
    cookies.add(cookie);
}

/// Makes the browser forget a cookie.
pub fn clear(cookies: &Cookies, config: &Config, name: Name) {
    let mut cookie = build(config, name, String::new());
    cookie.set_max_age(Duration::ZERO);
    cookies.add(cookie);
}

fn build(config: &Config, name: Name, value: String) -> Cookie<'static> {
    Cookie::build((name.text(config.insecure()), value))
        .path("/")
        .http_only(true)
        .secure(!config.insecure())
        .same_site(name.same_site())
        .build()
}
