//! Runs a flow to completion, even if the client stops waiting for the answer.

use crate::api_error::ApiError;
use crate::request_id::RequestId;
use std::future::Future;

/// Runs the flow as a separate task. Otherwise a client that disconnects during a guess would leave its failure
/// uncounted and its reservation behind. Log lines still name the request.
///
/// # Errors
/// The flow's own, or `unavailable` if it panicked.
pub async fn run_to_completion<T: Send + 'static>(
    flow: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    let running = match RequestId::current() {
        Some(id) => tokio::spawn(id.scope(flow)),
        None => tokio::spawn(flow),
    };
    match running.await {
        Ok(result) => result,
        Err(error) => Err(ApiError::broken(error)),
    }
}
