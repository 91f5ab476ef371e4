//! A server that reports the request that it received, and counts.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures::StreamExt;
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// Requests that arrived, in order: method, space, path and query.
    pub requests: Arc<parking_lot::Mutex<Vec<String>>>,
    /// The number of tunnels that ended.
    pub sockets_ended: Arc<AtomicUsize>,
    /// Permits for one more chunk of `/ticks` each.
    pub ticks: Arc<Ticks>,
}

pub(crate) struct Ticks(pub Semaphore);

impl Default for Ticks {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

pub(crate) struct Upstream {
    pub address: SocketAddr,
    pub seen: Seen,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn on(listener: TcpListener) -> Self {
        let (address, seen) = (listener.local_addr().unwrap(), Seen::default());
        let router = Router::new()
            .route("/socket", get(socket))
            .route("/ticks", get(ticks))
            .route("/pieces", any(pieces))
            .route("/never", get(std::future::pending::<()>))
            .route("/broken", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
            .fallback(echo)
            .with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, seen }
    }
}

async fn echo(State(seen): State<Seen>, request: Request) -> Response {
    seen.requests.lock().push(format!("{} {}", request.method(), request.uri()));
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return StatusCode::BAD_REQUEST.into_response() };
    let body = body.to_bytes();
    let mut headers = serde_json::Map::new();
    for (name, value) in &parts.headers {
        let all = headers.entry(name.as_str()).or_insert_with(|| json!([]));
        all.as_array_mut().unwrap().push(Value::from(String::from_utf8_lossy(value.as_bytes())));
    }
    let said = json!({"method": parts.method.as_str(), "uri": parts.uri.to_string(), "headers": headers,
        "version": format!("{:?}", parts.version), "body": String::from_utf8_lossy(&body)});
    ([("x-own", "kept"), ("connection", "x-secret"), ("x-secret", "of this hop")], said.to_string()).into_response()
}

/// Sends one piece for each permit of the test.
async fn ticks(State(seen): State<Seen>) -> Body {
    Body::from_stream(futures::stream::unfold(seen.ticks, |ticks| async move {
        ticks.0.acquire().await.ok()?.forget();
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b"tick")), ticks))
    }))
}

/// Answers each piece of the body as it arrives, before the next one is sent.
async fn pieces(request: Request) -> Body {
    let mut body = request.into_body().into_data_stream();
    let (send, receive) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(Ok(piece)) = body.next().await {
            let _ = send.send(Ok::<_, std::io::Error>(piece)).await;
        }
    });
    Body::from_stream(futures::stream::unfold(
        receive,
        |mut receive| async move { Some((receive.recv().await?, receive)) },
    ))
}

async fn socket(State(seen): State<Seen>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|mut socket| async move {
        while let Some(Ok(message)) = socket.recv().await {
            if matches!(message, Message::Text(_) | Message::Binary(_)) && socket.send(message).await.is_err() {
                break;
            }
        }
        tokio::time::sleep(Duration::ZERO).await;
        seen.sockets_ended.fetch_add(1, Ordering::SeqCst);
    })
}
