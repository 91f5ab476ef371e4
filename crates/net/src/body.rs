//! Bodies with progress deadlines.

use crate::meter::{BusyGuard, FlowMeter, MinimumRate};
use futures::ready;
use http::Response;
use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::{Instant, Sleep};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request's body. It fails if the client sends it too slowly.
#[derive(Debug)]
pub struct RequestBody {
    body: Incoming,
    minimum_rate: MinimumRate,
    wait: Option<Wait>,
    waited_ms: u64,
    bytes: u64,
}

/// A wait for a client that does not send the announced body.
#[derive(Debug)]
struct Wait {
    since: Instant,
    /// The timer, set at most once per wait and not for each byte: it checks again when it fires.
    look: Pin<Box<Sleep>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the client sends its request too slowly")]
struct TooSlow;

impl RequestBody {
    pub(crate) fn new(body: Incoming, minimum_rate: MinimumRate) -> Self {
        Self { body, minimum_rate, wait: None, waited_ms: 0, bytes: 0 }
    }

    fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<TooSlow> {
        let minimum_rate = self.minimum_rate;
        let wait = self.wait.get_or_insert_with(|| Wait {
            since: Instant::now(),
            look: Box::pin(tokio::time::sleep(minimum_rate.stall / 4)),
        });
        loop {
            ready!(wait.look.as_mut().poll(context));
            let this = ms(wait.since);
            if minimum_rate.is_missed(this, self.waited_ms.saturating_add(this), self.bytes) {
                return Poll::Ready(TooSlow);
            }
            wait.look
                .as_mut()
                .reset(Instant::now() + (minimum_rate.stall / 4).max(std::time::Duration::from_millis(1)));
        }
    }
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                if let Some(wait) = self.wait.take() {
                    self.waited_ms = self.waited_ms.saturating_add(ms(wait.since));
                }
                let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref);
                self.bytes += data.map_or(0, |data| data.len() as u64);
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => self.poll_wait(context).map(|slow| Some(Err(slow.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body: the connection is busy until it is dropped.
#[derive(Debug)]
pub struct ResponseBody<B> {
    inner: Inner<B>,
    /// The flow of an HTTP/2 stream, whose window can be closed while the connection is open.
    flow: Option<Arc<FlowMeter>>,
    /// The rest of a long chunk.
    rest: Bytes,
    busy: BusyGuard,
}

/// Content from a handler, or an answer of our own.
#[derive(Debug)]
enum Inner<B> {
    Theirs(B),
    Ours(Full<Bytes>),
}

/// Maximum length of a piece in bytes. HTTP/2 accepts a whole chunk, whatever the window is; with a long one the meter
/// would see the end too early.
const PIECE: usize = 16 * 1024;

impl<B> ResponseBody<B> {
    pub(crate) fn theirs(response: Response<B>, busy: BusyGuard, http2: bool) -> Response<Self> {
        response.map(|body| Self::new(Inner::Theirs(body), busy, http2))
    }

    pub(crate) fn ours(response: Response<Full<Bytes>>, busy: BusyGuard) -> Response<Self> {
        response.map(|body| Self::new(Inner::Ours(body), busy, false))
    }

    fn new(inner: Inner<B>, busy: BusyGuard, http2: bool) -> Self {
        let flow = http2.then(|| busy.meter().response());
        Self { inner, flow, rest: Bytes::new(), busy }
    }

    /// Returns a piece of the available chunk.
    fn piece(&mut self) -> Bytes {
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        if let Some(flow) = &self.flow {
            let now = self.busy.meter().now();
            flow.moved(piece.len(), now);
            // Until the next request for data.
            flow.waits(now);
        }
        piece
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Some(flow) = &this.flow {
            flow.rests(this.busy.meter().now());
        }
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(this.piece()))));
        }
        let frame = match &mut this.inner {
            Inner::Theirs(body) => ready!(Pin::new(body).poll_frame(context)).map(|frame| frame.map_err(Into::into)),
            Inner::Ours(body) => ready!(Pin::new(body).poll_frame(context)).map(|frame| frame.map_err(Into::into)),
        };
        let Some(Ok(frame)) = frame else { return Poll::Ready(frame) };
        Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(data) if this.flow.is_some() => {
                this.rest = data;
                Frame::data(this.piece())
            }
            Ok(data) => Frame::data(data),
            Err(other) => other,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
            && match &self.inner {
                Inner::Theirs(body) => body.is_end_stream(),
                Inner::Ours(body) => body.is_end_stream(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        let hint = match &self.inner {
            Inner::Theirs(body) => body.size_hint(),
            Inner::Ours(body) => body.size_hint(),
        };
        match (self.rest.len() as u64, hint.exact()) {
            (0, _) => hint,
            (rest, Some(exact)) => SizeHint::with_exact(exact + rest),
            (rest, None) => {
                let mut with_rest = SizeHint::new();
                with_rest.set_lower(hint.lower() + rest);
                with_rest
            }
        }
    }
}
