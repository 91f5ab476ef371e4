//! Each request gets a name, and its answer is counted; one line for each that broke, with its cause,
//! and nothing of what it carried.

use crate::http::error::Cause;
use crate::jobs::chain;
use crate::state::AppState;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use tracing::Instrument;
use wire::problem::Code;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name is always ours: one that a client chose could be another request's.
pub async fn named<F: Future<Output = Response>>(
    state: &AppState,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let id = state.request_ids.next();
    // At the level of the gravest line: whatever is logged at all is logged with its name.
    let span = tracing::error_span!("request", %id);
    let mut response = logged(state, request, answer).instrument(span).await;
    if let Ok(id) = HeaderValue::from_bytes(id.as_bytes()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The path is logged without its query: `next` and the like are nobody's business.
async fn logged<F: Future<Output = Response>>(
    state: &AppState,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = answer(request).await;
    let (path, status) = (uri.path(), response.status().as_u16());
    state.metrics.answered(&method, path, response.extensions().get::<Code>().copied());
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) => tracing::error!(%method, path, status, cause = %chain(&**cause), "a request failed"),
        None => tracing::debug!(%method, path, status, "request"),
    }
    response
}
