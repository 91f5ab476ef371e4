//! Allows changes by this site's own pages only (OWASP, cross-site request forgery).
//!
//! Refusals here count for no ban and no limit. Otherwise any hostile page could ban its visitors.

use crate::api_error::ApiError;
use crate::state::CoreState;
use axum::extract::Request;
use domain::request_initiator::{self, RequestInitiator};
use http::{HeaderMap, HeaderName, Method, header};
use wire::problem::Code;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Allows requests to `/api` of scripts of this origin, and of programs, which have no cookies.
///
/// # Errors
/// `cross_site`.
pub fn api(state: &CoreState, request: &Request) -> Result<(), ApiError> {
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
        // Neither header: a program. Current browsers send at least one of them.
        None => !headers.contains_key(header::COOKIE),
    };
    if allowed && (safe || is_json(request.method(), headers)) { Ok(()) } else { Err(ApiError::new(Code::CrossSite)) }
}

/// Allows navigations to pages, but no images or scripts of another site.
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

/// Whether the request comes from a browser's script.
pub fn is_browser(headers: &HeaderMap) -> bool {
    [FETCH_SITE, header::ORIGIN, header::REFERER, header::COOKIE].iter().any(|name| headers.contains_key(name))
        || text(headers, &header::USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/"))
}

/// Whether a page of another origin may have caused this request. Such a request must not count against the client.
/// Otherwise an image on a hostile page would ban its viewers.
///
/// On plain http browsers send no `Sec-Fetch-Site`. There our own pages mark their requests with a header that another
/// origin cannot set without a preflight (Fetch, CORS-preflight). Programs are not affected.
pub fn may_be_elsewhere(state: &CoreState, method: &Method, headers: &HeaderMap) -> bool {
    let initiator = RequestInitiator {
        site: text(headers, &FETCH_SITE),
        origin: text(headers, &header::ORIGIN),
        ..RequestInitiator::default()
    };
    // A form of another origin cannot post JSON.
    let silent = || matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || !is_json(method, headers);
    let unmarked = || !headers.contains_key(wire::paths::PAGE_HEADER) && silent() && is_browser(headers);
    initiator.is_elsewhere(state.config.https, &state.config.authority).unwrap_or_else(unmarked)
}

fn origin_is(headers: &HeaderMap, state: &CoreState) -> bool {
    let config = &state.config;
    text(headers, &header::ORIGIN)
        .is_some_and(|origin| request_initiator::is_own(origin, config.https, &config.authority))
}

fn origin_is_absent_or(headers: &HeaderMap, state: &CoreState) -> bool {
    !headers.contains_key(header::ORIGIN) || origin_is(headers, state)
}

/// Whether the body is JSON, or missing. A form can send three content types, and JSON is not one of them.
fn is_json(method: &Method, headers: &HeaderMap) -> bool {
    match text(headers, &header::CONTENT_TYPE) {
        Some(kind) => kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")),
        None => *method == Method::DELETE,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or(""))
}
