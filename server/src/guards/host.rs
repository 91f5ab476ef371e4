//! Redirects pages under another host name to the configured origin.

use crate::state::CoreState;
use axum::extract::Request;
use axum::response::{IntoResponse, Redirect, Response};
use domain::authority::Authority;
use http::{Method, header};

/// Redirects, for example, `http://127.0.0.1:3000/login` to `http://localhost:3000/login`, because cookies, keys and
/// the envelope belong to one origin.
pub fn redirect_other_host(state: &CoreState, request: &Request) -> Option<Response> {
    let host = request.headers().get(header::HOST)?.to_str().unwrap_or_default();
    let here = Authority::parse(host, state.config.https).is_ok_and(|host| host == state.config.authority);
    // Browsers treat `name.` with a dot as another site than `name`.
    let here = here && !host.split(':').next().is_some_and(|name| name.ends_with('.'));
    if here || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // Two slashes after the origin are harmless, because the origin comes first.
    Some(Redirect::temporary(&format!("{}{path}", state.config.origin)).into_response())
}
