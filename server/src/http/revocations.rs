//! `GET /.well-known/revocations`, readable from any origin; many clients request it every few seconds.

use super::ApiError;
use crate::state::SessionState;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use std::sync::Arc;
use wire::problem::Code;

/// Returns the signed revocation list.
pub(crate) async fn list(State(state): State<Arc<SessionState>>, headers: HeaderMap) -> Result<Response, ApiError> {
    let now = state.now();
    // Answers 503 while out of sync, because an incomplete list would be trusted.
    if state.sync.is_stale(state.moment()) {
        return Err(ApiError::wait(Code::Unavailable, 1000));
    }
    let list =
        state.revocations.list(&state.config.origin, &state.sessions, &state.keyring, now).map_err(ApiError::broken)?;
    let about = [
        (header::ETAG, list.etag.as_str()),
        // A cache may keep it for one second, so that a list reaches an app within five.
        (header::CACHE_CONTROL, "public, max-age=1"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    if is_known(&headers, &list.etag) {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    Ok((about, [(header::CONTENT_TYPE, wire::revocations::MEDIA_TYPE)], list.text.clone()).into_response())
}

/// Whether the client has this list already (RFC 9110, section 13.1.2).
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let all = headers.get_all(header::IF_NONE_MATCH);
    let mut tags = all.into_iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    tags.any(|tag| tag.trim() == etag || tag.trim() == "*")
}
