//! Requests that two programs interpret in different ways.

use crate::support::{Raw, World};

const HOST: &str = "Host: api.example\r\n";

#[tokio::test]
async fn conflicting_lengths_are_refused_and_nothing_hidden_arrives() {
    let world = World::new().await;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: api.example\r\n\r\n";
    for lengths in [
        "Content-Length: 0\r\nContent-Length: 47\r\n",
        "Content-Length: 0, 47\r\n",
        "Content-Length: +0\r\n",
        "Content-Length: 0x2f\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\r\n folded\r\n",
        "X\u{0}: y\r\n",
    ] {
        let mut raw = Raw::connect(world.address).await;
        raw.send(format!("POST / HTTP/1.1\r\n{HOST}{lengths}\r\n{hidden}")).await;
        let reply = raw.reply().await;
        assert_eq!(reply.status, 400, "{lengths}");
        assert!(!world.arrived().iter().any(|request| request.contains("hidden")), "{lengths}: {:?}", world.arrived());
    }
    assert!(world.arrived().is_empty(), "{:?}", world.arrived());
}

/// RFC 9112, section 6.3: chunked takes precedence. The upstream must see one framing, and the connection ends without
/// reading what does not belong to the request.
#[tokio::test]
async fn chunked_with_a_length_reaches_the_upstream_in_one_framing() {
    let world = World::new().await;
    for order in
        ["Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n"]
    {
        let reply = world.ask(&format!("POST /x HTTP/1.1\r\n{HOST}{order}\r\n3\r\nabc\r\n0\r\n\r\n")).await;
        if reply.status == 400 {
            continue;
        }
        assert!(reply.seen("content-length").is_empty() || reply.seen("transfer-encoding").is_empty());
        assert_eq!(reply.json()["body"], "abc");
    }
}

#[tokio::test]
async fn two_hosts_are_refused() {
    let world = World::new().await;
    for request in [
        "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n".to_owned(),
        "GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a.example/x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a\"b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "CONNECT internal:22 HTTP/1.1\r\nHost: internal:22\r\n\r\n".to_owned(),
        format!("OPTIONS * HTTP/1.1\r\n{HOST}\r\n"),
    ] {
        assert_eq!(world.ask(&request).await.status, 400, "{request}");
    }
    assert!(world.arrived().is_empty());
}

/// The destination of a request comes from our settings and never from the request.
#[tokio::test]
async fn no_request_chooses_where_it_goes() {
    let world = World::new().await;
    for request in [
        "GET http://127.0.0.1:1/price HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n".to_owned(),
        "GET //127.0.0.1:1/price HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n".to_owned(),
        format!("GET /@127.0.0.1:1/ HTTP/1.1\r\n{HOST}X-Forwarded-Host: 127.0.0.1:1\r\n\r\n"),
    ] {
        let reply = world.ask(&request).await;
        assert_eq!(reply.status, 200, "{request}");
    }
    assert_eq!(world.arrived().len(), 3, "all of them arrived at the one upstream there is");
}

#[tokio::test]
async fn a_path_that_no_program_means_well_is_refused() {
    let world = World::new().await;
    for path in
        ["/free/../price", "/free/%2e%2e/price", "/free/..;/price", "/free%2f..%2fprice", "/%252e%252e/price", "/a\\b"]
    {
        assert_eq!(world.get(path, "").await.status, 400, "{path}");
    }
    assert!(world.arrived().is_empty());
}

#[tokio::test]
async fn a_path_with_more_than_one_reading_arrives_as_it_was_sent() {
    let world = World::new().await;
    let paths =
        ["/@scope%2fname", "/100%25", "/a;v=1/b", "/a%3Bb", "/caf%e9", "/a%5Cb", "/a%252fb", "/x%3Fy?z", "/a//b/"];
    for path in paths {
        let reply = world.get(path, "").await;
        assert_eq!((reply.status, &reply.json()["uri"]), (200, &path.into()), "{path}");
    }
}
