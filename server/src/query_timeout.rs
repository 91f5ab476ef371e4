//! Time limits for questions to the database.

use std::time::Duration;

/// Waits for the answer to one question, for this long at most.
///
/// # Errors
/// The question fails, or nothing answers in time ([`store::Error::NoAnswer`]).
pub(crate) async fn within<T, E: From<store::Error>>(
    timeout: Duration,
    question: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(timeout, question).await {
        Ok(answer) => answer,
        Err(_) => Err(store::Error::NoAnswer.into()),
    }
}
