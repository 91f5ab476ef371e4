//! `amr`, `acr` and `auth_time` after each way to sign in, in the answer, in the session and in the access token.

use crate::passkey_factor::{finish as finish_with_passkey, want};
use crate::passkeys::{person, sign_in};
use crate::second_factor::{Enrolled, confirm, finish, login_with};
use crate::support::{Answer, PASSWORD, Portal, Visitor};
use crate::terminal_login::sign_in_as_device;
use domain::UnixSeconds;
use domain::encoding::from_base64url;
use http::StatusCode;
use serde_json::{Value, json};
use wire::envelope::EnvelopeKind;
use wire::paths;

const MINUTE: i64 = 60_000;
const RECOVERY: &str = "1111-1111-0000-0000-ZZZZ-ZZZZ";

/// Returns the three claims of a session or a token.
fn claims(value: &Value) -> Value {
    json!([value["amr"], value["acr"], value["auth_time"]])
}

/// Returns the claims inside an access token, without a check of its signature.
fn in_token(token: &str) -> Value {
    let body = token.split('.').nth(1).unwrap();
    claims(&serde_json::from_slice(&from_base64url(body).unwrap()).unwrap())
}

/// Checks the claims of a browser that has just signed in.
async fn check(what: &str, visitor: &Visitor, answer: &Answer, expected: &Value) {
    assert_eq!(answer.status, StatusCode::OK, "{what}: {}", answer.text);
    assert_eq!(claims(&answer.json()["session"]), *expected, "{what}: the answer");
    assert_eq!(claims(&visitor.get(paths::SESSION).await.json()), *expected, "{what}: the session");
    assert_eq!(in_token(&visitor.cookie("-access")), *expected, "{what}: the token");
    let listed = visitor.get(paths::SESSIONS).await.json()["devices"][0].clone();
    assert_eq!(claims(&listed), *expected, "{what}: the list");
}

#[tokio::test]
async fn each_way_to_sign_in_has_its_claims() {
    let portal = Portal::with("[session]\nremember_device = '30d'").await;
    let one = |amr: Value, at: UnixSeconds| json!([amr, "urn:postern:acr:1", at]);
    let two = |amr: Value, at: UnixSeconds| json!([amr, "urn:postern:acr:2", at]);
    let phr = |amr: Value, at: UnixSeconds| json!([amr, "urn:postern:acr:phr", at]);
    let now = || portal.state.now().to_seconds();
    let otp = json!(["pwd", "otp", "mfa"]);

    portal.add_user("bob").await;
    let bob = portal.browser("203.0.113.1");
    check("password", &bob, &bob.login("bob", PASSWORD).await, &one(json!(["pwd"]), now())).await;

    let alice = Enrolled::add(&portal, "alice", &[RECOVERY]).await;
    let browser = portal.browser("203.0.113.2");
    let answer = login_with(&browser, "alice", PASSWORD, &alice.code(&portal, 0)).await;
    check("password and code", &browser, &answer, &two(otp.clone(), now())).await;

    portal.advance(MINUTE).await;
    let browser = portal.browser("203.0.113.3");
    let pending = browser.login("alice", PASSWORD).await.json()["pending"].clone();
    let answer = finish(&browser, &pending, &alice.code(&portal, 0)).await;
    check("code after the password", &browser, &answer, &two(otp.clone(), now())).await;

    let browser = portal.browser("203.0.113.4");
    let answer = login_with(&browser, "alice", PASSWORD, RECOVERY).await;
    check("password and recovery code", &browser, &answer, &two(otp.clone(), now())).await;

    portal.advance(MINUTE).await;
    let browser = portal.browser("203.0.113.5");
    let content = json!({"username": "alice", "password": PASSWORD, "code": alice.code(&portal, 0), "remember": true});
    let answer = browser.post_sealed(EnvelopeKind::Login, &content).await;
    check("a device to remember", &browser, &answer, &two(otp.clone(), now())).await;
    portal.advance(MINUTE).await;
    let answer = browser.login("alice", PASSWORD).await;
    check("a remembered device", &browser, &answer, &one(json!(["pwd"]), now())).await;
    let begun = now();
    // A proof in the session adds its method and renews the time.
    portal.advance(MINUTE).await;
    let confirmed = confirm(&browser, &json!({"code": alice.code(&portal, 0)})).await;
    assert_eq!(confirmed.status, StatusCode::NO_CONTENT, "{}", confirmed.text);
    assert_eq!(claims(&browser.get(paths::SESSIONS).await.json()["devices"][0]), two(otp.clone(), now()));
    assert!(now() > begun);

    let (_, ada, passkey) = person(&portal, "ada").await;
    let browser = portal.browser("203.0.113.6");
    let answer = sign_in(&browser, &passkey).await;
    check("passkey", &browser, &answer, &phr(json!(["pop", "user", "mfa"]), now())).await;

    assert_eq!(want(&ada, true).await.status, StatusCode::OK);
    let browser = portal.browser("203.0.113.8");
    let pending = browser.login("ada", PASSWORD).await.json()["pending"].clone();
    let answer = finish_with_passkey(&browser, &pending, &passkey).await;
    check("passkey after the password", &browser, &answer, &phr(json!(["pwd", "pop", "user", "mfa"]), now())).await;

    // A terminal has the claims of the sign-in in the browser that let it in, also later.
    let at = now();
    portal.advance(MINUTE).await;
    let terminal = sign_in_as_device(&portal, &browser).await;
    assert!(terminal.status.is_success(), "{}", terminal.text);
    let expected = phr(json!(["pwd", "pop", "user", "mfa"]), at);
    assert_eq!(claims(&terminal.json()["session"]), expected, "{}", terminal.text);
    assert_eq!(in_token(terminal.json()["tokens"]["access_token"].as_str().unwrap()), expected);
}
