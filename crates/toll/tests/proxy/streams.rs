use crate::support::{Raw, World};

#[tokio::test]
async fn an_answer_arrives_piece_by_piece() {
    let world = World::new().await;
    let mut raw = Raw::connect(world.address).await;
    raw.send("GET /ticks HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(raw.head().await.contains(" 200 "));
    for _ in 0..3 {
        // The next piece is not made before this one was read, so nothing is buffered.
        world.upstream.seen.ticks.0.add_permits(1);
        assert_eq!(raw.chunk().await.as_deref(), Some(b"tick".as_slice()));
    }
}

#[tokio::test]
async fn a_request_arrives_piece_by_piece_while_its_answer_comes_back() {
    let world = World::new().await;
    let mut raw = Raw::connect(world.address).await;
    raw.send("POST /pieces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n").await;
    assert!(raw.head().await.contains(" 200 "));
    assert_eq!(raw.chunk().await.as_deref(), Some(b"one".as_slice()));
    raw.send("3\r\ntwo\r\n").await;
    assert_eq!(raw.chunk().await.as_deref(), Some(b"two".as_slice()));
    raw.send("0\r\n\r\n").await;
    assert_eq!(raw.chunk().await, None);
}
