//! Clients that are slow, quiet or greedy, on real sockets.
#![expect(clippy::unwrap_used, reason = "a test that fails says so")]

use futures::channel::mpsc;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use net::{ConnectionLimits, ConnectionSettings, HttpSettings, MinimumRate, RequestBody};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// Time limit of each step; a test that reaches it has failed.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Number of bytes that exceeds the buffers of two sockets.
const LARGE: usize = 16 << 20;

const STALL: Duration = Duration::from_millis(500);

type Chunks = mpsc::UnboundedReceiver<Result<Frame<Bytes>, Infallible>>;

struct Serving {
    address: SocketAddr,
    connections: Arc<ConnectionLimits>,
    /// The next frames of `/quiet`.
    say: mpsc::UnboundedSender<Result<Frame<Bytes>, Infallible>>,
    _stop: watch::Sender<bool>,
}

/// Starts a server that cuts after `stall`: `/large` sends 16 MiB in one piece, `/quiet` sends the frames of the test,
/// and anything else answers with the number of bytes that it read, or 408.
async fn serve(max: usize, stall: Duration) -> Serving {
    let minimum_rate = MinimumRate { stall, min_rate: 256 };
    let connections = ConnectionLimits::new(
        ConnectionSettings { max, per_address: None, v6_prefix: 64, minimum_rate },
        Box::new(|_| false),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let http = HttpSettings {
        connections: Arc::clone(&connections),
        header_time: Duration::from_secs(5),
        http2_in_clear: true,
        speaks_proxy: Box::new(|_| false),
        tls: None,
        when_full: b"",
        half_close: false,
    };
    let (say, chunks) = mpsc::unbounded();
    let chunks = Arc::new(parking_lot::Mutex::new(Some(chunks)));
    let answer = move |_: SocketAddr, request: Request<RequestBody>| {
        let chunks = Arc::clone(&chunks);
        async move {
            let (status, body): (u16, Chunks) = match request.uri().path() {
                "/quiet" => (200, chunks.lock().take().unwrap()),
                "/large" => (200, once(Bytes::from(vec![b'x'; LARGE]))),
                _ => match request.into_body().collect().await {
                    Ok(body) => (200, once(body.to_bytes().len().to_string().into())),
                    Err(_) => (408, once(Bytes::new())),
                },
            };
            Response::builder().status(status).body(StreamBody::new(body)).unwrap()
        }
    };
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(net::serve(listener, http, answer, stopped));
    Serving { address, connections, say, _stop: stop }
}

fn once(bytes: Bytes) -> Chunks {
    let (sender, receiver) = mpsc::unbounded();
    sender.unbounded_send(Ok(Frame::data(bytes))).unwrap();
    receiver
}

async fn connect(to: SocketAddr, from: [u8; 4]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

async fn ask(stream: &mut TcpStream, path: &str) {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let serving = serve(10, STALL).await;
    let mut stream = connect(serving.address, [127, 0, 0, 1]).await;
    ask(&mut stream, "/large").await;
    timeout(TIMEOUT, stream.ready(Interest::ERROR)).await.expect("cut").unwrap();
    timeout(TIMEOUT, serving.connections.all_free()).await.expect("its place is free");
}

#[tokio::test]
async fn a_client_that_reads_a_byte_now_and_then_is_cut() {
    let serving = serve(10, STALL).await;
    let mut stream = connect(serving.address, [127, 0, 0, 1]).await;
    ask(&mut stream, "/large").await;
    let mut pause = tokio::time::interval(Duration::from_millis(100));
    let trickle = async {
        loop {
            tokio::select! {
                _ = stream.ready(Interest::ERROR) => return,
                _ = pause.tick() => drop(stream.try_read(&mut [0; 1])),
            }
        }
    };
    timeout(TIMEOUT, trickle).await.expect("cut");
}

#[tokio::test]
async fn a_quiet_stream_is_legal() {
    let serving = serve(10, STALL).await;
    let mut stream = connect(serving.address, [127, 0, 0, 1]).await;
    ask(&mut stream, "/quiet").await;
    let mut word = [0; 4];
    let mut text = String::new();
    for said in ["tick", "tock"] {
        // Four times as long as a client may keep us waiting.
        tokio::time::sleep(Duration::from_secs(2)).await;
        serving.say.unbounded_send(Ok(Frame::data(said.into()))).unwrap();
        while !text.contains(said) {
            let read = timeout(TIMEOUT, stream.read(&mut word)).await.unwrap().unwrap();
            assert!(read > 0, "{text}");
            text.push_str(std::str::from_utf8(&word[..read]).unwrap());
        }
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_fails_and_one_that_does_is_read() {
    let serving = serve(10, STALL).await;
    let head = "POST /x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 1000\r\n\r\n";
    let (mut slow, mut fast) =
        (connect(serving.address, [127, 0, 0, 1]).await, connect(serving.address, [127, 0, 0, 1]).await);
    slow.write_all(head.as_bytes()).await.unwrap();
    fast.write_all(head.as_bytes()).await.unwrap();
    fast.write_all(&[b'x'; 1000]).await.unwrap();
    let mut text = String::new();
    timeout(TIMEOUT, fast.read_to_string(&mut text)).await.unwrap().unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("1000"), "{text}");
    text.clear();
    timeout(TIMEOUT, slow.read_to_string(&mut text)).await.unwrap().unwrap();
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
}

#[tokio::test]
async fn a_shut_window_of_http2_is_cut_and_an_open_one_is_served() {
    let serving = serve(10, STALL).await;
    for (window, served) in [(1 << 20, true), (100, false)] {
        let stream = TcpStream::connect(serving.address).await.unwrap();
        let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(window)
            .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::get("http://localhost/large").version(Version::HTTP_2).body(Empty::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
        if served {
            let mut body = response.into_body();
            let mut bytes = 0;
            while let Some(frame) = body.frame().await {
                bytes += frame.unwrap().into_data().map_or(0, |data| data.len());
                if bytes >= LARGE {
                    break;
                }
            }
            assert_eq!(bytes, LARGE);
        } else {
            // Not read: the stream's window stays closed, whatever the connection's own is.
            timeout(TIMEOUT, serving.connections.all_free()).await.expect("cut");
        }
        drop(sender);
        connection.abort();
    }
}

#[tokio::test]
async fn seventeen_slow_addresses_do_not_keep_anybody_out() {
    let serving = serve(34, TIMEOUT).await;
    let mut slow = Vec::new();
    for host in 2..19 {
        for _ in 0..2 {
            let mut stream = connect(serving.address, [127, 0, 0, host]).await;
            ask(&mut stream, "/large").await;
            let mut begun = [0; 1];
            stream.read_exact(&mut begun).await.unwrap();
            slow.push(stream);
        }
    }
    assert_eq!(serving.connections.taken(), 34);
    for host in [100, 101, 102] {
        let mut innocent = connect(serving.address, [127, 0, 0, host]).await;
        innocent.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        let _ = timeout(TIMEOUT, innocent.read_to_string(&mut text)).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{host}: {text}");
    }
}
