//! Request bodies that end with an error beyond a limit.

use axum::body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reports whether a body exceeded its limit.
#[derive(Debug, Clone, Default)]
pub(super) struct LimitExceeded(Arc<AtomicBool>);

impl LimitExceeded {
    pub(super) fn is(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Ends the body with an error after `limit` bytes; the second value reports that.
pub(super) fn limited(body: Body, limit: u64) -> (Body, LimitExceeded) {
    let over = LimitExceeded::default();
    let report = over.clone();
    let limited = Limited::new(body, usize::try_from(limit).unwrap_or(usize::MAX)).map_err(move |error| {
        if error.is::<LengthLimitError>() {
            report.0.store(true, Ordering::SeqCst);
        }
        axum::Error::new(error)
    });
    (Body::new(limited), over)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_ends_at_its_limit_and_says_so() {
        let (body, over) = limited(Body::from("0123456789"), 10);
        assert_eq!(body.collect().await.expect("all of it").to_bytes(), "0123456789");
        assert!(!over.is());
        let (body, over) = limited(Body::from("0123456789a"), 10);
        assert!(body.collect().await.is_err() && over.is());
    }
}
