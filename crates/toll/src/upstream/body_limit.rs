//! Request bodies that end with an error beyond a limit.

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

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
    // A declared length can only be wrong with HTTP/2, where the HTTP library ends the stream.
    (Body::new(LimitedBody { body, left: limit, over: over.clone() }), over)
}

struct LimitedBody {
    body: Body,
    left: u64,
    over: LimitExceeded,
}

#[derive(Debug, thiserror::Error)]
#[error("the body is over the limit")]
struct BodyTooLong;

impl HttpBody for LimitedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = ready!(Pin::new(&mut self.body).poll_frame(context));
        let length = match &polled {
            Some(Ok(frame)) => frame.data_ref().map_or(0, |data| data.len() as u64),
            _ => 0,
        };
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Poll::Ready(polled)
            }
            None => {
                self.over.0.store(true, Ordering::SeqCst);
                Poll::Ready(Some(Err(axum::Error::new(BodyTooLong))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_body_ends_at_its_limit_and_says_so() {
        let (body, over) = limited(Body::from("0123456789"), 10);
        assert_eq!(body.collect().await.expect("all of it").to_bytes(), "0123456789");
        assert!(!over.is());
        let (body, over) = limited(Body::from("0123456789a"), 10);
        assert!(body.collect().await.is_err() && over.is());
    }
}
