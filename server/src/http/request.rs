//! Requests in our own types, with our own errors.

use super::ApiError;
use axum::body::Bytes;
use axum::extract::Query;
use http::Uri;
use serde::de::DeserializeOwned;
use wire::problem::Code;

/// Parses a JSON body.
///
/// # Errors
/// `bad_request`: the body has the wrong form for this path.
pub(super) fn body<T: DeserializeOwned>(body: &Bytes) -> Result<T, ApiError> {
    // Without this check an array would do for an object: its elements for the members, in their order.
    let is_object = body.trim_ascii_start().first() == Some(&b'{');
    serde_json::from_slice(body).ok().filter(|_| is_object).ok_or_else(|| ApiError::new(Code::BadRequest))
}

/// Accepts `{}` or no body, for changes that have no parameters.
///
/// # Errors
/// `bad_request`: it contains something that would be ignored.
pub(super) fn nothing(given: &Bytes) -> Result<(), ApiError> {
    let none = given.is_empty() || body::<serde_json::Map<_, _>>(given)?.is_empty();
    if none { Ok(()) } else { Err(ApiError::new(Code::BadRequest)) }
}

/// Parses the query string.
///
/// # Errors
/// `bad_request`: the query has the wrong form for this path.
pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, ApiError> {
    Query::try_from_uri(uri).map(|query| query.0).map_err(|_| ApiError::new(Code::BadRequest))
}
