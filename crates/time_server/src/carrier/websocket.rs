//! Messages in WebSocket frames (RFC 6455): text before the hello is taken, binary after.

use super::{Carrier, Ended};
use futures::{FutureExt, SinkExt, StreamExt};
use http::header::{ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderValue, StatusCode};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};
use wire::time::{CloseReason, LONGEST_MESSAGE, PATH, SUBPROTOCOL};

/// The library's own would take 128 KiB each way for every connection.
const READ_BUFFER: usize = 1024;
const WRITE_BUFFER: usize = 2048;
/// How long the other end may take to read the last word.
const GOODBYE: Duration = Duration::from_secs(1);

/// Whose pages may connect. A program sends no origin, and shows by its ticket who it is.
#[derive(Debug, Clone)]
pub struct Origins(pub Vec<String>);

#[derive(Debug)]
pub struct WebSocket {
    stream: WebSocketStream<TcpStream>,
    /// Whether something may wait to be sent.
    dirty: bool,
}

impl WebSocket {
    /// Answers the HTTP request. `None`: it was none for this protocol. With a page that is not to
    /// connect a connection is made all the same: only so can it be told.
    #[expect(clippy::result_large_err, reason = "the library asks for this type")]
    pub async fn accept(stream: TcpStream, origins: &Origins) -> Option<(Self, Result<(), CloseReason>)> {
        let mut origin = Ok(());
        let callback = |request: &Request, response: Response| {
            origin = origins.judge(request.headers().get(ORIGIN));
            upgrade(request, response)
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(WRITE_BUFFER + 4 * LONGEST_MESSAGE)
            .max_message_size(Some(LONGEST_MESSAGE))
            .max_frame_size(Some(LONGEST_MESSAGE));
        let stream = accept_hdr_async_with_config(stream, callback, Some(config)).await.ok()?;
        Some((Self { stream, dirty: false }, origin))
    }
}

impl Origins {
    fn judge(&self, origin: Option<&HeaderValue>) -> Result<(), CloseReason> {
        let known = |origin: &HeaderValue| self.0.iter().any(|known| known.as_bytes() == origin.as_bytes());
        if origin.is_none_or(known) { Ok(()) } else { Err(CloseReason::BadOrigin) }
    }
}

#[expect(clippy::result_large_err, reason = "the library asks for this type")]
fn upgrade(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let refuse = |status: StatusCode| {
        let mut response = ErrorResponse::new(None);
        *response.status_mut() = status;
        response
    };
    if request.uri().path() != PATH {
        return Err(refuse(StatusCode::NOT_FOUND));
    }
    let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    let mut offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    if !offered.any(|name| name.trim() == SUBPROTOCOL) {
        return Err(refuse(StatusCode::BAD_REQUEST));
    }
    response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(response)
}

impl Carrier for WebSocket {
    async fn receive(&mut self, message: &mut Vec<u8>) -> Result<(), Ended> {
        loop {
            let next = match self.stream.next().now_or_never() {
                Some(next) => next,
                None => {
                    if self.dirty {
                        self.stream.flush().await.map_err(|_| Ended::Gone)?;
                        self.dirty = false;
                    }
                    self.stream.next().await
                }
            };
            let content: Bytes = match next {
                Some(Ok(Message::Binary(content))) => content,
                Some(Ok(Message::Text(content))) => content.into(),
                // Answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Err(Error::Capacity(_))) => return Err(CloseReason::TooLarge.into()),
                None | Some(Err(_) | Ok(Message::Close(_) | Message::Frame(_))) => return Err(Ended::Gone),
            };
            message.clear();
            message.extend_from_slice(&content);
            return Ok(());
        }
    }

    async fn send(&mut self, message: &[u8]) -> Result<(), Ended> {
        // Words before the hello are JSON, and no sealed frame begins like that: its counter begins with a zero.
        let message = match std::str::from_utf8(message) {
            Ok(text) if message.first() == Some(&b'{') => Message::text(text),
            _ => Message::binary(Bytes::copy_from_slice(message)),
        };
        self.dirty = true;
        self.stream.feed(message).await.map_err(|_| Ended::Gone)
    }

    async fn close(mut self, reason: CloseReason) {
        let goodbye = async {
            let frame = CloseFrame { code: code(reason).into(), reason: name(reason).into() };
            self.stream.close(Some(frame)).await.ok()?;
            // Until the other end has answered, or gone.
            while let Some(Ok(_)) = self.stream.next().await {}
            Some(())
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

/// From 4000 on the numbers are an application's own (RFC 6455, section 7.4.2).
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
