//! The browser's files: built and compressed beforehand.

use super::ApiError;
use crate::site;
use crate::state::AppState;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, header};
use wire::problem::Code;

/// Whether a request is for one of these files, in `/pkg/...` or next to that folder.
pub(crate) fn is_asked(method: &Method, path: &str) -> bool {
    let is_file = path.starts_with("/pkg/") || matches!(path, "/favicon.svg" | "/robots.txt");
    is_file && matches!(*method, Method::GET | Method::HEAD)
}

pub(crate) fn answer(state: &AppState, path: &str, headers: &HeaderMap) -> Response {
    let path = path.trim_start_matches('/');
    let Some(kind) = media_type(path) else { return ApiError::new(Code::NotFound).into_response() };
    let compressed = if accepts_brotli(headers) { state.site.brotli(path) } else { None };
    let (file, encoding) = match compressed {
        Some(file) => (site::bytes(file), Some("br")),
        None => match state.site.download(path) {
            Some(file) => (file, None),
            None => return ApiError::new(Code::NotFound).into_response(),
        },
    };
    let mut response = axum::body::Body::from(file).into_response();
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    // Files below `/pkg/` are named by their content: a changed file has another name.
    let caching = if is_hashed(path) { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Some(encoding) = encoding {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next() == Some("br") && parts.next() != Some("q=0")
    })
}

fn is_hashed(path: &str) -> bool {
    path.starts_with("pkg/") && path.split('.').count() > 2
}

fn media_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "wasm" => Some("application/wasm"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "txt" => Some("text/plain; charset=utf-8"),
        "webmanifest" => Some("application/manifest+json"),
        "png" => Some("image/png"),
        _ => None,
    }
}
