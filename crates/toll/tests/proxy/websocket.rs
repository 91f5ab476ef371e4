use crate::support::{Raw, World};
use futures::{SinkExt, StreamExt};
use std::sync::atomic::Ordering;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn messages_go_both_ways_until_somebody_closes() {
    let world = World::new().await;
    let (mut socket, _) = connect_async(format!("ws://{}/socket", world.address)).await.unwrap();
    for text in ["one", "two"] {
        socket.send(Message::text(text)).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(text));
    }
    socket.close(None).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    while world.upstream.seen.sockets_ended.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
}

/// An upgrade that the upstream does not accept opens no tunnel through which requests could be hidden.
#[tokio::test]
async fn an_upgrade_that_is_refused_is_no_tunnel() {
    let world = World::new().await;
    let upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let mut raw = Raw::connect(world.address).await;
    raw.send(format!("GET /plain HTTP/1.1\r\nHost: a\r\n{upgrade}\r\n")).await;
    assert_eq!(raw.reply().await.status, 200);
    raw.send("GET /missing/../hidden HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(raw.reply().await.status, 400, "the gate still reads this connection");
    assert_eq!(world.arrived(), ["GET /plain"]);
    let h2c = world
        .get("/x", "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n")
        .await;
    assert_eq!(h2c.status, 200);
    assert!(h2c.seen("upgrade").is_empty() && h2c.seen("http2-settings").is_empty());
}
