//! The limit of a request: an axum handler that sends the same bytes under the same headers, without any check.

use crate::client::Answer;
use crate::signature::Signature;
use axum::Router;
use axum::routing::any;
use http::header;
use std::sync::Arc;

/// Adds a route that repeats an answer.
pub(crate) fn repeat(router: Router, path: &str, answer: Answer) -> Router {
    let Answer { status, mut headers, body } = answer;
    // The connection writes these itself.
    headers.remove(header::DATE);
    headers.remove(header::CONTENT_LENGTH);
    router.route(path, any(async move || (status, headers.clone(), body.clone())))
}

/// Adds a route that repeats an answer after it has verified a signature.
pub(crate) fn verify_and_repeat(router: Router, path: &str, answer: Answer, signature: Signature) -> Router {
    let signature = Arc::new(signature);
    let verified = move |request: axum::extract::Request, next: axum::middleware::Next| {
        let signature = Arc::clone(&signature);
        async move { if signature.is_good() { Ok(next.run(request).await) } else { Err(http::StatusCode::UNAUTHORIZED) } }
    };
    router.merge(repeat(Router::new(), path, answer).layer(axum::middleware::from_fn(verified)))
}
