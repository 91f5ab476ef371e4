//! Metering of streams and tunnels: each period after the start of the answer costs another request of the token, until
//! none is left.

use crate::environment::Environment;
use crate::ledger::LedgerEntry;
use axum::body::{Body, Bytes};
use axum_reverse_proxy::{TunnelCancellation, TunnelGuard};
use domain::UnixMs;
use http::Request;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

/// Interval of checks of a stream, and the maximum time that it may continue after its end.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Handles by which the meter ends a stream or tunnel.
#[derive(Debug, Default)]
pub(crate) struct StreamHandle {
    /// Cancels it.
    cut: CancellationToken,
    /// Signals that it has ended normally.
    ended: CancellationToken,
}

impl StreamHandle {
    /// Ties a tunnel, if the request becomes one, to this meter: the proxy library cancels it.
    pub(crate) fn attach(&self, request: &mut Request<Body>) {
        let extensions = request.extensions_mut();
        extensions.insert(TunnelCancellation(self.cut.clone()));
        extensions.insert(TunnelGuard::new(self.ended.clone().drop_guard()));
    }

    /// Wraps a stream's body so that the meter can end it.
    pub(crate) fn wrap(&self, body: Body) -> Body {
        let cut = Box::pin(self.cut.clone().cancelled_owned());
        Body::new(MeteredBody { body, cut, _ended: self.ended.clone().drop_guard() })
    }
}

pub(crate) struct StreamMeter {
    /// The token that pays. `None`: the first period was free, and no other follows.
    entry: Option<Arc<LedgerEntry>>,
    span_ms: i64,
    due: UnixMs,
    environment: Environment,
}

impl StreamMeter {
    /// Starts metering now. The request itself has paid for the first period, or was free.
    pub(crate) fn new(entry: Option<Arc<LedgerEntry>>, span_ms: i64, environment: Environment) -> Self {
        let due = (environment.now)() + span_ms;
        Self { entry, span_ms, due, environment }
    }

    /// Watches until the stream or the token ends.
    pub(crate) async fn watch(mut self, stream: StreamHandle) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = stream.ended.cancelled() => return,
                _ = tick.tick() => {}
            }
            if !self.charge_due() {
                return stream.cut.cancel();
            }
        }
    }

    fn charge_due(&mut self) -> bool {
        let now = (self.environment.now)();
        let Some(entry) = &self.entry else { return now < self.due };
        while now >= self.due {
            let Ok(unit) = entry.take(now) else { return false };
            unit.charge(now);
            self.due += self.span_ms;
        }
        entry.is_open(now)
    }
}

struct MeteredBody {
    body: Body,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    _ended: DropGuard,
}

/// Error of a cut stream: the client must notice that the answer is incomplete.
#[derive(Debug, thiserror::Error)]
#[error("the token that paid for this stream has ended")]
struct TokenEnded;

impl HttpBody for MeteredBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.cut.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(axum::Error::new(TokenEnded))));
        }
        Poll::Ready(ready!(Pin::new(&mut self.body).poll_frame(context)))
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

    #[test]
    fn a_stream_or_a_tunnel_that_is_over_says_so() {
        let stream = StreamHandle::default();
        let body = stream.wrap(Body::empty());
        assert!(!stream.ended.is_cancelled());
        drop(body);
        assert!(stream.ended.is_cancelled());
        let stream = StreamHandle::default();
        let mut request = Request::new(Body::empty());
        stream.attach(&mut request);
        assert!(!stream.ended.is_cancelled());
        drop(request);
        assert!(stream.ended.is_cancelled());
    }
}
