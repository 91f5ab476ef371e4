//! Accepting connections: HTTP/1.1, capped in number, slow beginnings cut.

use super::{Tls, proxy_protocol};
use crate::config::{ClientAddress, Config, Proxies};
use axum::extract::ConnectInfo;
use axum::response::Response;
use domain::identity::Identity;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use moka::sync::Cache;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tower::Service;

/// A client that takes longer than this for its headers, a proxy for its own, or either for the TLS
/// handshake, is cut off.
const HEADER_TIME: Duration = Duration::from_secs(5);
/// How long answers that have begun may take after the signal to stop.
const SHUTDOWN_TIME: Duration = Duration::from_secs(10);
/// How often the certificate's files are looked at.
const TLS_PERIOD: Duration = Duration::from_secs(10);

/// How connections are taken.
#[derive(Debug)]
pub struct Door {
    /// Connections at once, and of one address. Trusted proxies speak for many and have no cap of their own.
    max: usize,
    per_address: usize,
    v6_prefix: u8,
    proxies: Arc<Proxies>,
    tls: Option<Tls>,
}

impl Door {
    pub fn new(config: &Config, tls: Option<Tls>) -> Self {
        let settings = &config.settings;
        Self {
            max: settings.connections.max,
            per_address: settings.connections.max_per_address,
            v6_prefix: settings.ipv6_prefix,
            proxies: Arc::clone(&config.proxies),
            tls,
        }
    }
}

/// Serves until `stop` says so, then lets what has begun come to its end. A connection that cannot be
/// accepted is logged and left.
pub async fn serve<S: Answers>(listener: TcpListener, service: S, door: Door, mut stop: watch::Receiver<bool>) {
    let all = Arc::new(Semaphore::new(door.max));
    let by_address: Cache<Identity, Arc<Semaphore>> =
        Cache::builder().max_capacity(200_000).time_to_idle(Duration::from_mins(5)).build();
    let graceful = GracefulShutdown::new();
    let porch = Arc::new(Porch { door, by_address, service });
    let mut renewal = tokio::time::interval(TLS_PERIOD);
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => break,
            _ = renewal.tick() => {
                if let Some(tls) = &porch.door.tls {
                    tls.refresh();
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Closing costs less than any answer.
        let Ok(place) = Arc::clone(&all).try_acquire_owned() else { continue };
        let Some(own) = porch.own_place(peer) else { continue };
        let (porch, watcher) = (Arc::clone(&porch), graceful.watcher());
        tokio::spawn(async move {
            if let Err(error) = porch.welcome(stream, peer, watcher).await {
                tracing::debug!(%error, "a connection ended");
            }
            drop((place, own));
        });
    }
    drop(listener);
    if timeout(SHUTDOWN_TIME, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// What answers requests: an axum router, or what stands before one.
pub trait Answers:
    Service<hyper::Request<Incoming>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Answers for S where
    S: Service<hyper::Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

struct Porch<S> {
    door: Door,
    by_address: Cache<Identity, Arc<Semaphore>>,
    service: S,
}

/// A place among the connections of one address; none is counted for a trusted proxy.
type OwnPlace = Option<OwnedSemaphorePermit>;

impl<S: Answers> Porch<S> {
    fn own_place(&self, peer: SocketAddr) -> Option<OwnPlace> {
        if self.door.proxies.trusts(peer.ip()) {
            return Some(None);
        }
        let identity = Identity::of(peer.ip(), self.door.v6_prefix);
        let own = self.by_address.get_with(identity, || Arc::new(Semaphore::new(self.door.per_address)));
        own.try_acquire_owned().ok().map(Some)
    }

    async fn welcome(
        &self,
        mut stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let _ = stream.set_nodelay(true);
        let Some((peer, _own)) = timeout(HEADER_TIME, self.introduce(&mut stream, peer)).await?? else {
            return Ok(());
        };
        match &self.door.tls {
            Some(tls) => {
                let stream = timeout(HEADER_TIME, tls.acceptor().accept(stream)).await??;
                self.answer(stream, peer, watcher).await?;
            }
            None => self.answer(stream, peer, watcher).await?,
        }
        Ok(())
    }

    /// Whom a trusted proxy speaks for, where proxies say so first. `None`: that address has as many
    /// connections as it may.
    async fn introduce(&self, stream: &mut TcpStream, peer: SocketAddr) -> io::Result<Option<(SocketAddr, OwnPlace)>> {
        let proxies = &self.door.proxies;
        if proxies.client_address != ClientAddress::ProxyProtocol || !proxies.trusts(peer.ip()) {
            return Ok(Some((peer, None)));
        }
        let client = proxy_protocol::read(stream).await?.unwrap_or(peer);
        Ok(self.own_place(client).map(|own| (client, own)))
    }

    async fn answer<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: T,
        peer: SocketAddr,
        watcher: Watcher,
    ) -> hyper::Result<()> {
        let service = self.service.clone();
        let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            // It is always ready.
            service.clone().call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_buf_size(64 * 1024)
            .serve_connection(TokioIo::new(stream), service);
        watcher.watch(connection).await
    }
}
