//! Every path that is none.

use super::{ApiError, render};
use crate::state::AppState;
use app::view::View;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use wire::problem::Code;

/// A page for people, a problem for programs.
pub async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/")
        || path.starts_with("/.postern/")
        || path.starts_with("/.well-known/")
        || path.starts_with("/pkg/")
    {
        return ApiError::new(Code::NotFound).into_response();
    }
    render::document(State(state), View::NotFound, request).await
}

pub async fn method_not_allowed() -> ApiError {
    ApiError::new(Code::MethodNotAllowed)
}

/// A handler panicked: the panic hook has logged it; the client hears no more than of any fault.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::wait(Code::Unavailable, 1000).into_response()
}
