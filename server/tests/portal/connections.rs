//! The server on a real socket: slow clients, proxies, certificates and shutdown.

use crate::support::Portal;
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::connections::{self, MainListener, Tls};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

struct Serving {
    address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

async fn serve(portal: &Portal) -> Serving {
    serve_with(portal, None).await
}

async fn serve_with(portal: &Portal, tls: Option<Tls>) -> Serving {
    let listener = TcpListener::bind((testkit::own_loopback(), 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let main_listener = MainListener::new(&portal.state.config, tls);
    let task = tokio::spawn(connections::serve(listener, portal.router.clone(), main_listener, stopped));
    Serving { address, stop, task }
}

async fn all(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn slow_headers_and_slow_bodies_are_cut_at_five_seconds() {
    let portal = Portal::start().await;
    let serving = serve(&portal).await;
    let head = "POST /api/login HTTP/1.1\r\nhost: localhost:3000\r\ncontent-type: application/json\r\n";
    let slow_header = async {
        let mut stream = TcpStream::connect(serving.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        all(&mut stream).await
    };
    let slow_body = async {
        let mut stream = TcpStream::connect(serving.address).await.unwrap();
        stream.write_all(format!("{head}connection: close\r\ncontent-length: 100\r\n\r\n{{").as_bytes()).await.unwrap();
        all(&mut stream).await
    };
    let began = Instant::now();
    let (header, body) = tokio::join!(slow_header, slow_body);
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(4) && took < Duration::from_secs(20), "{took:?}");
    assert!(!header.contains("200"), "{header}");
    assert!(body.starts_with("HTTP/1.1 408"), "{body}");
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let portal = Portal::with("[connections]\nmax_per_address = 2").await;
    let serving = serve(&portal).await;
    let request = b"GET /robots.txt HTTP/1.1\r\nhost: localhost:3000\r\n\r\n";
    let unfinished = b"POST /api/refresh HTTP/1.1\r\nhost: localhost:3000\r\nexpect: 100-continue\r\n\
        content-type: application/json\r\ncontent-length: 2\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(serving.address).await.unwrap();
        stream.write_all(unfinished).await.unwrap();
        let mut buffer = [0; 12];
        stream.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"HTTP/1.1 100", "the request has begun");
        held.push(stream);
    }
    let mut third = TcpStream::connect(serving.address).await.unwrap();
    let _ = third.write_all(request).await;
    assert_eq!(all(&mut third).await, "", "closed without an answer");
}

/// An office or a school behind one address: nobody is refused for connections that others have finished with.
#[tokio::test]
async fn idle_connections_of_an_address_make_room_for_its_next_person() {
    let portal = Portal::with("[connections]\nmax_per_address = 2").await;
    let serving = serve(&portal).await;
    let request = b"GET /robots.txt HTTP/1.1\r\nhost: localhost:3000\r\n\r\n";
    let mut held = Vec::new();
    for person in 0..10 {
        let mut stream = TcpStream::connect(serving.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut buffer = [0; 8];
        stream.read_exact(&mut buffer).await.unwrap_or_else(|error| panic!("person {person}: {error}"));
        assert_eq!(&buffer, b"HTTP/1.1");
        held.push(stream);
    }
}

#[tokio::test]
async fn open_requests_are_answered_before_the_end() {
    let portal = Portal::start().await;
    let serving = serve(&portal).await;
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    stream.write_all(b"POST /api/refresh HTTP/1.1\r\nhost: localhost:3000\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{").await.unwrap();
    // The server has read the head of the first request when it answers the next connection.
    let mut other = TcpStream::connect(serving.address).await.unwrap();
    other.write_all(b"GET /robots.txt HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n").await.unwrap();
    all(&mut other).await;
    serving.stop.send(true).unwrap();
    stream.write_all(b"}").await.unwrap();
    assert!(all(&mut stream).await.starts_with("HTTP/1.1 401"));
    serving.task.await.unwrap();
    assert!(TcpStream::connect(serving.address).await.is_err());
}

/// Returns the client keys that the server saw, by the ban that a forged `short_key` causes.
async fn banned(portal: &Portal) -> Vec<String> {
    let bans = portal.store().active_bans(portal.state.now()).await.unwrap();
    let mut client_keys: Vec<_> = bans.iter().map(|ban| ban.client_key.to_string()).collect();
    client_keys.sort();
    client_keys
}

fn forged() -> String {
    let body = r#"{"encrypted_username_password":"x","short_key":"forged","delivery":"body"}"#;
    format!(
        "POST /api/login HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn ask(serving: &Serving, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    all(&mut stream).await
}

#[tokio::test]
async fn a_trusted_proxy_says_first_whom_it_speaks_for() {
    let portal = Portal::with("trusted_proxies = ['127.0.0.1']\nclient_address = 'proxy-protocol'").await;
    let serving = serve(&portal).await;
    let first = ask(&serving, format!("PROXY TCP4 203.0.113.7 127.0.0.1 4711 443\r\n{}", forged()).as_bytes()).await;
    assert!(first.starts_with("HTTP/1.1 403"), "{first}");
    let mut second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x08\x7f\0\0\x01\x12\x67\x01\xbb".to_vec();
    second.extend(forged().as_bytes());
    assert!(ask(&serving, &second).await.starts_with("HTTP/1.1 403"));
    assert_eq!(banned(&portal).await, ["203.0.113.7", "203.0.113.8"]);
    assert_eq!(ask(&serving, forged().as_bytes()).await, "", "without its header a proxy is cut off");
}

#[tokio::test]
async fn a_stranger_cannot_speak_for_others() {
    let portal = Portal::with("trusted_proxies = ['192.0.2.1']\nclient_address = 'proxy-protocol'").await;
    let serving = serve(&portal).await;
    let lie = ask(&serving, format!("PROXY TCP4 203.0.113.7 127.0.0.1 4711 443\r\n{}", forged()).as_bytes()).await;
    assert!(lie.starts_with("HTTP/1.1 400"), "{lie}");
    assert!(banned(&portal).await.is_empty());
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let files = [folder.path().join("certificate.pem"), folder.path().join("key.pem")];
    let write = |name: &str| {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        std::fs::write(&files[0], made.cert.pem()).unwrap();
        std::fs::write(&files[1], made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    };
    let portal = Portal::start().await;
    let old = write("old.example");
    let tls = Tls::load(&files[0], &files[1]).unwrap();
    let serving = serve_with(&portal, Some(tls.clone())).await;
    assert!(shows(&serving, "old.example", &old).await);

    std::fs::write(&files[0], "no certificate").unwrap();
    tls.refresh();
    assert!(shows(&serving, "old.example", &old).await, "what cannot be used changes nothing");
    let new = write("new.example");
    // Later than the resolution of the file system's timestamps.
    let later = std::fs::metadata(&files[0]).unwrap().modified().unwrap() + Duration::from_secs(2);
    std::fs::File::options().write(true).open(&files[0]).unwrap().set_modified(later).unwrap();
    tls.refresh();
    assert!(shows(&serving, "new.example", &new).await);
    assert!(!shows(&serving, "old.example", &old).await);

    assert_eq!(
        ask(&serving, b"GET /.well-known/jwks.json HTTP/1.1\r\n\r\n").await.find("200"),
        None,
        "plain http is no TLS"
    );
    assert!(Tls::load(&folder.path().join("none.pem"), &files[1]).is_err());
    assert!(Tls::load(&files[0], &files[0]).is_err());
}

/// Whether the server presents this certificate, to a client that trusts no other.
async fn shows(serving: &Serving, name: &'static str, certificate: &CertificateDer<'static>) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(serving.address).await.unwrap();
    let name = ServerName::try_from(name).unwrap();
    let Ok(mut stream) = TlsConnector::from(Arc::new(config)).connect(name, stream).await else { return false };
    stream
        .write_all(b"GET /.well-known/jwks.json HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text).await;
    text.starts_with("HTTP/1.1 200")
}

/// HTTP/2 by ALPN over our own TLS.
#[tokio::test]
async fn own_tls_speaks_http2_and_plain_http_leads_there() {
    let folder = tempfile::tempdir().unwrap();
    let files = [folder.path().join("certificate.pem"), folder.path().join("key.pem")];
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&files[0], made.cert.pem()).unwrap();
    std::fs::write(&files[1], made.signing_key.serialize_pem()).unwrap();
    let settings = format!(
        "public_url = 'https://localhost'\n[tls]\ncertificate = '{}'\nkey = '{}'\nredirect_http = '127.0.0.1:0'",
        files[0].display(),
        files[1].display()
    );
    let portal = Portal::with(&settings).await;
    let tls = Tls::load(&files[0], &files[1]).unwrap();
    let serving = serve_with(&portal, Some(tls)).await;
    for (offered, chosen) in [(vec!["h2", "http/1.1"], "h2"), (vec!["http/1.1"], "http/1.1")] {
        let mut stream = tls_to(&serving, made.cert.der(), &offered).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(chosen.as_bytes()));
        if chosen != "h2" {
            stream.write_all(b"GET /login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
            let mut text = Vec::new();
            let _ = stream.read_to_end(&mut text).await;
            assert!(text.starts_with(b"HTTP/1.1 200"));
            continue;
        }
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        for (path, status) in [("/login", 200), ("/.well-known/jwks.json", 200), ("/api/session", 401)] {
            let request = http::Request::get(format!("https://localhost{path}"))
                .header("cookie", "a=1")
                .header("cookie", "b=2")
                .body(String::new())
                .unwrap();
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), status, "{path}");
            assert!(response.headers().contains_key("strict-transport-security"), "{path}");
        }
        connection.abort();
    }

    let listener = connections::bind_redirect(&portal.state.config).await.unwrap().unwrap();
    let plain = Serving { address: listener.local_addr().unwrap(), ..serve(&portal).await };
    let (state, stopped) = (portal.state.clone(), plain.stop.subscribe());
    tokio::spawn(async move { connections::serve_redirect(listener, &state.config, stopped).await });
    let led = ask(&plain, b"GET /login?next=/x HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n").await;
    assert!(led.starts_with("HTTP/1.1 308") && led.contains("location: https://localhost/login?next=/x\r\n"), "{led}");
    let form =
        ask(&plain, b"POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    assert!(form.starts_with("HTTP/1.1 405"), "{form}");
}

async fn tls_to(
    serving: &Serving,
    certificate: &CertificateDer<'static>,
    offered: &[&str],
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(serving.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}
