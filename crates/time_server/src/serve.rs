//! Accepting connections: capped in number, cut when their beginning is slow.

use crate::carrier::{Tcp, WebSocket, last_word};
use crate::hello::HELLO_MS;
use crate::server::{TimeServer, refuse};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use wire::time::CloseReason;

/// How long goodbyes may take after the signal to stop.
const SHUTDOWN_TIME: Duration = Duration::from_secs(5);
/// How long an HTTP request may take.
const REQUEST_TIME: Duration = Duration::from_millis(HELLO_MS.unsigned_abs());

/// Where connections come in.
#[derive(Debug)]
pub struct Doors {
    pub web: TcpListener,
    pub tcp: Option<TcpListener>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Web,
    Tcp,
}

impl TimeServer {
    /// Serves until `stop` says so; then every connection is told.
    pub async fn serve(self: Arc<Self>, doors: Doors, stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(self.max_connections));
        let web = self.accept(doors.web, Kind::Web, &places, stop.clone());
        let tcp = async {
            if let Some(listener) = doors.tcp {
                self.accept(listener, Kind::Tcp, &places, stop.clone()).await;
            }
        };
        tokio::join!(web, tcp);
        // Whoever has all places back is alone.
        let all = u32::try_from(self.max_connections).unwrap_or(u32::MAX);
        if timeout(SHUTDOWN_TIME, places.acquire_many(all)).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
    }

    async fn accept(
        self: &Arc<Self>,
        listener: TcpListener,
        kind: Kind,
        places: &Arc<Semaphore>,
        mut stop: watch::Receiver<bool>,
    ) {
        let each = stop.clone();
        loop {
            let accepted = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                accepted = listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::error!(cause = %error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            let Ok(place) = Arc::clone(places).try_acquire_owned() else {
                turn_away(&stream, kind);
                continue;
            };
            let (server, stop) = (Arc::clone(self), each.clone());
            tokio::spawn(async move {
                match kind {
                    Kind::Tcp => server.attend(Tcp::new(stream), stop).await,
                    Kind::Web => server.attend_web(stream, stop).await,
                }
                drop(place);
            });
        }
    }

    async fn attend_web(&self, stream: TcpStream, stop: watch::Receiver<bool>) {
        let accepted = timeout(REQUEST_TIME, Box::pin(WebSocket::accept(stream, &self.origins))).await;
        match accepted {
            Ok(Some((socket, Ok(())))) => self.attend(socket, stop).await,
            Ok(Some((socket, Err(reason)))) => refuse(socket, reason.into()).await,
            Ok(None) | Err(_) => {}
        }
    }
}

/// Costs no task and waits for nothing: what the socket does not take at once is lost.
fn turn_away(stream: &TcpStream, kind: Kind) {
    let word = last_word(CloseReason::Full);
    let message = match kind {
        Kind::Tcp => [&u16::try_from(word.len()).unwrap_or_default().to_be_bytes(), word.as_slice()].concat(),
        Kind::Web => b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
    };
    let _ = stream.try_write(&message);
}
