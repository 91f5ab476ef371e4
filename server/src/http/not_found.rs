//! Responses for unknown paths and wrong methods.

use super::{ApiError, render};
use crate::state::AppState;
use app::View;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use wire::problem::Code;

/// Answers with a page for people or a problem for programs.
pub(crate) async fn not_found(State(state): State<AppState>, request: Request) -> Response {
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

pub(crate) async fn method_not_allowed() -> ApiError {
    ApiError::new(Code::MethodNotAllowed)
}

/// Answers after a panic in a handler, which the panic hook has logged. The client gets no details.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::wait(Code::Unavailable, 1000).into_response()
}
