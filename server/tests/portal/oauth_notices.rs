//! Notices to clients about ended sessions, and clients that do not take them.

use crate::oidc::{Provider, SECRET};
use http::StatusCode;
use serde_json::json;
use server::flows::oauth_logouts::send_due;
use server::outbound::Reach;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wire::paths;

/// Clients of one host, whose sessions have all ended.
const CLIENTS: usize = 8;
const SESSIONS: usize = 5;

#[tokio::test]
async fn attack_a_client_that_answers_no_notice_delays_others() {
    let (slow, good) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let hash = oidc::client::secret_hash(SECRET);
    let settings = (0..CLIENTS).map(|n| {
        format!(
            "[[clients]]\nid = 'slow{n}'\nsecret_hash = '{hash}'\nredirect_uris = ['https://slow.example/']\n\
             backchannel_logout_uri = 'http://localhost:{}/{n}'\n",
            port(&slow)
        )
    });
    let provider = Provider::with(&settings.collect::<String>()).await;
    for _ in 0..SESSIONS {
        let browser = provider.portal.browser("203.0.113.7").signed_in("alice").await;
        for n in 0..CLIENTS {
            let id = format!("slow{n}");
            let own = [("client_id", id.as_str()), ("redirect_uri", "https://slow.example/")];
            let entered = provider.enter(&browser, &Provider::query(&own), None).await.json();
            let code = crate::oidc::parameters(entered["location"].as_str().unwrap())["code"].clone();
            assert_eq!(provider.exchange(&code, &own).await.status, StatusCode::OK);
        }
        browser.post(paths::LOGOUT, &json!({})).await;
    }
    let (store, now) = (provider.portal.store(), provider.portal.clock_now());
    assert_eq!(store.due_logouts(now, 100).await.unwrap().len(), CLIENTS * SESSIONS);
    for _ in 0..3 {
        send_due(&provider.portal.state).await.unwrap();
    }
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(slow.accept().await.unwrap());
    }
    let far = now + 24 * 60 * 60_000;
    let tries: u32 = store.due_logouts(far, 100).await.unwrap().iter().map(|due| due.tries).sum();
    assert_eq!(tries, 4, "a try is spent on a notice that is sent, and on no other");
    // Documents have permits of their own.
    let url = format!("http://127.0.0.1:{}/", port(&good));
    let other = async {
        let (mut socket, _) = good.accept().await.unwrap();
        let mut request = [0; 1024];
        assert_ne!(socket.read(&mut request).await.unwrap(), 0);
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await.unwrap();
    };
    let (document, ()) = tokio::join!(provider.portal.state.outbound.get(Reach::Anywhere, &url, 100), other);
    assert_eq!(document.unwrap(), b"{}");
    drop(held);
}
