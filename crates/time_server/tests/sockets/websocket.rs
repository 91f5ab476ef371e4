//! The same protocol in WebSocket frames.

use crate::support::{Person, World, hello};
use channel::client::{ServerMessage, refusal};
use futures::{SinkExt, StreamExt};
use http::{HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use wire::time::{CloseReason, SUBPROTOCOL};

type Socket = WebSocketStream<TcpStream>;

async fn connect(world: &World, path: &str, headers: &[(&'static str, &'static str)]) -> Result<Socket, StatusCode> {
    let mut request = format!("ws://{}{path}", world.web).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_static(value));
    }
    let stream = TcpStream::connect(world.web).await.unwrap();
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status()),
        Err(other) => panic!("{other}"),
    }
}

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", SUBPROTOCOL);
const OWN: (&str, &str) = ("origin", "http://localhost:3000");

async fn message(socket: &mut Socket) -> Vec<u8> {
    socket.next().await.unwrap().unwrap().into_data().to_vec()
}

/// Returns code and reason of the close frame.
async fn close(socket: &mut Socket) -> (u16, String) {
    match socket.next().await.unwrap().unwrap() {
        Message::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_and_a_program_talk_and_say_goodbye() {
    let (world, ada) = (World::start().await, Person::new("ada"));
    for headers in [[PROTOCOL, OWN].as_slice(), &[PROTOCOL]] {
        let mut socket = connect(&world, "/time", headers).await.unwrap();
        let greeting = message(&mut socket).await;
        let (hello, mut conversation) = hello(&greeting, &ada, &world.ticket(&ada));
        socket.send(Message::text(hello)).await.unwrap();
        for _ in 0..3 {
            socket.send(Message::binary(conversation.ask(0).unwrap())).await.unwrap();
            let Ok(ServerMessage::Time(_)) = conversation.decode(&message(&mut socket).await, 0) else {
                panic!("no time")
            };
        }
        socket.send(Message::Ping(b"still there?".as_slice().into())).await.unwrap();
        assert!(matches!(socket.next().await.unwrap().unwrap(), Message::Pong(_)));
        socket.send(Message::binary(conversation.exit().unwrap())).await.unwrap();
        let last = conversation.decode(&message(&mut socket).await, 0);
        assert_eq!(last, Ok(ServerMessage::Closed(CloseReason::Goodbye)));
        assert_eq!(close(&mut socket).await, (1000, "goodbye".to_owned()));
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_before_the_hello() {
    let world = World::start().await;
    for origin in ["http://localhost:3001", "https://localhost:3000", "null", "http://localhost:3000.evil.example"] {
        let mut socket = connect(&world, "/time", &[PROTOCOL, ("origin", origin)]).await.unwrap();
        assert_eq!(refusal(&message(&mut socket).await), Some(CloseReason::BadOrigin), "{origin}");
        assert_eq!(close(&mut socket).await.1, "bad_origin");
    }
}

#[tokio::test]
async fn other_paths_and_protocols_are_no_websockets() {
    let world = World::start().await;
    assert_eq!(connect(&world, "/", &[PROTOCOL]).await.err(), Some(StatusCode::NOT_FOUND));
    assert_eq!(connect(&world, "/time", &[]).await.err(), Some(StatusCode::BAD_REQUEST));
    let other = ("sec-websocket-protocol", "postern-time.v2");
    assert_eq!(connect(&world, "/time", &[other]).await.err(), Some(StatusCode::BAD_REQUEST));
}

#[tokio::test]
async fn a_message_over_the_limit_ends_it() {
    let world = World::start().await;
    let mut socket = connect(&world, "/time", &[PROTOCOL]).await.unwrap();
    message(&mut socket).await;
    socket.send(Message::binary(vec![0; 4097])).await.unwrap();
    assert_eq!(refusal(&message(&mut socket).await), Some(CloseReason::TooLarge));
    let (code, reason) = close(&mut socket).await;
    assert_eq!((code > 4000, reason.as_str()), (true, "too_large"));
}

#[tokio::test]
async fn requests_without_a_path_are_answered() {
    let world = World::start().await;
    for (line, status) in [
        ("GET localhost:3002 HTTP/1.1", "400"),
        ("CONNECT localhost:3002 HTTP/1.1", "400"),
        ("OPTIONS * HTTP/1.1", "400"),
        ("GET http://elsewhere.example/time HTTP/1.1", "400"),
        ("POST /time HTTP/1.1", "400"),
        ("GET /other HTTP/1.1", "404"),
    ] {
        let mut stream = TcpStream::connect(world.web).await.unwrap();
        let request = format!("{line}\r\nhost: localhost:3002\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{line}: {answer}");
    }
}
