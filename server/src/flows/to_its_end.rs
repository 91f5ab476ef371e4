//! A flow that has begun runs to its end, whether or not the client waits for the answer.

use crate::http::ApiError;
use std::future::Future;
use tracing::Instrument;

/// Runs the flow as a task of its own. A client that hangs up in the middle of a guess would otherwise
/// leave its failure uncounted and its reservation behind. Its log lines still name the request.
///
/// # Errors
/// The flow's own, or `unavailable` if it panicked.
pub async fn to_its_end<T: Send + 'static>(
    flow: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::spawn(flow.in_current_span()).await {
        Ok(result) => result,
        Err(error) => Err(ApiError::broken(error)),
    }
}
