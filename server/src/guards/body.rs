//! Request bodies: at most 16 KiB within 5 seconds, read before anything else uses them.

use crate::api_error::ApiError;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use http::header;
use hyper::body::Body as _;
use std::time::Duration;
use wire::problem::Code;

pub const LIMIT: usize = 16 * 1024;
const TIME: Duration = Duration::from_secs(5);

/// Reads the whole body of a request.
///
/// # Errors
/// `too_large`, `timeout`, or `bad_request` for an incomplete body.
pub async fn read(request: Request) -> Result<Request, ApiError> {
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > LIMIT) {
        return Err(ApiError::new(Code::TooLarge));
    }
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let bytes = match tokio::time::timeout(TIME, to_bytes(body, LIMIT)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => {
            return Err(ApiError::new(if is_over_limit(error) { Code::TooLarge } else { Code::BadRequest }));
        }
        Err(_) => return Err(ApiError::new(Code::Timeout)),
    };
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn is_over_limit(error: axum::Error) -> bool {
    error.into_inner().is::<http_body_util::LengthLimitError>()
}
