//! The progress of a request's body, and whom a request without an answer waits for.

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// The side that keeps a request waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitingFor {
    /// The next part of the body has not arrived.
    Client,
    /// The body has arrived, or the upstream does not read it.
    Upstream,
}

/// Observes a body on its way to the upstream.
#[derive(Debug)]
pub(super) struct BodyProgress(watch::Receiver<WaitingFor>);

/// Lets the progress of the body be observed.
pub(super) fn observed(body: Body) -> (Body, BodyProgress) {
    let (told, progress) = watch::channel(WaitingFor::Upstream);
    (Body::new(ObservedBody { body, told }), BodyProgress(progress))
}

impl BodyProgress {
    /// Returns the side for which the request has waited without progress for `limit`.
    pub(super) async fn stalled(mut self, limit: Duration) -> WaitingFor {
        loop {
            let side = *self.0.borrow_and_update();
            match timeout(limit, self.0.changed()).await {
                Ok(Ok(())) => {}
                // The whole body has arrived, and the time for the answer begins.
                Ok(Err(_)) => {
                    sleep(limit).await;
                    return WaitingFor::Upstream;
                }
                Err(_) => return side,
            }
        }
    }
}

struct ObservedBody {
    body: Body,
    told: watch::Sender<WaitingFor>,
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.told.send_replace(if polled.is_pending() { WaitingFor::Client } else { WaitingFor::Upstream });
        polled
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
    use http_body_util::{BodyExt, StreamBody};

    const LIMIT: Duration = Duration::from_millis(1);

    fn endless_body() -> Body {
        Body::new(StreamBody::new(futures::stream::pending::<Result<Frame<Bytes>, std::io::Error>>()))
    }

    #[tokio::test]
    async fn a_request_waits_for_its_client_or_for_the_upstream() {
        let (mut body, progress) = observed(endless_body());
        assert!(futures::poll!(body.frame()).is_pending());
        assert_eq!(progress.stalled(LIMIT).await, WaitingFor::Client);
        let (body, progress) = observed(endless_body());
        assert_eq!(progress.stalled(LIMIT).await, WaitingFor::Upstream, "it does not read the body");
        drop(body);
        let (body, progress) = observed(Body::from("all of it"));
        assert!(body.collect().await.is_ok());
        assert_eq!(progress.stalled(LIMIT).await, WaitingFor::Upstream);
    }
}
