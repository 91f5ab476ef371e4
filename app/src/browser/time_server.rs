//! A client for the time server over a WebSocket.

use crate::browser::user_key::{self, UserKeyError};
use crate::browser::{clock, dpop, keys, page, tickets};
use base64ct::{Base64UrlUnpadded, Encoding};
use channel::client::{Conversation, HelloDraft, ServerMessage, refusal};
use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use futures::future::{Either, select};
use futures::{FutureExt, StreamExt};
use js_sys::{ArrayBuffer, Uint8Array};
use std::pin::pin;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};
use wire::time::{CloseReason, SERVICE, SUBPROTOCOL};

/// Time limit for an answer.
const TIMEOUT_MS: i32 = 10_000;

/// The reason why a connection ended or could not be opened.
#[derive(Debug)]
pub enum ConnectionEnd {
    Trouble(UserKeyError),
    /// The server's reason.
    Closed(CloseReason),
    /// The connection was lost.
    Lost,
}

impl From<UserKeyError> for ConnectionEnd {
    fn from(trouble: UserKeyError) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<CloseReason> for ConnectionEnd {
    fn from(reason: CloseReason) -> Self {
        Self::Closed(reason)
    }
}

enum SocketEvent {
    Message(Vec<u8>),
    Closed(String),
}

pub struct Connection {
    socket: WebSocket,
    events: UnboundedReceiver<SocketEvent>,
    conversation: Conversation,
    /// The version of the user key.
    pub version: u32,
    /// When this connection ends without a newer ticket, and when to present one, by the server's clock as far as
    /// known. This machine's clock may be hours wrong.
    until: i64,
    renew_at: Option<i64>,
    ahead_ms: i64,
    /// The last frames as transmitted.
    pub sent: Vec<u8>,
    pub received: Vec<u8>,
}

/// Gets a ticket and the key, opens the socket, and sends the hello.
pub async fn connect(url: &str) -> Result<Connection, ConnectionEnd> {
    let keys = keys::keys().await.ok_or(UserKeyError::Unreachable)?;
    let issued = tickets::issue(SERVICE, None).await?;
    let key = user_key::fetch(issued.version).await?;
    let socket = WebSocket::new_with_str(url, SUBPROTOCOL).map_err(|_| ConnectionEnd::Lost)?;
    socket.set_binary_type(BinaryType::Arraybuffer);
    let mut events = listen(&socket);
    let greeting = next(&mut events).await?;
    let random = page::random().ok_or(ConnectionEnd::Lost)?;
    let Ok(opening) = HelloDraft::new(&greeting, &issued, &key, random) else {
        return Err(refusal(&greeting).map_or(ConnectionEnd::Lost, ConnectionEnd::Closed));
    };
    let id = Base64UrlUnpadded::encode_string(&page::random::<16>().ok_or(ConnectionEnd::Lost)?);
    let unsigned = opening.unsigned(&keys.signing, SERVICE, &id, clock::now() / 1000);
    let signature = dpop::sign(&keys, &unsigned).await.ok_or(UserKeyError::Unreachable)?;
    let (hello, conversation) = opening.hello(&unsigned, &signature).map_err(|_| ConnectionEnd::Lost)?;
    socket.send_with_str(&hello).map_err(|_| ConnectionEnd::Lost)?;
    Ok(Connection {
        socket,
        events,
        conversation,
        version: issued.version,
        until: issued.key_until,
        renew_at: None,
        ahead_ms: 0,
        sent: Vec::new(),
        received: Vec::new(),
    })
}

impl Connection {
    /// Asks once and returns the answer; presents a newer ticket first, if it is time.
    pub async fn ask(&mut self) -> Result<channel::client::Reading, ConnectionEnd> {
        if self.renew_at.is_some_and(|at| self.server_now() >= at) {
            self.renew().await?;
        }
        let question = self.conversation.ask(clock::now_ns())?;
        self.send(question)?;
        loop {
            match self.receive().await? {
                ServerMessage::Time(reading) => {
                    self.ahead_ms = reading.offset_ns / 1_000_000;
                    if self.renew_at.is_none() {
                        self.runs_until(self.until);
                    }
                    return Ok(reading);
                }
                ServerMessage::Renewed { until } => self.runs_until(until),
                ServerMessage::Closed(reason) => return Err(ConnectionEnd::Closed(reason)),
            }
        }
    }

    /// Waits and listens at the same time, because the server may end the connection.
    pub async fn rest(&mut self, ms: i32) -> Result<(), ConnectionEnd> {
        let waited = match select(pin!(self.events.next()), pin!(clock::sleep(ms))).await {
            Either::Left((event, _)) => Some(event),
            Either::Right(_) => None,
        };
        let Some(event) = waited else { return Ok(()) };
        match self.read(message(event)?)? {
            ServerMessage::Renewed { until } => {
                self.runs_until(until);
                Ok(())
            }
            ServerMessage::Closed(reason) => Err(ConnectionEnd::Closed(reason)),
            ServerMessage::Time(_) => Ok(()),
        }
    }

    pub fn exit(&mut self) {
        if let Ok(goodbye) = self.conversation.exit() {
            // If this fails, the connection is gone anyway.
            let _ = self.send(goodbye);
        }
    }

    async fn renew(&mut self) -> Result<(), ConnectionEnd> {
        // During a version's overlap there are tickets for it; then the server ends the connection.
        match tickets::issue(SERVICE, Some(self.version)).await {
            Ok(issued) => {
                let renewal = self.conversation.renew(issued.ticket)?;
                self.send(renewal)
            }
            Err(UserKeyError::Refused(_)) => {
                self.renew_at = Some(i64::MAX);
                Ok(())
            }
            Err(trouble) => Err(trouble.into()),
        }
    }

    /// Sets the end of the connection and the time of the next ticket. Half of the remaining time leaves time for
    /// retries without causing much traffic.
    fn runs_until(&mut self, until: i64) {
        let now = self.server_now();
        self.until = until;
        self.renew_at = Some(now + ((until - now) / 2).max(1_000));
    }

    fn server_now(&self) -> i64 {
        clock::now() + self.ahead_ms
    }

    fn send(&mut self, frame: Vec<u8>) -> Result<(), ConnectionEnd> {
        if self.socket.ready_state() != WebSocket::OPEN {
            // The server has closed it; the reason is among the events, and the browser would only report an error.
            return Ok(());
        }
        self.socket.send_with_u8_array(&frame).map_err(|_| ConnectionEnd::Lost)?;
        self.sent = frame;
        Ok(())
    }

    async fn receive(&mut self) -> Result<ServerMessage, ConnectionEnd> {
        let frame = next(&mut self.events).await?;
        self.read(frame)
    }

    fn read(&mut self, frame: Vec<u8>) -> Result<ServerMessage, ConnectionEnd> {
        let received = match refusal(&frame) {
            Some(reason) => return Err(ConnectionEnd::Closed(reason)),
            None => self.conversation.decode(&frame, clock::now_ns())?,
        };
        self.received = frame;
        Ok(received)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.socket.close();
    }
}

fn listen(socket: &WebSocket) -> UnboundedReceiver<SocketEvent> {
    let (sender, events) = mpsc::unbounded();
    let messages = sender.clone();
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        let bytes = match event.data().dyn_into::<ArrayBuffer>() {
            Ok(buffer) => Uint8Array::new(&buffer).to_vec(),
            Err(text) => text.as_string().unwrap_or_default().into_bytes(),
        };
        send_event(&messages, SocketEvent::Message(bytes));
    });
    let on_close = Closure::<dyn Fn(CloseEvent)>::new(move |event: CloseEvent| {
        send_event(&sender, SocketEvent::Closed(event.reason()));
    });
    socket.set_onmessage(Some(on_message.into_js_value().unchecked_ref()));
    socket.set_onclose(Some(on_close.into_js_value().unchecked_ref()));
    events
}

fn send_event(sender: &UnboundedSender<SocketEvent>, event: SocketEvent) {
    // The receiver is gone, because the connection was given up.
    let _ = sender.unbounded_send(event);
}

async fn next(events: &mut UnboundedReceiver<SocketEvent>) -> Result<Vec<u8>, ConnectionEnd> {
    match select(pin!(events.next()), pin!(clock::sleep(TIMEOUT_MS).fuse())).await {
        Either::Left((event, _)) => message(event),
        Either::Right(_) => Err(ConnectionEnd::Lost),
    }
}

fn message(event: Option<SocketEvent>) -> Result<Vec<u8>, ConnectionEnd> {
    match event {
        Some(SocketEvent::Message(bytes)) => Ok(bytes),
        Some(SocketEvent::Closed(reason)) => Err(reason_of(&reason).map_or(ConnectionEnd::Lost, ConnectionEnd::Closed)),
        None => Err(ConnectionEnd::Lost),
    }
}

fn reason_of(name: &str) -> Option<CloseReason> {
    serde_json::from_value(serde_json::Value::from(name)).ok().filter(|reason| *reason != CloseReason::Unknown)
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection(version {})", self.version)
    }
}
