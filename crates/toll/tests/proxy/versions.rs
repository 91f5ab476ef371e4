use crate::support::{Raw, World, route};
use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use toll::upstream::ForwardSettings;

#[tokio::test]
async fn many_requests_over_one_connection() {
    let world = World::new().await;
    let mut raw = Raw::connect(world.address).await;
    raw.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(raw.reply().await.json()["uri"], "/1");
    assert_eq!(raw.reply().await.json()["uri"], "/2");
    raw.send("GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!(raw.reply().await.json()["uri"], "/3");
    assert!(raw.closed().await);
}

#[tokio::test]
async fn http_2_in_front_and_behind() {
    for (behind, version) in [(false, "HTTP/1.1"), (true, "HTTP/2.0")] {
        let forward = ForwardSettings { http2: behind, ..ForwardSettings::default() };
        let world = World::with(|upstream| vec![route("all", "/**", upstream, &forward)]).await;
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
        let uri = format!("http://{}/x?y", world.address);
        let request = Request::get(uri).header("x-one", "1").body(Empty::new()).unwrap();
        let response = client.request(request).await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
        let said: Value = serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
        assert!(said["uri"].as_str().unwrap().ends_with("/x?y"), "{said}");
        assert_eq!(said["headers"]["x-one"][0], "1");
        assert_eq!(said["version"], version);
        assert_eq!(said["headers"]["x-forwarded-host"][0], world.address.to_string());
    }
}

#[tokio::test]
async fn the_gate_answers_in_its_own_version() {
    // An upstream of HTTP/1.0, whose answers end with their connections.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let old = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold").await.unwrap();
        }
    });
    let world = World::with(|_| vec![route("all", "/**", old, &ForwardSettings::default())]).await;
    let mut raw = Raw::connect(world.address).await;
    for _ in 0..2 {
        raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let reply = raw.reply().await;
        assert!(reply.head.starts_with("http/1.1 200"), "{}", reply.head);
        assert_eq!(reply.body, b"old");
    }
    let mut older = Raw::connect(world.address).await;
    older.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n").await;
    let head = older.reply().await.head;
    assert!(head.starts_with("http/1.0 200"), "{head}");
}
