//! Runs a flow to completion, even if the client stops waiting for the answer.

use crate::api_error::ApiError;
use std::future::Future;
use tracing::Instrument;

/// Runs the flow as a separate task. Otherwise a client that disconnects during a guess would leave its failure
/// uncounted and its reservation behind. Log lines still name the request.
///
/// # Errors
/// The flow's own, or `unavailable` if it panicked.
pub async fn run_to_completion<T: Send + 'static>(
    flow: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::spawn(flow.in_current_span()).await {
        Ok(result) => result,
        Err(error) => Err(ApiError::broken(error)),
    }
}
