//! The accept loop: from a connection to HTTP/1.1 and HTTP/2 requests, until the program stops.

use crate::body::{RequestBody, ResponseBody};
use crate::connections::{ConnectionLimits, ConnectionPermit};
use crate::meter::ConnectionMeter;
use crate::stream::PermittedStream;
use crate::{Tls, accept, proxy_protocol, target};
use futures::FutureExt;
use http::header::{CONNECTION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

/// Time limit of running requests after the signal to stop.
const SHUTDOWN_TIME: Duration = Duration::from_secs(10);
/// Interval for checking the certificate's files.
const TLS_PERIOD: Duration = Duration::from_secs(10);
/// Idle timeout of an HTTP/2 connection. HTTP/1.1 uses the time limit for headers.
const IDLE_TIME: Duration = Duration::from_mins(1);
/// Maximum number of concurrent requests on one HTTP/2 connection.
const STREAMS: u32 = 200;
/// Maximum length of all headers of a request, in bytes.
const HEADERS: usize = 64 * 1024;
/// Maximum number of reset streams that were not processed yet (CVE-2023-44487).
const RESETS: usize = 20;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The settings of accepting connections.
pub struct HttpSettings {
    pub connections: Arc<ConnectionLimits>,
    /// Time limit for a request's headers, a PROXY header, and the TLS handshake.
    pub header_time: Duration,
    /// Whether HTTP/2 is accepted without TLS, by prior knowledge (RFC 9113, section 3.3). With TLS it is offered.
    pub http2_in_clear: bool,
    /// Whether a peer's connections begin with a PROXY protocol header.
    pub speaks_proxy: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    pub tls: Option<Tls>,
    /// Bytes that are sent to a connection without a permit before it is closed. Usually empty, because closing is
    /// cheaper.
    pub when_full: &'static [u8],
    /// Whether a client that has closed its half of the connection (as `nc -N` does) still gets its answer. If so, a
    /// client that has hung up is not noticed before its answer is written: only for answers that are made at once.
    pub half_close: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Versions {
    One,
    Two,
    /// Detected by the first bytes.
    Either,
}

/// Serves until `stop` is set, then finishes running requests.
pub async fn serve<F, Fut, B>(listener: TcpListener, http: HttpSettings, answer: F, mut stop: watch::Receiver<bool>)
where
    F: Fn(SocketAddr, Request<RequestBody>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    let http = Arc::new(http);
    let mut sweep = interval(http.connections.tick());
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut renewal = interval(TLS_PERIOD);
    // Closed when the last connection has dropped its sender.
    let (alive, mut ended) = mpsc::channel::<Infallible>(1);
    let each = stop.clone();
    loop {
        let (io, peer) = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = sweep.tick() => {
                http.connections.sweep();
                continue;
            }
            _ = renewal.tick() => {
                if let Some(tls) = &http.tls {
                    tls.refresh();
                }
                continue;
            }
            accepted = accept(&listener) => accepted,
        };
        let Ok(permit) = http.connections.admit(peer.ip()) else {
            let _ = io.try_write(http.when_full);
            continue;
        };
        let (http, answer, stop, alive) = (Arc::clone(&http), answer.clone(), each.clone(), alive.clone());
        tokio::spawn(async move {
            if let Err(error) = http.serve_connection(io, peer, permit, answer, stop).await {
                tracing::debug!(cause = %error, "a connection ended");
            }
            drop(alive);
        });
    }
    drop((listener, alive));
    if timeout(SHUTDOWN_TIME, ended.recv()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

impl HttpSettings {
    /// Returns settings for HTTP/1.1 without TLS and without a PROXY header, and for answers that are made at once.
    pub fn plain(connections: Arc<ConnectionLimits>, header_time: Duration) -> Self {
        Self {
            connections,
            header_time,
            http2_in_clear: false,
            speaks_proxy: Box::new(|_| false),
            tls: None,
            when_full: b"",
            half_close: true,
        }
    }

    async fn serve_connection<F, Fut, B>(
        &self,
        io: TcpStream,
        peer: SocketAddr,
        permit: ConnectionPermit,
        answer: F,
        stop: watch::Receiver<bool>,
    ) -> Result<(), BoxError>
    where
        F: Fn(SocketAddr, Request<RequestBody>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
    {
        let meter = Arc::clone(permit.meter());
        let mut stream = PermittedStream::new(io, permit);
        let peer = timeout(self.header_time, self.read_proxy_header(&mut stream, peer)).await??;
        let Some(tls) = &self.tls else {
            let versions = if self.http2_in_clear { Versions::Either } else { Versions::One };
            return self.serve_requests(stream, versions, meter, peer, answer, stop).await;
        };
        let stream = timeout(self.header_time, tls.acceptor().accept(stream)).await??;
        let two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let versions = if two { Versions::Two } else { Versions::One };
        self.serve_requests(stream, versions, meter, peer, answer, stop).await
    }

    /// Returns the client from a PROXY header, if the peer sends one.
    async fn read_proxy_header(&self, stream: &mut PermittedStream, peer: SocketAddr) -> Result<SocketAddr, BoxError> {
        if !(self.speaks_proxy)(peer.ip()) {
            return Ok(peer);
        }
        let client = proxy_protocol::read(stream).await?.unwrap_or(peer);
        stream.permit().belongs_to(client.ip())?;
        Ok(client)
    }

    async fn serve_requests<T, F, Fut, B>(
        &self,
        stream: T,
        versions: Versions,
        meter: Arc<ConnectionMeter>,
        peer: SocketAddr,
        answer: F,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), BoxError>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Fn(SocketAddr, Request<RequestBody>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
    {
        let (counted, minimum_rate) = (Arc::clone(&meter), self.connections.minimum_rate());
        let service = service_fn(move |request: Request<Incoming>| {
            let (answer, meter) = (answer.clone(), Arc::clone(&counted));
            async move {
                let (busy, http2) = (meter.begin(), request.version() == Version::HTTP_2);
                let request = match settled(request) {
                    Ok(request) => request.map(|body| RequestBody::new(body, minimum_rate)),
                    Err(refused) => return Ok(ResponseBody::ours(refused, busy)),
                };
                // A panic ends its request only.
                let answered = AssertUnwindSafe(async { answer(peer, request).await }).catch_unwind().await;
                Ok::<_, Infallible>(match answered {
                    Ok(response) => ResponseBody::theirs(response, busy, http2),
                    Err(_) => ResponseBody::ours(broken(), busy),
                })
            }
        });
        let server = server(versions, self.header_time, self.half_close);
        let mut connection = pin!(server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned());
        let mut look = pin!(sleep(self.header_time));
        let (mut stopping, mut closing) = (false, false);
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    // An upgraded connection remains open and is not idle.
                    std::mem::forget(meter.begin());
                    return ended;
                }
                _ = stop.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = &mut look => {
                    look.as_mut().reset(Instant::now() + self.header_time);
                    match self.idle(&meter, closing) {
                        Idle::No => {}
                        Idle::Close => {
                            closing = true;
                            connection.as_mut().graceful_shutdown();
                        }
                        Idle::Cut => return Ok(()),
                    }
                }
            }
        }
    }

    /// Returns the idle limit. HTTP/1.1 closes idle connections by its header timeout, but not before their first byte.
    /// HTTP/2 has no such timeout, and neither has a connection of unknown version.
    fn idle(&self, meter: &ConnectionMeter, closing: bool) -> Idle {
        let Some((since, ever)) = meter.idle() else { return Idle::No };
        let idle = Duration::from_millis(meter.now().saturating_sub(since));
        let most = if ever { IDLE_TIME } else { self.header_time / 2 };
        match idle {
            idle if closing && idle >= most + self.connections.minimum_rate().stall => Idle::Cut,
            idle if !closing && idle >= most => Idle::Close,
            _ => Idle::No,
        }
    }
}

enum Idle {
    No,
    Close,
    Cut,
}

fn server(versions: Versions, header_time: Duration, half_close: bool) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_time)
        .max_buf_size(HEADERS)
        .half_close(half_close);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEADERS).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS)
        .max_send_buf_size(HEADERS)
        .keep_alive_interval(Some(Duration::from_secs(30)));
    match versions {
        Versions::One => server.http1_only(),
        Versions::Two => server.http2_only(),
        Versions::Either => server,
    }
}

/// Normalises target and host of a request, as the accept loop does before a request is answered.
///
/// # Errors
/// The answer to a request whose target, host or length is ambiguous: 400.
#[expect(clippy::result_large_err, reason = "the answer is written at once, and boxing it allocates")]
pub fn settled<B>(request: Request<B>) -> Result<Request<B>, Response<Full<Bytes>>> {
    let (mut parts, body) = request.into_parts();
    target::settle(&mut parts).map_err(refuse)?;
    Ok(Request::from_parts(parts, body))
}

fn refuse(why: target::InvalidTarget) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{why}\n")));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The end of this request may be ambiguous, too.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn broken() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Http({:?}, {:?})", self.connections, self.tls)
    }
}
