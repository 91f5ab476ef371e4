//! Pages on an app's host. They load nothing, because our files are not available there.

use super::ApiError;
use crate::state::CoreState;
use axum::response::{Html, IntoResponse, Response};
use domain::app_path::safe_path;
use domain::encoding::base64url;
use domain::percent::query_value;
use http::{HeaderValue, StatusCode, header};
use wire::paths;
use wire::problem::{Code, MEDIA_TYPE};

pub(super) const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:18vh auto 0;padding:0 1.25rem}\
h1{font-size:1.4rem}a,button{font:inherit}button{min-height:2.75rem;padding:0 1.25rem}";

/// Stores the URL for [`KEPT`] and goes to sign-in. Both URLs are of this origin.
const FAR: &str = "try{const k=Date.now().toString(36)+Math.random().toString(36).slice(2);\
sessionStorage.setItem('postern-'+k,location.pathname+location.search+location.hash);\
location.replace('START?next='+encodeURIComponent('PLACE?'+k))}catch{}";
const KEPT: &str = "try{const k='postern-'+location.search.slice(1),to=sessionStorage.getItem(k);\
if(to&&to[0]==='/'){sessionStorage.removeItem(k);location.replace(location.origin+to)}}catch{}";

/// Adds the fragment of the person's link to the page's own link.
const CARRY: &str = "addEventListener('DOMContentLoaded',()=>{document.querySelector('a').href+=location.hash})";

/// Whether a page may be framed, and what runs in it.
#[derive(Debug, Clone, Copy, Default)]
struct PagePolicy<'a> {
    framed: bool,
    script: Option<&'a str>,
    /// The page has a form, whose origin must be sent on plain http.
    form: bool,
}

/// Builds the page for a browser whose codes were refused twice in a row.
pub(crate) fn no_way_in(state: &CoreState, next: &str) -> Response {
    let start = start(next);
    let body = format!(
        "<h1>Signing in did not work</h1><p>This browser did not bring back what it was given on the way. That \
         happens where cookies of this site are refused, or where a link for another browser was opened.</p>\
         <p><a href=\"{start}\">Sign in again</a></p>"
    );
    let policy = PagePolicy { script: Some(CARRY), ..PagePolicy::default() };
    page(state, StatusCode::BAD_REQUEST, "Sign in again", &body, policy)
}

/// Builds the page for a person who lacks a role.
pub(crate) fn denied(state: &CoreState, framed: bool) -> Response {
    let out = paths::APP_LOGOUT;
    let body = format!(
        "<h1>Not with this account</h1><p>You are signed in, but your account may not open this page. Ask the person \
         who runs this site, or <a href=\"{out}\" target=\"_top\">sign out</a> and use another account.</p>"
    );
    page(state, StatusCode::FORBIDDEN, "Not with this account", &body, PagePolicy { framed, ..PagePolicy::default() })
}

/// Builds the page for a browser that opened the path for proxies.
pub(crate) fn only_proxies(state: &CoreState) -> Response {
    let body = "<h1>Only listed proxies may ask this</h1><p>This address is for the reverse proxies of \
                <code>trusted_proxies</code>. Open the app itself, or <a href=\"/\">begin at the start</a>.</p>";
    page(state, StatusCode::FORBIDDEN, "Only listed proxies may ask this", body, PagePolicy::default())
}

/// Builds a page that links to sign-in in a new tab, because the sign-in page refuses to be framed.
pub(crate) fn sign_in_beside(state: &CoreState, target: &str) -> Response {
    let start = start(target);
    let body = format!(
        "<h1>Sign in again</h1><p>Your session has ended. <a href=\"{start}\" target=\"_blank\" \
         rel=\"noopener\">Sign in in a new tab</a>, then reload this page.</p>"
    );
    let manner = PagePolicy { framed: true, ..PagePolicy::default() };
    page(state, StatusCode::UNAUTHORIZED, "Sign in again", &body, manner)
}

/// Builds the page for a form that was sent after the session had ended. Its content would be lost during sign-in.
pub(crate) fn not_sent(state: &CoreState) -> Response {
    let start = start("/");
    let body = format!(
        "<h1>This was not sent</h1><p>Your session has ended, and nothing was changed. <a href=\"{start}\" \
         target=\"_blank\" rel=\"noopener\">Sign in in a new tab</a>, then go back to the page before this one and \
         send it again.</p>"
    );
    page(state, StatusCode::UNAUTHORIZED, "Sign in again", &body, PagePolicy::default())
}

/// Builds the page for a URL that is too long for the redirects through sign-in. The browser stores it.
pub(crate) fn long_url_page(state: &CoreState) -> Response {
    let start = start("/");
    let body = format!(
        "<h1>Sign in</h1><p>Taking you to sign in\u{2026}</p><noscript><p>The address of this page is too long to be \
         kept without JavaScript. <a href=\"{start}\" target=\"_blank\" rel=\"noopener\">Sign in in a new tab</a>, \
         then reload this page.</p></noscript>"
    );
    let script = FAR.replace("START", paths::APP_START).replace("PLACE", paths::APP_PLACE);
    let manner = PagePolicy { script: Some(&script), ..PagePolicy::default() };
    page(state, StatusCode::UNAUTHORIZED, "Sign in", &body, manner)
}

/// Builds the page that continues to the URL that [`long_url_page`] has stored.
pub(crate) fn stored_url_page(state: &CoreState) -> Response {
    let body = "<h1>You are signed in</h1><p>The address that you came from was too long to be carried here, and this \
                tab has not kept it. Open your link once more, or <a href=\"/\">begin at the start</a>.</p>";
    page(state, StatusCode::OK, "Signed in", body, PagePolicy { script: Some(KEPT), ..PagePolicy::default() })
}

/// Builds a page with a button, because a link alone must not sign out.
pub(crate) fn sign_out(state: &CoreState) -> Response {
    let body = "<h1>Sign out</h1><p>This ends the session on this device, in this app and in all others.</p>\
                <form method=\"post\"><button>Sign out</button></form>";
    page(state, StatusCode::OK, "Sign out", body, PagePolicy { form: true, ..PagePolicy::default() })
}

/// Replaces a problem's JSON by a page for a person.
pub(crate) fn page_for_problem(state: &CoreState, response: Response) -> Response {
    let headers = response.headers();
    let is_problem = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == MEDIA_TYPE)
        && !headers.contains_key(header::LOCATION);
    match response.extensions().get::<Code>().filter(|_| is_problem) {
        Some(code) => {
            let (title, more) = (ApiError::title(*code), advice(*code));
            let page = page(
                state,
                response.status(),
                title,
                &format!("<h1>{title}</h1><p>{more}</p>"),
                PagePolicy { framed: true, ..PagePolicy::default() },
            );
            within(response, page)
        }
        None => response,
    }
}

/// Returns the page with the status and headers of the answer.
pub(crate) fn within(mut answer: Response, page: Response) -> Response {
    let (parts, body) = page.into_parts();
    answer.headers_mut().remove(header::CONTENT_LENGTH);
    for (name, value) in &parts.headers {
        answer.headers_mut().insert(name, value.clone());
    }
    *answer.body_mut() = body;
    answer
}

fn advice(code: Code) -> &'static str {
    match code {
        Code::CrossSite => {
            "To sign out, open <a href=\"/.postern/logout\" target=\"_top\">the page for it</a> and use its button."
        }
        Code::Busy | Code::Unavailable | Code::Timeout | Code::Banned => "Wait a little, then reload the page.",
        Code::NotFound | Code::NoApp | Code::MethodNotAllowed => "Check the address, or go back.",
        _ => "Go back and try again. If it happens again, tell the person who runs this site.",
    }
}

fn start(next: &str) -> String {
    format!("{}?next={}", paths::APP_START, query_value(safe_path(Some(next))))
}

fn page(state: &CoreState, status: StatusCode, title: &str, body: &str, manner: PagePolicy<'_>) -> Response {
    let nonce = base64url(&state.entropy.bytes::<16>());
    let script = manner.script.map(|script| format!("<script nonce=\"{nonce}\">{script}</script>")).unwrap_or_default();
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><style nonce=\"{nonce}\">{STYLE}</style>{script}</head><body><main>{body}</main></body>\
         </html>\n"
    );
    let mut response = (status, Html(html)).into_response();
    let runs = if manner.script.is_some() { format!("script-src 'nonce-{nonce}'; ") } else { String::new() };
    // With this directive browsers ignore `X-Frame-Options`.
    let frames = if manner.framed {
        let apps: Vec<_> = state.config.apps.iter().map(|app| app.origin.as_str()).collect();
        format!("'self' {}", apps.join(" "))
    } else {
        "'none'".to_owned()
    };
    // Leaving for the portal is a redirect of the form.
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; {runs}base-uri 'none'; form-action 'self' {}; \
         frame-ancestors {frames}",
        state.config.origin
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if manner.form {
        // With `no-referrer` a form sends `Origin: null`, and on plain http nothing else identifies its origin.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
    response
}
