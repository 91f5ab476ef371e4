//! Messages in WebSocket frames (RFC 6455): text until the hello is accepted, binary after that.

use super::{Carrier, CarrierError};
use domain::authority::is_same_url;
use futures::{FutureExt, SinkExt, StreamExt};
use http::header::{ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use net::{PermittedStream, RequestBody};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use wire::time::{CloseReason, LONGEST_MESSAGE, PATH, SUBPROTOCOL};

/// Size of the read buffer in bytes. The library's default would use 128 KiB in each direction for every connection.
const READ_BUFFER: usize = 1024;
const WRITE_BUFFER: usize = 2048;
/// Time limit for the peer to read the last message.
const GOODBYE: Duration = Duration::from_secs(1);

/// The origins whose pages may connect. A program sends no origin, and is authenticated by its ticket.
#[derive(Debug, Clone)]
pub struct Origins(pub Vec<String>);

#[derive(Debug)]
pub struct WebSocket {
    stream: WebSocketStream<PermittedStream>,
    /// Whether messages may be queued.
    dirty: bool,
}

impl WebSocket {
    /// Answers an HTTP request. Returns the response, and the resulting socket with whether its page may connect. A
    /// page that may not is connected anyway, because only then can it receive the reason.
    ///
    /// # Errors
    /// The status for a request that is not of this protocol.
    pub fn accept(
        mut request: Request<RequestBody>,
        origins: &Origins,
    ) -> Result<(Response<Empty<Bytes>>, impl Future<Output = Option<Accepted>> + Send + 'static), StatusCode> {
        let response = upgrade(&request)?;
        let origin = origins.judge(request.headers().get(ORIGIN));
        let upgraded = hyper::upgrade::on(&mut request);
        let socket = async move {
            let parts = downcast::<TokioIo<PermittedStream>>(upgraded.await.ok()?).ok()?;
            let (io, read) = (parts.io.into_inner(), parts.read_buf.to_vec());
            let stream = WebSocketStream::from_partially_read(io, read, Role::Server, Some(config())).await;
            Some((Self { stream, dirty: false }, origin))
        };
        Ok((response, socket))
    }
}

/// A socket, and whether its page may connect.
pub(super) type Accepted = (WebSocket, Result<(), CloseReason>);

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER + 4 * LONGEST_MESSAGE)
        .max_message_size(Some(LONGEST_MESSAGE))
        .max_frame_size(Some(LONGEST_MESSAGE))
}

impl Origins {
    fn judge(&self, origin: Option<&HeaderValue>) -> Result<(), CloseReason> {
        let known = |origin: &HeaderValue| {
            let origin = origin.to_str().unwrap_or_default();
            self.0.iter().any(|known| is_same_url(known, origin))
        };
        if origin.is_none_or(known) { Ok(()) } else { Err(CloseReason::BadOrigin) }
    }
}

fn upgrade(request: &Request<RequestBody>) -> Result<Response<Empty<Bytes>>, StatusCode> {
    if request.uri().path() != PATH {
        return Err(StatusCode::NOT_FOUND);
    }
    let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    let mut offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    if !offered.any(|name| name.trim() == SUBPROTOCOL) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let mut response = create_response_with_body(request, Empty::new).map_err(|_| StatusCode::BAD_REQUEST)?;
    response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(response)
}

impl Carrier for WebSocket {
    async fn receive(&mut self, message: &mut Vec<u8>) -> Result<(), CarrierError> {
        loop {
            let next = match self.stream.next().now_or_never() {
                Some(next) => next,
                None => {
                    if self.dirty {
                        self.stream.flush().await.map_err(|_| CarrierError::Gone)?;
                        self.dirty = false;
                    }
                    self.stream.next().await
                }
            };
            let content: Bytes = match next {
                Some(Ok(Message::Binary(content))) => content,
                Some(Ok(Message::Text(content))) => content.into(),
                // The library answers these.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Err(Error::Capacity(_))) => return Err(CloseReason::TooLarge.into()),
                None | Some(Err(_) | Ok(Message::Close(_) | Message::Frame(_))) => return Err(CarrierError::Gone),
            };
            message.clear();
            message.extend_from_slice(&content);
            return Ok(());
        }
    }

    async fn send(&mut self, message: &[u8]) -> Result<(), CarrierError> {
        // Messages before the hello are JSON, and no encrypted frame begins like that: its counter begins with a zero.
        let message = match std::str::from_utf8(message) {
            Ok(text) if message.first() == Some(&b'{') => Message::text(text),
            _ => Message::binary(Bytes::copy_from_slice(message)),
        };
        self.dirty = true;
        self.stream.feed(message).await.map_err(|_| CarrierError::Gone)
    }

    async fn close(mut self, reason: CloseReason) {
        let goodbye = async {
            let frame = CloseFrame { code: code(reason).into(), reason: name(reason).into() };
            self.stream.close(Some(frame)).await.ok()?;
            // Until the peer has answered or disconnected.
            while let Some(Ok(_)) = self.stream.next().await {}
            Some(())
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

/// Returns the close code. Codes from 4000 are for applications (RFC 6455, section 7.4.2).
fn code(reason: CloseReason) -> u16 {
    match reason {
        CloseReason::Goodbye => 1000,
        other => 4000 + other as u16,
    }
}

fn name(reason: CloseReason) -> String {
    let name = serde_json::to_value(reason).ok();
    name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().to_owned()
}
