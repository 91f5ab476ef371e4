//! One origin: pages asked for under another name lead to the configured one.

use crate::state::AppState;
use axum::extract::Request;
use axum::response::{IntoResponse, Redirect, Response};
use http::{Method, header};

/// `http://127.0.0.1:3000/login` leads to `http://localhost:3000/login`: cookies, keys and the envelope
/// belong to one origin.
pub fn elsewhere(state: &AppState, request: &Request) -> Option<Response> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let elsewhere = host.is_some_and(|host| !host.eq_ignore_ascii_case(&state.config.authority));
    if !elsewhere || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // Two slashes after the origin cannot lead elsewhere: the origin comes first.
    Some(Redirect::temporary(&format!("{}{path}", state.config.origin)).into_response())
}
