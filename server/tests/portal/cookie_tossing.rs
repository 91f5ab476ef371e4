//! Two cookies of one name. On plain http, where names have no prefix, a sub-domain or another path can set a second one.

use crate::support::{PASSWORD, Portal, Visitor};
use http::{Method, StatusCode};
use serde_json::json;
use wire::challenge::Challenge;
use wire::envelope::EnvelopeKind;
use wire::paths;

const INSECURE: &str = "allow_insecure_http = true";

async fn portal() -> Portal {
    let portal = Portal::with(INSECURE).await;
    portal.add_user("alice").await;
    portal.add_user("mallory").await;
    portal
}

/// Signs in as alice. The two requests have these cookies.
async fn login(visitor: &Visitor, asking: &str, sending: &dyn Fn() -> String) -> String {
    let challenge = visitor.send(Method::GET, paths::CHALLENGE, None, &[("cookie", asking)]).await;
    let challenge: Challenge = serde_json::from_str(&challenge.text).unwrap();
    let content = json!({"username": "alice", "password": PASSWORD});
    let (body, headers) = visitor.seal(&challenge, EnvelopeKind::Login, &content);
    let sent = sending();
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    headers.push(("cookie", &sent));
    let answer = visitor.send(Method::POST, paths::LOGIN, Some(body), &headers).await;
    if answer.status == StatusCode::OK { "signed in".to_owned() } else { answer.code() }
}

#[tokio::test]
async fn a_second_login_cookie_does_not_break_the_sign_in() {
    let portal = portal().await;
    let theirs = portal.state.entropy.secret();
    let tossed = format!("postern-login={theirs}");
    // Of the path of the challenge alone, of the path of the sign-in alone, of both, and one that is not ours.
    let visitor = portal.browser("203.0.113.7");
    let own = || format!("postern-login={}", visitor.cookie("-login"));
    assert_eq!(login(&visitor, &tossed, &own).await, "signed in");
    let visitor = portal.browser("203.0.113.8");
    assert_eq!(visitor.get(paths::CHALLENGE).await.status, StatusCode::OK);
    let own = || format!("postern-login={}", visitor.cookie("-login"));
    assert_eq!(login(&visitor, &own(), &|| format!("{tossed}; {}", own())).await, "signed in");
    let visitor = portal.browser("203.0.113.9");
    assert_eq!(visitor.get(paths::CHALLENGE).await.status, StatusCode::OK);
    let own = || format!("postern-login={}", visitor.cookie("-login"));
    assert_eq!(login(&visitor, &format!("{tossed}; {}", own()), &|| format!("{}; {tossed}", own())).await, "signed in");
    let visitor = portal.browser("203.0.113.10");
    let own = || format!("postern-login={}", visitor.cookie("-login"));
    assert_eq!(login(&visitor, "postern-login=junk", &|| format!("postern-login=junk; {}", own())).await, "signed in");
    // Without the cookie that it is tied to, a short_key is refused.
    let visitor = portal.browser("203.0.113.11");
    assert_eq!(login(&visitor, "a=b", &|| tossed.clone()).await, "short_key_mismatch");
}

#[tokio::test]
async fn a_second_device_cookie_does_not_break_the_sign_in() {
    let portal = portal().await;
    let mallory = portal.browser("203.0.113.66").signed_in("mallory").await;
    let theirs = format!("postern-device={}", mallory.cookie("-device"));
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let own = || format!("postern-login={}; postern-device={}", alice.cookie("-login"), alice.cookie("-device"));
    assert_eq!(alice.get(paths::CHALLENGE).await.status, StatusCode::OK);
    assert_eq!(login(&alice, &own(), &|| format!("{theirs}; {}", own())).await, "signed in");
    assert_eq!(alice.get(paths::CHALLENGE).await.status, StatusCode::OK);
    assert_eq!(login(&alice, &own(), &|| format!("postern-device=junk; {}", own())).await, "signed in");
}

#[tokio::test]
async fn a_session_is_found_behind_other_values() {
    let portal = portal().await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    let behind = |name: &str| format!("postern-{name}=junk; postern-{name}={}", alice.cookie(&format!("-{name}")));
    let session = alice.send(Method::GET, paths::SESSION, None, &[("cookie", &behind("access"))]).await;
    assert_eq!(session.status, StatusCode::OK, "{}", session.text);
    let nonce = alice.nonce().await;
    let url = format!("{}{}", crate::support::ORIGIN, paths::REFRESH);
    let proof = alice.key.as_ref().unwrap().prove(&url, &nonce);
    let headers = [("cookie", behind("refresh")), ("dpop", proof)];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let refreshed = alice.send(Method::POST, paths::REFRESH, Some("{}".to_owned()), &headers).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
}
