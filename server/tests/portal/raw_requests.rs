//! Request lines that no browser sends, on every listener: each gets a plain answer, and none causes an error.

use crate::support::Portal;
use server::connections::{self, MainListener};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Returns the whole answer; empty if the connection was closed without one.
async fn ask(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    // A complete request is answered by a server that closes. After an incomplete one the client closes.
    if !String::from_utf8_lossy(bytes).contains("connection: close") {
        let _ = stream.shutdown().await;
    }
    let mut text = Vec::new();
    let _ = timeout(TIMEOUT, stream.read_to_end(&mut text)).await.expect("an end");
    String::from_utf8_lossy(&text).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// Returns requests that every listener refuses.
fn refused() -> Vec<Vec<u8>> {
    let lines: [&[u8]; 13] = [
        b"GET localhost:3000 HTTP/1.1\r\nhost: localhost:3000\r\n\r\n",
        b"POST localhost:3000 HTTP/1.1\r\nhost: localhost:3000\r\ncontent-length: 0\r\n\r\n",
        b"CONNECT localhost:3000 HTTP/1.1\r\nhost: localhost:3000\r\n\r\n",
        b"CONNECT / HTTP/1.1\r\nhost: localhost:3000\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: localhost:3000\r\n\r\n",
        b"GET * HTTP/1.1\r\nhost: localhost:3000\r\n\r\n",
        b"GET http://elsewhere.example/ HTTP/1.1\r\nhost: localhost:3000\r\n\r\n",
        b"GET ftp://localhost:3000/ HTTP/1.1\r\nhost: localhost:3000\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost:\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost:3000\r\nhost: localhost:3000\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost:3000\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost:3000\r\ntransfer-encoding: identity\r\n\r\n",
    ];
    lines.map(<[u8]>::to_vec).to_vec()
}

/// Returns requests that may be served or refused, but must cause no error.
fn odd() -> Vec<Vec<u8>> {
    let targets: [&[u8]; 18] = [
        b"//",
        b"//evil.example/",
        b"/%00",
        b"/%",
        b"/%zz",
        b"/%ff%fe",
        b"/../..",
        b"/.",
        b"?",
        b"?x=1",
        b"/?",
        b"/#x",
        b"/\xe9",
        b"/\xff\xfe",
        b"/login?next=//evil.example",
        b"/login/%2e%2e/dashboard",
        b"\\",
        b"/a b",
    ];
    let mut all: Vec<_> = targets
        .iter()
        .map(|target| [b"GET ", *target, b" HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n"].concat())
        .collect();
    for length in [8_000, 60_000, 100_000] {
        all.push(
            format!("GET /{} HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n", "a".repeat(length)).into(),
        );
    }
    all.extend([
        // `Transfer-Encoding` overrides `Content-Length` (RFC 9112, section 6.3).
        b"POST / HTTP/1.1\r\nhost: localhost:3000\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n"
            .to_vec(),
        b"GET /\r\n\r\n".to_vec(),
        b"GET / HTTP/1.0\r\n\r\n".to_vec(),
        b"GET / HTTP/3.0\r\nhost: localhost:3000\r\n\r\n".to_vec(),
        b"GET  / HTTP/1.1\r\nhost: localhost:3000\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nhost : localhost:3000\r\n\r\n".to_vec(),
        b"\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
    ]);
    all
}

async fn listeners(portal: &Portal) -> [(&'static str, SocketAddr, watch::Sender<bool>); 2] {
    let (main, operator) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let addresses = [main.local_addr().unwrap(), operator.local_addr().unwrap()];
    let (stop, stopped) = watch::channel(false);
    let main_listener = MainListener::new(&portal.state.config, None);
    tokio::spawn(connections::serve(main, portal.router.clone(), main_listener, stopped));
    tokio::spawn(server::ops_listener::listener::serve(
        operator,
        server::ops_listener::listener::router(portal.state.clone()),
    ));
    [("portal", addresses[0], stop.clone()), ("operator", addresses[1], stop)]
}

#[tokio::test]
async fn targets_without_a_path_and_unclear_requests_are_refused() {
    let portal = Portal::start().await;
    for (name, address, _stop) in listeners(&portal).await {
        for request in refused() {
            let answer = ask(address, &request).await;
            assert_eq!(status(&answer), 400, "{name}: {} gave {answer}", String::from_utf8_lossy(&request));
        }
    }
}

#[tokio::test]
async fn nothing_odd_breaks_a_page() {
    let portal = Portal::start().await;
    for (name, address, _stop) in listeners(&portal).await {
        for request in odd() {
            let answer = ask(address, &request).await;
            let status = status(&answer);
            let shown = String::from_utf8_lossy(&request[..request.len().min(80)]).into_owned();
            // A client that begins with HTTP/2 is refused in HTTP/2.
            let served = !answer.starts_with("HTTP/1") || (200..500).contains(&status) || status == 505;
            assert!(served, "{name}: {shown} gave {answer}");
        }
    }
}

#[tokio::test]
async fn the_absolute_form_of_our_own_host_is_served() {
    let portal = Portal::start().await;
    let [(_, address, _stop), _] = listeners(&portal).await;
    for target in ["http://localhost:3000/.well-known/jwks.json", "/.well-known/jwks.json"] {
        let request = format!("GET {target} HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n");
        assert_eq!(status(&ask(address, request.as_bytes()).await), 200, "{target}");
    }
}

/// Returns requests with headers that no client sends, or sends twice.
fn odd_headers() -> Vec<Vec<u8>> {
    let long = "a".repeat(12_000);
    let many = (0..60).map(|n| format!("x-{n}: {n}\r\n")).collect::<Vec<_>>().concat();
    let lines: [&[u8]; 20] = [
        b"cookie: \xff\xfe=\x80; __Host-postern-access=\xe9; __Host-postern-app=\xe9\r\n",
        b"cookie: =; ;;; =;__Host-postern-access\r\ncookie: __Host-postern-access=\r\n",
        b"authorization: Bearer \xff\xfe\r\n",
        b"authorization: \xff\r\n",
        b"authorization: DPoP x\r\nauthorization: Bearer x\r\n",
        b"dpop: \xff\r\ndpop: a.b.c\r\nauthorization: DPoP a.b.c\r\n",
        b"x-forwarded-for: \xff\xfe\r\nx-forwarded-for: 1.2.3.4, unknown\r\nforwarded: for=\xff\r\n",
        b"x-forwarded-host: \xff\r\nx-forwarded-uri: \xff\xfe\r\nx-forwarded-proto: \xff\r\nx-forwarded-method: \xff\r\n",
        b"x-forwarded-host: a\r\nx-forwarded-host: b\r\nx-forwarded-uri: /\r\nx-forwarded-uri: /\r\n",
        b"content-type: \xff\r\ncontent-type: application/json\r\n",
        b"accept: \xff\r\naccept: text/html\r\naccept-encoding: \xff, br;q=9\r\naccept-language: \xff\r\n",
        b"origin: \xff\r\norigin: null\r\nsec-fetch-site: \xff\r\nsec-fetch-mode: \xff\r\nreferer: \xff\r\n",
        b"sec-fetch-mode: navigate\r\nsec-fetch-dest: iframe\r\nsec-fetch-site: none\r\naccept: text/html\r\n",
        b"if-none-match: \xff, *, \"\"\r\nif-modified-since: \xff\r\nrange: bytes=9-1, \xff\r\n",
        b"expect: \xff\r\nupgrade: websocket\r\nte: \xff\r\n",
        b"user-agent: \xff\xfe\r\nx-request-id: \xff\r\ntraceparent: \xff\r\n",
        b"x-http-method-override: DELETE\r\nx-http-method-override: \xff\r\n",
        b"last-event-id: \xff\r\npostern-page: \xff\r\n",
        b"content-length: 1\r\ncontent-length: 2\r\n",
        b"content-encoding: gzip\r\n",
    ];
    let mut all: Vec<_> = lines.map(<[u8]>::to_vec).to_vec();
    all.extend(
        [format!("cookie: x={long}\r\n"), format!("authorization: Bearer {long}\r\n"), many].map(String::into_bytes),
    );
    all
}

#[tokio::test]
async fn no_route_fails_for_what_stands_in_a_header() {
    // The address of this test is a trusted proxy, so that the headers of proxies are read as well.
    let portal =
        Portal::with("trusted_proxies = ['127.0.0.1']\n[[apps]]\nname = 'wiki'\norigin = 'https://wiki.example.com'")
            .await;
    let [(_, address, _stop), _] = listeners(&portal).await;
    let document: serde_json::Value = serde_json::from_str(server::openapi::document().unwrap()).unwrap();
    let described = document["paths"].as_object().unwrap().keys().cloned();
    let pages = leptos_axum::generate_route_list(app::App).into_iter().map(|page| page.path().to_owned());
    let mut asked = 0;
    for path in described.chain(pages).map(|path| path.replace(['{', '}'], "")) {
        for (number, headers) in odd_headers().iter().enumerate() {
            let method = if number % 2 == 0 { "GET" } else { "POST" };
            for (host, target) in [
                ("localhost:3000", path.clone()),
                ("wiki.example.com", format!("http://wiki.example.com{path}?\u{e9}=%ff")),
            ] {
                let line = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
                let answer = ask(address, &[line.as_bytes(), headers, b"\r\n"].concat()).await;
                let shown = format!("{line}{}", String::from_utf8_lossy(&headers[..headers.len().min(100)]));
                assert!((200..500).contains(&status(&answer)), "{shown} gave {answer}");
                asked += 1;
            }
        }
    }
    assert!(asked > 3000, "{asked}");
}
