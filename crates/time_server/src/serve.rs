//! Accepts connections, by the crate `net`, with a maximum number and deadlines for the start.

use crate::carrier::{Tcp, WebSocket, closing_message};
use crate::connection::refuse;
use crate::hello::HELLO_MS;
use crate::server::TimeServer;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Bytes;
use net::{HttpSettings, PermittedStream, RequestBody};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use wire::time::CloseReason;

/// Time limit for connections to close after the signal to stop.
const SHUTDOWN_TIME: Duration = Duration::from_secs(5);
/// Time limit for an HTTP request.
const REQUEST_TIME: Duration = Duration::from_millis(HELLO_MS.unsigned_abs());
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The listeners.
#[derive(Debug)]
pub struct Listeners {
    pub web: TcpListener,
    pub tcp: Option<TcpListener>,
}

impl TimeServer {
    /// Serves until `stop` is set, then closes every connection with a reason.
    pub async fn serve(self: Arc<Self>, listeners: Listeners, stop: watch::Receiver<bool>) {
        let web = self.accept_web(listeners.web, stop.clone());
        let tcp = async {
            if let Some(listener) = listeners.tcp {
                self.accept_tcp(listener, stop.clone()).await;
            }
        };
        tokio::select! {
            _ = async { tokio::join!(web, tcp) } => {}
            () = self.watch_revocations() => {}
        }
        if timeout(SHUTDOWN_TIME, self.connections.all_free()).await.is_err() {
            tracing::warn!("some connections did not close in time");
        }
    }

    async fn accept_tcp(self: &Arc<Self>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let each = stop.clone();
        loop {
            let (io, peer) = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                accepted = net::accept(&listener) => accepted,
            };
            let Ok(permit) = self.connections.admit(peer.ip()) else {
                turn_away(&io);
                continue;
            };
            let (server, stop, busy) = (Arc::clone(self), each.clone(), permit.busy());
            tokio::spawn(async move {
                server.serve_connection(Tcp::new(PermittedStream::new(io, permit)), stop).await;
                drop(busy);
            });
        }
    }

    async fn accept_web(self: &Arc<Self>, listener: TcpListener, stop: watch::Receiver<bool>) {
        let http = HttpSettings { when_full: FULL, ..HttpSettings::plain(Arc::clone(&self.connections), REQUEST_TIME) };
        let (server, each) = (Arc::clone(self), stop.clone());
        let answer = move |_: SocketAddr, request: Request<RequestBody>| {
            let response = server.upgrade(request, each.clone());
            async move { response }
        };
        net::serve(listener, http, answer, stop).await;
    }

    /// Answers the HTTP request and serves the resulting connection.
    fn upgrade(self: &Arc<Self>, request: Request<RequestBody>, stop: watch::Receiver<bool>) -> Response<Empty<Bytes>> {
        let (response, upgrade) = match WebSocket::accept(request, &self.origins) {
            Ok(accepted) => accepted,
            Err(status) => return refused(status),
        };
        let server = Arc::clone(self);
        tokio::spawn(async move {
            match timeout(REQUEST_TIME, upgrade).await {
                Ok(Some((socket, Ok(())))) => server.serve_connection(socket, stop).await,
                Ok(Some((socket, Err(reason)))) => refuse(socket, reason.into()).await,
                Ok(None) | Err(_) => {}
            }
        });
        response
    }
}

fn refused(status: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    response
}

/// Sends a refusal. Uses no task and does not wait: bytes that the socket does not accept at once are lost.
fn turn_away(io: &TcpStream) {
    let word = closing_message(CloseReason::Full);
    let message = [&u16::try_from(word.len()).unwrap_or_default().to_be_bytes(), word.as_slice()].concat();
    let _ = io.try_write(&message);
}
