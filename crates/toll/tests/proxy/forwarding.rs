use crate::support::{World, route};
use http::{HeaderName, HeaderValue};
use toll::upstream::ForwardSettings;

#[tokio::test]
async fn method_path_query_headers_and_body_arrive_as_they_were_sent() {
    let world = World::new().await;
    let request = "PATCH /a/b%20c?q=1&q=%2F HTTP/1.1\r\nHost: api.example\r\nX-One: 1\r\nX-One: 2\r\n\
        Authorization: Basic dTpw\r\nCookie: theme=dark\r\nContent-Length: 5\r\n\r\nhello";
    let reply = world.ask(request).await;
    assert_eq!(reply.status, 200);
    let said = reply.json();
    assert_eq!(
        (&said["method"], &said["uri"], &said["body"]),
        (&"PATCH".into(), &"/a/b%20c?q=1&q=%2F".into(), &"hello".into())
    );
    assert_eq!(reply.seen("x-one"), ["1", "2"]);
    assert_eq!(reply.seen("authorization"), ["Basic dTpw"], "another program's credential is its own");
    assert_eq!(reply.seen("cookie"), ["theme=dark"]);
    assert_eq!(reply.seen("host"), [world.upstream.address.to_string()]);
    assert!(reply.head.contains("x-own: kept"), "{}", reply.head);
}

#[tokio::test]
async fn hop_by_hop_headers_are_not_forwarded() {
    let world = World::new().await;
    let headers = "Connection: keep-alive, X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\nTE: gzip\r\n\
        Trailer: X-T\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\nUpgrade: h2c\r\nExpect: 100-continue\r\n";
    let reply = world.get("/", headers).await;
    for gone in [
        "connection",
        "x-private",
        "keep-alive",
        "te",
        "trailer",
        "proxy-authorization",
        "proxy-connection",
        "upgrade",
        "expect",
    ] {
        assert!(reply.seen(gone).is_empty(), "{gone}");
    }
    assert!(!reply.head.contains("x-secret"), "and none of the upstream's: {}", reply.head);
}

#[tokio::test]
async fn the_upstream_gets_the_real_client_address() {
    let lies = "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\nX-Real-IP: 1.2.3.4\r\n\
        X_Forwarded_For: 1.2.3.4\r\nRemote_User: root\r\nX-Original-URL: /dear\r\nX-Rewrite-URL: /dear\r\n\
        X-HTTP-Method-Override: DELETE\r\nX_HTTP_Method: DELETE\r\n\
        Forwarded: for=1.2.3.4\r\nRemote-User: root\r\nRemote-Groups: admin\r\nProxy: evil:80\r\n\
        Connection: x-forwarded-for, forwarded, x-api-key\r\n";
    let world = World::with(|upstream| {
        let mut all = route("all", "/**", upstream, &ForwardSettings::default());
        all.inject = vec![(HeaderName::from_static("x-api-key"), HeaderValue::from_static("ours"))];
        vec![all]
    })
    .await;
    let reply = world.get("/", &format!("{lies}X-Api-Key: theirs\r\nX_Api_Key: theirs\r\nx-api_key: theirs\r\n")).await;
    assert_eq!(reply.seen("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(reply.seen("x-forwarded-proto"), ["http"]);
    assert_eq!(reply.seen("x-forwarded-host"), ["api.example"]);
    assert_eq!(reply.seen("forwarded"), ["for=127.0.0.1;host=\"api.example\";proto=http"]);
    assert_eq!(reply.seen("x-api-key"), ["ours"], "Connection takes nothing of ours away");
    for gone in [
        "x_api_key",
        "x-api_key",
        "x-forwarded-port",
        "x-real-ip",
        "remote-user",
        "remote-groups",
        "proxy",
        "x_forwarded_for",
        "remote_user",
        "x-original-url",
        "x-rewrite-url",
        "x-http-method-override",
        "x_http_method",
    ] {
        assert!(reply.seen(gone).is_empty(), "{gone}");
    }
}

#[tokio::test]
async fn no_credential_of_ours_goes_on() {
    let world = World::new().await;
    for scheme in ["TPAT", "tpat", "TPAT-Session", "tPaT-sEsSiOn", "TPAT1"] {
        let headers = format!(
            "Authorization: {scheme} secret\r\nDPoP: secret\r\n\
            Cookie: a=1; __Host-postern_session=secret; b=2; postern_toll=secret\r\nCookie: postern=secret\r\n"
        );
        let reply = world.get("/", &headers).await;
        assert!(!String::from_utf8_lossy(&reply.body).contains("secret"), "{scheme}");
        assert_eq!(reply.seen("cookie"), ["a=1; b=2"]);
    }
}

#[tokio::test]
async fn the_host_is_the_upstreams_or_the_clients() {
    let world = World::with(|upstream| {
        vec![route("all", "/**", upstream, &ForwardSettings { preserve_host: true, ..ForwardSettings::default() })]
    })
    .await;
    assert_eq!(world.get("/", "").await.seen("host"), ["api.example"]);
}
