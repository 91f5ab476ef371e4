//! The whole portal on raw bytes of HTTP/1.1, from a browser or from the proxy in front: each request gets an answer
//! with security headers and no server error, and private paths need a session.

use crate::{input, portal};
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::Service;

/// A placeholder in the corpus for the cookies of an administrator's session.
const COOKIES: &[u8] = b"{administrator}";
/// The first byte of an input that comes from the trusted proxy.
const FROM_PROXY: u8 = b'~';
const ALWAYS: [&str; 7] = [
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "x-frame-options",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
];
/// Paths that answer with 200 only to a session.
const PRIVATE: [&str; 4] = ["/api/session", "/api/sessions", "/api/keys/user", "/api/admin/"];
/// Time limit of an answer; only streams of events last longer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Checks `data`: the bytes that one connection sends. Line breaks may be bare: each becomes CR LF.
pub(crate) fn check(data: &[u8]) {
    let portal = portal::get();
    let (peer, data) = match data.split_first() {
        Some((&FROM_PROXY, rest)) => (portal::PROXY, rest),
        _ => (stranger(), data),
    };
    let signed_in = data.windows(COOKIES.len()).any(|window| window == COOKIES);
    if signed_in {
        portal.sign_in();
    }
    let bytes = filled(data, &portal.cookies());
    let changed = portal.runtime.block_on(converse(portal, peer, &bytes, signed_in));
    portal.advance(50);
    if changed {
        portal.sign_in();
    }
}

/// Returns another address for each input.
fn stranger() -> [u8; 4] {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let [_, high, middle, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    [100 + high % 100, middle, low, 7]
}

fn filled(data: &[u8], cookies: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len() + 512);
    for (number, line) in input::lines(data).enumerate() {
        if number > 0 {
            bytes.extend(b"\r\n");
        }
        let mut rest = line.strip_suffix(b"\r").unwrap_or(line);
        while let Some(at) = rest.windows(COOKIES.len()).position(|window| window == COOKIES) {
            bytes.extend(&rest[..at]);
            bytes.extend(cookies.as_bytes());
            rest = &rest[at + COOKIES.len()..];
        }
        bytes.extend(rest);
    }
    bytes
}

/// Sends the bytes over one connection, and returns whether a request may have ended the session.
async fn converse(portal: &portal::Portal, peer: [u8; 4], bytes: &[u8], signed_in: bool) -> bool {
    let (mut client, server) = tokio::io::duplex(1 << 20);
    let (service, changed) = (portal.service.clone(), AtomicBool::new(false));
    let service = service_fn(|request: Request<Incoming>| {
        let is_read = request.method().is_safe();
        changed.fetch_or(!is_read, Ordering::Relaxed);
        // The accept loop does this first.
        let answer = net::settled(request).map(|mut request| {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 40_000))));
            (request.uri().path().to_owned(), service.clone().call(request))
        });
        async move {
            let (path, answer) = match answer {
                Ok(answer) => answer,
                Err(refused) => return Ok(refused.map(Body::new)),
            };
            let Ok(answer) = answer.await;
            judge(&path, &answer, signed_in);
            Ok::<_, Infallible>(answer)
        }
    });
    let connection =
        http1::Builder::new().half_close(true).max_buf_size(64 * 1024).serve_connection(TokioIo::new(server), service);
    let talk = async {
        let _ = client.write_all(bytes).await;
        let _ = client.shutdown().await;
        let mut answers = Vec::new();
        let _ = client.read_to_end(&mut answers).await;
    };
    let both = async { tokio::join!(connection, talk) };
    let _ = tokio::time::timeout(TIMEOUT, both).await;
    changed.load(Ordering::Relaxed)
}

fn judge(path: &str, answer: &Response<Body>, signed_in: bool) {
    let (status, headers) = (answer.status(), answer.headers());
    assert!(!status.is_server_error(), "{status} for {path}: {headers:?}");
    for name in ALWAYS {
        assert!(headers.contains_key(name), "{name} is missing: {status} for {path}");
    }
    for cookie in headers.get_all(header::SET_COOKIE) {
        let cookie = cookie.to_str().expect("text");
        for part in ["HttpOnly", "Path=/", "SameSite="] {
            assert!(cookie.contains(part), "{part} is missing: {cookie}");
        }
    }
    let private = PRIVATE.iter().any(|start| path.starts_with(start));
    assert!(signed_in || !private || !status.is_success(), "{path} answers {status} to nobody");
    if status == StatusCode::TOO_MANY_REQUESTS {
        assert!(headers.contains_key(header::RETRY_AFTER), "a client is not told how long to wait");
    }
    assert!(answer.body().size_hint().lower() < 1 << 24, "an answer of many megabytes");
}
