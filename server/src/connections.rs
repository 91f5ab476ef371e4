//! Accepting connections: HTTP/1.1, capped in number, slow headers cut.

use axum::Router;
use axum::extract::ConnectInfo;
use domain::identity::Identity;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use moka::sync::Cache;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::{Service, ServiceExt};

/// A client that takes longer than this to send its headers is cut off.
const HEADER_TIME: Duration = Duration::from_secs(5);
/// How long answers that have begun may take after the signal to stop.
const SHUTDOWN_TIME: Duration = Duration::from_secs(10);

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    pub max: usize,
    pub per_address: usize,
    pub v6_prefix: u8,
}

/// Serves until `stop` says so, then lets what has begun come to its end.
///
/// # Errors
/// None that ends the loop: a connection that cannot be accepted is logged and left.
pub async fn serve(listener: TcpListener, router: Router, caps: Caps, mut stop: watch::Receiver<bool>) {
    let all = Arc::new(Semaphore::new(caps.max));
    let by_address: Cache<Identity, Arc<Semaphore>> =
        Cache::builder().max_capacity(200_000).time_to_idle(Duration::from_mins(5)).build();
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => break,
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
        let own =
            by_address.get_with(Identity::of(peer.ip(), caps.v6_prefix), || Arc::new(Semaphore::new(caps.per_address)));
        let (Ok(place), Ok(own_place)) = (Arc::clone(&all).try_acquire_owned(), own.try_acquire_owned()) else {
            // Closing costs less than any answer.
            continue;
        };
        let connection = graceful.watch(connection(stream, peer, router.clone()));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
            drop((place, own_place));
        });
    }
    drop(listener);
    if tokio::time::timeout(SHUTDOWN_TIME, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

type Connection<S> = http1::Connection<TokioIo<TcpStream>, S>;

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> Connection<
    impl hyper::service::Service<
        hyper::Request<hyper::body::Incoming>,
        Response = axum::response::Response,
        Error = std::convert::Infallible,
        Future: Send,
    >,
> {
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut router = router.clone();
        async move {
            // A router is always ready.
            let router = ServiceExt::<hyper::Request<hyper::body::Incoming>>::ready(&mut router).await?;
            router.call(request).await
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
}
