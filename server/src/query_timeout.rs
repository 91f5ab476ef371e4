//! Time limits for questions to the database.

use std::time::Duration;

/// A database that does not answer one question for this long is asked again. After a failover there are hundreds of
/// questions, and each may take as long.
pub(crate) const QUERY_TIMEOUT: Duration = Duration::from_secs(1);

/// Waits for the answer to one question.
///
/// # Errors
/// The question fails, or nothing answers in time ([`store::Error::NoAnswer`]).
pub(crate) async fn in_time<T, E: From<store::Error>>(question: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    within(QUERY_TIMEOUT, question).await
}

/// Waits for the answer to one question, for this long at most.
///
/// # Errors
/// As [`in_time`].
pub(crate) async fn within<T, E: From<store::Error>>(
    timeout: Duration,
    question: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(timeout, question).await {
        Ok(answer) => answer,
        Err(_) => Err(store::Error::NoAnswer.into()),
    }
}
