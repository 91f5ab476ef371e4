//! Only this site's own pages may change anything (OWASP, cross-site request forgery).
//!
//! What is refused here feeds no ban and no limit: any hostile page could ban its visitors otherwise.

use crate::http::ApiError;
use crate::state::AppState;
use axum::extract::Request;
use http::{HeaderMap, HeaderName, Method, header};
use wire::problem::Code;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// For `/api`: requests of this origin's scripts, and of programs, which have no cookies.
///
/// # Errors
/// `cross_site`.
pub fn api(state: &AppState, request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let allowed = match text(headers, &FETCH_SITE) {
        Some(site) => {
            site == "same-origin"
                && text(headers, &FETCH_MODE) != Some("navigate")
                && (safe || origin_is(headers, state))
        }
        None if safe => origin_is_absent_or(headers, state),
        None if headers.contains_key(header::ORIGIN) => origin_is(headers, state),
        // Neither header: a program. A browser of today sends at least one of them.
        None => !headers.contains_key(header::COOKIE),
    };
    if allowed && (safe || is_json(request)) { Ok(()) } else { Err(ApiError::new(Code::CrossSite)) }
}

/// For pages: a navigation, not a picture or a script of another site.
///
/// # Errors
/// `cross_site`.
pub fn page(request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let elsewhere = text(headers, &FETCH_SITE).is_some_and(|site| site != "same-origin" && site != "none");
    if elsewhere && text(headers, &FETCH_MODE) != Some("navigate") {
        return Err(ApiError::new(Code::CrossSite));
    }
    Ok(())
}

/// Whether a browser's script asks.
pub fn is_browser(headers: &HeaderMap) -> bool {
    [FETCH_SITE, header::ORIGIN, header::REFERER, header::COOKIE].iter().any(|name| headers.contains_key(name))
        || text(headers, &header::USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/"))
}

/// Whether a page of another origin can have made a browser send this request. Such a request must count against
/// nobody: a picture on a hostile page would ban those who look at it.
///
/// On plain http browsers send no `Sec-Fetch-Site`. There our own pages mark their requests with a header that another
/// origin's page may not set without asking us first (Fetch, CORS-preflight), and programs are no browsers.
pub fn may_be_elsewhere(state: &AppState, request: &Request) -> bool {
    let headers = request.headers();
    if let Some(site) = text(headers, &FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    let own = if headers.contains_key(header::ORIGIN) {
        origin_is(headers, state)
    } else {
        headers.contains_key(wire::paths::PAGE_HEADER)
    };
    // Another origin's form cannot post JSON.
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    !own && (safe || !is_json(request)) && is_browser(headers)
}

fn origin_is(headers: &HeaderMap, state: &AppState) -> bool {
    text(headers, &header::ORIGIN) == Some(state.config.origin.as_str())
}

fn origin_is_absent_or(headers: &HeaderMap, state: &AppState) -> bool {
    !headers.contains_key(header::ORIGIN) || origin_is(headers, state)
}

/// A form can send three content types, and JSON is none of them. A request without a body needs none.
fn is_json(request: &Request) -> bool {
    match text(request.headers(), &header::CONTENT_TYPE) {
        Some(kind) => kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")),
        None => *request.method() == Method::DELETE,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or(""))
}
