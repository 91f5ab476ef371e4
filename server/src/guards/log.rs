//! Each answer is counted; one line for each request that broke, with its cause, and nothing of what
//! the request carried.

use crate::http::error::Cause;
use crate::jobs::chain;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use wire::problem::Code;

/// The path is logged without its query: `next` and the like are nobody's business.
pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    let (path, status) = (uri.path(), response.status().as_u16());
    state.metrics.answered(&method, path, response.extensions().get::<Code>().copied());
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) => tracing::error!(%method, path, status, cause = %chain(&**cause), "a request failed"),
        None => tracing::debug!(%method, path, status, "request"),
    }
    response
}
