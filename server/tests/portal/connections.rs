//! The server on a real socket: slow clients and the end.

use crate::support::Portal;
use server::connections::{self, Caps};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

struct Serving {
    address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

async fn serve(portal: &Portal, per_address: usize) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let caps = Caps { max: 1000, per_address, v6_prefix: 64 };
    let task = tokio::spawn(connections::serve(listener, portal.router.clone(), caps, stopped));
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
    let serving = serve(&portal, 100).await;
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
    let portal = Portal::start().await;
    let serving = serve(&portal, 2).await;
    let request = b"GET /robots.txt HTTP/1.1\r\nhost: localhost:3000\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(serving.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut buffer = [0; 8];
        stream.read_exact(&mut buffer).await.unwrap();
        held.push(stream);
    }
    let mut third = TcpStream::connect(serving.address).await.unwrap();
    let _ = third.write_all(request).await;
    assert_eq!(all(&mut third).await, "", "closed without an answer");
}

#[tokio::test]
async fn what_has_begun_is_answered_before_the_end() {
    let portal = Portal::start().await;
    let serving = serve(&portal, 100).await;
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    stream.write_all(b"POST /api/refresh HTTP/1.1\r\nhost: localhost:3000\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{").await.unwrap();
    // The server has the head when it takes the next connection's answer.
    let mut other = TcpStream::connect(serving.address).await.unwrap();
    other.write_all(b"GET /robots.txt HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n\r\n").await.unwrap();
    all(&mut other).await;
    serving.stop.send(true).unwrap();
    stream.write_all(b"}").await.unwrap();
    assert!(all(&mut stream).await.starts_with("HTTP/1.1 401"));
    serving.task.await.unwrap();
    assert!(TcpStream::connect(serving.address).await.is_err());
}
