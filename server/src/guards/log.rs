//! Request ids, counts of answers, and one log line with the cause for each failed request, without its content.

use crate::api_error::Cause;
use crate::error_chain::chain;
use crate::state::{AppState, CoreState};
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use wire::problem::Code;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs a request under a new id. A client's own id is ignored, because it could be another request's.
pub async fn named<F: Future<Output = Response>>(
    state: &AppState,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let id = state.request_ids.next();
    let mut response = id.scope(logged(state, request, answer)).await;
    if let Ok(id) = HeaderValue::from_bytes(id.as_bytes()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Logs the answer and counts it. The path is logged without its query, which may contain private data such as `next`.
async fn logged<F: Future<Output = Response>>(
    state: &CoreState,
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
