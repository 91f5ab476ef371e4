//! Notices to clients about ended sessions: those that do not take them, and those that may not get them.

use crate::oidc::{Provider, SECRET, claims};
use http::StatusCode;
use serde_json::json;
use server::flows::oauth_logouts::send_due;
use server::outbound::Reach;
use store::audit::AuditEvent;
use store::users::DeleteUser;
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

#[tokio::test]
async fn attack_a_logout_uri_leads_into_the_network() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let provider = Provider::start().await;
    provider.portal.add_administrator("root").await;
    let root = provider.portal.browser("198.51.100.1").signed_in("root").await;
    let wish = json!({
        "id": "wiki", "redirect_uris": ["https://wiki.example/callback"], "consent": false,
        "backchannel_logout_uri": format!("http://127.0.0.1:{}/logout", listener.local_addr().unwrap().port()),
    });
    let secret = root.post(paths::CLIENTS, &wish).await.json()["client_secret"].as_str().unwrap().to_owned();
    let own = [("client_id", "wiki"), ("redirect_uri", "https://wiki.example/callback")];
    let code = provider.code(&own).await;
    let with: Vec<_> = own.iter().copied().chain([("client_secret", secret.as_str())]).collect();
    assert_eq!(provider.exchange(&code, &with).await.status, StatusCode::OK);
    provider.browser.post(paths::LOGOUT, &json!({})).await;
    let due = provider.portal.store().due_logouts(provider.portal.clock_now(), 9).await.unwrap();
    assert_eq!(due.len(), 1);
    let url = wish["backchannel_logout_uri"].as_str().unwrap();
    let outbound = &provider.portal.state.outbound;
    let permit = outbound.notice_permit(url).unwrap();
    let refused = outbound.post(permit, server::outbound::Reach::Internal, url, String::new()).await;
    assert!(matches!(refused, Err(server::outbound::OutboundError::Closed(_))), "{refused:?}");
    server::flows::oauth_logouts::send_due(&provider.portal.state).await.unwrap();
    // The notice was claimed and will be tried again later; there was no connection.
    assert!(provider.portal.store().due_logouts(provider.portal.clock_now(), 9).await.unwrap().is_empty());
    let nobody = futures::FutureExt::now_or_never(listener.accept());
    assert!(nobody.is_none());
}

#[tokio::test]
async fn a_pairwise_client_hears_of_a_deleted_account_by_the_name_that_it_knows() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let provider = Provider::with(&format!(
        "[[clients]]\nid = 'pair'\nsecret_hash = '{}'\nredirect_uris = ['https://pair.example/']\n\
         subject_type = 'pairwise'\nbackchannel_logout_uri = 'http://localhost:{}/logout'\n",
        oidc::client::secret_hash(SECRET),
        listener.local_addr().unwrap().port()
    ))
    .await;
    let own = [("client_id", "pair"), ("redirect_uri", "https://pair.example/")];
    let tokens = provider.exchange(&provider.code(&own).await, &own).await.json();
    let known = claims(tokens["id_token"].as_str().unwrap());
    let deletion = DeleteUser {
        attempt: None,
        user: provider.user.clone().into(),
        account: "alice".to_owned(),
        audit: provider.portal.entry(AuditEvent::UserDeleted, &provider.user),
        now: provider.portal.clock_now(),
    };
    provider.portal.store().delete_user(&deletion).await.unwrap();
    send_due(&provider.portal.state).await.unwrap();
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut request = String::new();
    while !request.contains("logout_token=")
        || !request.ends_with(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c))
    {
        let mut part = [0; 4096];
        let read = socket.read(&mut part).await.unwrap();
        request.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    let told = claims(request.split("logout_token=").nth(1).unwrap());
    assert_eq!((&told["sub"], &told["sid"]), (&known["sub"], &known["sid"]));
}
