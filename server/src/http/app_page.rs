//! The few pages that stand on an app's host. They load nothing: our files are not there.

use crate::state::AppState;
use axum::response::{Html, IntoResponse, Response};
use domain::encoding::base64url;
use http::{HeaderValue, StatusCode, header};
use wire::paths;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:18vh auto 0;padding:0 1.25rem}\
h1{font-size:1.4rem}a,button{font:inherit}button{min-height:2.75rem;padding:0 1.25rem}";

/// A code that was used, ran out, or belongs to another browser.
pub fn code_is_over(state: &AppState) -> Response {
    let start = paths::APP_START;
    let body = format!(
        "<h1>This link was used already</h1><p>Or it has run out, or it was made for another browser. Nothing is \
         lost.</p><p><a href=\"{start}\">Sign in again</a></p>"
    );
    page(state, StatusCode::BAD_REQUEST, "Sign in again", &body)
}

/// A role is missing.
pub fn denied(state: &AppState) -> Response {
    let out = paths::APP_LOGOUT;
    let body = format!(
        "<h1>Not with this account</h1><p>You are signed in, but your account may not open this page. Ask the person \
         who runs this site, or <a href=\"{out}\">sign out</a> and use another account.</p>"
    );
    page(state, StatusCode::FORBIDDEN, "Not with this account", &body)
}

/// Signing out takes a button: a link alone must not do it.
pub fn sign_out(state: &AppState) -> Response {
    let body = "<h1>Sign out</h1><p>This ends the session on this device, in this app and in all others.</p>\
                <form method=\"post\"><button>Sign out</button></form>";
    page(state, StatusCode::OK, "Sign out", body)
}

fn page(state: &AppState, status: StatusCode, title: &str, body: &str) -> Response {
    let nonce = base64url(&state.entropy.bytes::<16>());
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><style nonce=\"{nonce}\">{STYLE}</style></head><body><main>{body}</main></body></html>\n"
    );
    let mut response = (status, Html(html)).into_response();
    // Leaving a form for the portal is a redirect of the form.
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'self' {}; frame-ancestors 'none'",
        state.config.origin
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// For the value of a query: everything but a few plain characters in percents.
pub fn encoded(text: &str) -> String {
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~' | b'/');
    text.bytes().map(|c| if plain(c) { char::from(c).to_string() } else { format!("%{c:02X}") }).collect()
}
