//! The limit of a request: an axum handler that says the same bytes under the same headers, and nothing
//! is asked before it does.

use crate::client::Answer;
use axum::Router;
use axum::routing::get;
use http::header;

/// A route that repeats an answer.
pub fn repeat(router: Router, path: &str, answer: Answer) -> Router {
    let Answer { status, mut headers, body } = answer;
    // The connection writes these itself.
    headers.remove(header::DATE);
    headers.remove(header::CONTENT_LENGTH);
    router.route(path, get(async move || (status, headers.clone(), body.clone())))
}
