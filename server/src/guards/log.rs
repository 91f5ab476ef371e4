//! One line for each request that broke, with its cause; nothing of what the request carried.

use crate::http::error::Cause;
use crate::jobs::chain;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

/// The path is logged without its query: `next` and the like are nobody's business.
pub async fn guard(request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    let (path, status) = (uri.path(), response.status().as_u16());
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) => tracing::error!(%method, path, status, cause = %chain(&**cause), "a request failed"),
        None => tracing::debug!(%method, path, status, "request"),
    }
    response
}
