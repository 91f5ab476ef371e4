//! "Remember this device": a browser that passed the second factor is not asked for it again while it is remembered.

use crate::oidc::{Provider, claims, parameters};
use crate::second_factor::{Enrolled, login_with};
use crate::support::{Answer, PASSWORD, Portal, Visitor};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::audit::AuditEvent;
use wire::envelope::EnvelopeKind;
use wire::paths;

const ON: &str = "[session]\nremember_device = '30d'";
const DAY: i64 = 24 * 60 * 60_000;

async fn remembered(portal: &Portal, alice: &Enrolled, address: &str) -> Visitor {
    let browser = portal.browser(address);
    let content = json!({"username": "alice", "password": PASSWORD, "code": alice.code(portal, 0), "remember": true});
    let answer = browser.post_sealed(EnvelopeKind::Login, &content).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    browser
}

async fn sign_out(visitor: &Visitor) {
    let answer = visitor.post(paths::LOGOUT, &json!({})).await;
    assert!(answer.status.is_success(), "{}", answer.text);
}

async fn devices(visitor: &Visitor) -> Vec<Value> {
    visitor.get(paths::REMEMBERED_DEVICES).await.json()["devices"].as_array().unwrap().clone()
}

async fn forget(visitor: &Visitor, id: &Value) -> Answer {
    let path = format!("{}/{}", paths::REMEMBERED_DEVICES, id.as_str().unwrap());
    visitor.send(Method::DELETE, &path, None, &[]).await
}

#[tokio::test]
async fn a_remembered_device_is_not_asked_again_and_its_session_is_one_factor() {
    let portal = Portal::with(ON).await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let browser = remembered(&portal, &alice, "203.0.113.7").await;
    let listed = devices(&browser).await;
    assert_eq!((listed.len(), &listed[0]["current"]), (1, &json!(true)));
    sign_out(&browser).await;
    portal.advance(29 * DAY).await;
    let again = browser.login("alice", PASSWORD).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);
    let session = &again.json()["session"];
    assert_eq!((&session["amr"], &session["acr"]), (&json!(["pwd"]), &json!("urn:postern:acr:1")), "it is no factor");
    let change = browser.send(Method::DELETE, paths::TOTP, None, &[]).await;
    assert_eq!(change.code(), "insufficient_user_authentication", "and changes nothing that needs one");
    let rows = portal.store().audit_of(&alice.user.as_str().into(), 50).await.unwrap();
    assert!(rows.iter().any(|row| row.event == AuditEvent::DeviceRemembered));
    assert!(rows.iter().any(|row| row.event == AuditEvent::Login && row.about == "remembered device"));
    assert!(browser.get(paths::ACTIVITY_PAGE).await.text.contains("skips the second factor"));

    portal.advance(DAY).await;
    let later = portal.browser("203.0.113.7");
    assert_eq!(browser.bare().login("alice", PASSWORD).await.code(), "second_factor_required", "30 days are over");
    assert_eq!(later.login("alice", PASSWORD).await.code(), "second_factor_required");
}

#[tokio::test]
async fn attack_a_remembered_browser_claims_no_factor_and_is_asked_for_it() {
    let provider = Provider::with(ON).await;
    let portal = &provider.portal;
    let alice = Enrolled::of(portal, provider.user.clone(), &[]).await;
    let browser = remembered(portal, &alice, "203.0.113.9").await;
    sign_out(&browser).await;
    portal.advance(60_000).await;
    let token = async |location: &str| {
        let code = parameters(location)["code"].clone();
        claims(provider.exchange(&code, &[]).await.json()["id_token"].as_str().unwrap())
    };
    let essential = r#"{"id_token":{"acr":{"essential":true,"value":"urn:postern:acr:2"}}}"#;
    for (name, value) in [("claims", essential), ("acr_values", "urn:postern:acr:2"), ("prompt", "login")] {
        portal.advance(60_000).await;
        assert_eq!(browser.login("alice", PASSWORD).await.status, StatusCode::OK);
        let plain = provider.enter(&browser, &Provider::query(&[]), None).await.json();
        let plain = token(plain["location"].as_str().unwrap()).await;
        assert_eq!((&plain["amr"], &plain["acr"]), (&json!(["pwd"]), &json!("urn:postern:acr:1")), "{name}");

        portal.advance(60_000).await;
        let to = provider.open(&browser, &Provider::query(&[(name, value)])).await.header("location").to_owned();
        let why = if name == "prompt" { "&why=again" } else { "&why=factor" };
        assert!(to.starts_with("/login?next=") && to.ends_with(why), "{to}");
        let page = browser.send(Method::GET, &to, None, &[("sec-fetch-mode", "navigate")]).await;
        assert!(page.text.contains(" data-factor"), "{}", page.text);
        let next = page.text.split("data-next=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
        let mut content = json!({"username": "alice", "password": PASSWORD, "factor": true});
        assert_eq!(browser.post_sealed(EnvelopeKind::Login, &content).await.code(), "second_factor_required", "{name}");
        content["code"] = alice.code(portal, 0).into();
        assert_eq!(browser.post_sealed(EnvelopeKind::Login, &content).await.status, StatusCode::OK);
        let entered = provider.enter(&browser, next.split_once('?').unwrap().1, None).await.json();
        let stepped = token(entered["location"].as_str().unwrap()).await;
        assert_eq!((&stepped["amr"], &stepped["acr"]), (&json!(["pwd", "otp", "mfa"]), &json!("urn:postern:acr:2")));
        sign_out(&browser).await;
    }
}

#[tokio::test]
async fn it_is_known_by_its_key_and_not_by_its_cookies() {
    let portal = Portal::with(ON).await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let browser = remembered(&portal, &alice, "203.0.113.7").await;
    let thief = browser.thief(&portal, "203.0.113.7");
    thief.forget("-device");
    assert_eq!(thief.login("alice", PASSWORD).await.code(), "second_factor_required");
    assert_eq!(browser.login("alice", "another password").await.code(), "wrong_credentials", "the password is needed");
}

#[tokio::test]
async fn nothing_is_remembered_unless_operator_and_owner_want_it_and_the_code_is_no_recovery_code() {
    let recovery = "1111-1111-0000-0000-ZZZZ-ZZZZ";
    for (settings, code, remember) in [("", None, true), (ON, None, false), (ON, Some(recovery), true)] {
        let portal = Portal::with(settings).await;
        let alice = Enrolled::add(&portal, "alice", &[recovery]).await;
        let code = code.map_or_else(|| alice.code(&portal, 0), str::to_owned);
        let browser = portal.browser("203.0.113.7");
        let content = json!({"username": "alice", "password": PASSWORD, "code": code, "remember": remember});
        let answer = browser.post_sealed(EnvelopeKind::Login, &content).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(devices(&browser).await.is_empty(), "{settings} {code} {remember}");
        assert_eq!(browser.login("alice", PASSWORD).await.code(), "second_factor_required");
    }
    // A program without a key cannot be remembered.
    let portal = Portal::with(ON).await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let program = portal.program("203.0.113.7");
    let content = json!({"username": "alice", "password": PASSWORD, "code": alice.code(&portal, 0), "remember": true});
    assert_eq!(program.post_sealed(EnvelopeKind::Login, &content).await.status, StatusCode::OK);
    assert_eq!(program.login("alice", PASSWORD).await.code(), "second_factor_required");
}

#[tokio::test]
async fn a_pending_sign_in_may_remember_its_device_too() {
    let portal = Portal::with(ON).await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let browser = portal.browser("203.0.113.7");
    let pending = browser.login("alice", PASSWORD).await.json()["pending"].clone();
    let content = json!({"pending": pending, "code": alice.code(&portal, 0), "remember": true});
    assert_eq!(browser.post_sealed(EnvelopeKind::SecondFactor, &content).await.status, StatusCode::OK);
    assert_eq!(browser.login("alice", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn its_owner_forgets_it_alone_with_all_or_with_its_session() {
    let portal = Portal::with(ON).await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let (mut browsers, mut signed_in) = (Vec::new(), Vec::new());
    for number in 0..3 {
        let browser = remembered(&portal, &alice, &format!("203.0.{number}.7")).await;
        signed_in.push(browser.get(paths::SESSION).await.json()["id"].as_str().unwrap().to_owned());
        browsers.push(browser);
        portal.advance(60_000).await;
    }
    let asked =
        async |at: usize| browsers[at].clone().login("alice", PASSWORD).await.code() == "second_factor_required";
    portal.add_user("bob").await;
    let bob = portal.browser("198.51.100.7").signed_in("bob").await;
    let listed = devices(&browsers[0]).await;
    assert_eq!(listed.len(), 3);
    let first = listed.iter().find(|device| device["current"] == true).unwrap();
    assert_eq!(forget(&bob, &first["id"]).await.status, StatusCode::NOT_FOUND, "it is hers");
    // The owner sees a session that she does not recognize, and ends it.
    let path = format!("{}/{}", paths::SESSIONS, signed_in[2]);
    assert_eq!(browsers[0].send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(devices(&browsers[0]).await.len(), 2);
    assert_eq!(forget(&browsers[0], &first["id"]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(forget(&browsers[0], &first["id"]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(devices(&browsers[0]).await.len(), 1);
    let all = browsers[0].send(Method::DELETE, paths::REMEMBERED_DEVICES, None, &[]).await;
    assert_eq!(all.status, StatusCode::NO_CONTENT);
    for at in 0..3 {
        assert!(asked(at).await, "{at}");
    }
    let rows = portal.store().audit_of(&alice.user.as_str().into(), 50).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.event == AuditEvent::DeviceForgotten).count(), 2);
}

#[tokio::test]
async fn a_new_password_a_reset_and_an_administrator_forget_every_device() {
    let portal = Portal::with(ON).await;
    portal.add_administrator("root").await;
    let root = portal.browser("192.0.2.7").signed_in("root").await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let browser = remembered(&portal, &alice, "203.0.113.7").await;
    let change = json!({"old": PASSWORD, "new": "entirely different words"});
    let changed = browser.post_sealed(EnvelopeKind::Password, &change).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    assert_eq!(browser.login("alice", "entirely different words").await.code(), "second_factor_required");

    portal.advance(60_000).await;
    let again = login_with(&browser, "alice", "entirely different words", &alice.code(&portal, 0)).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);
    let path = format!("{}/{}/reset", paths::USERS, alice.user);
    let link = root.post(&path, &json!({})).await.json()["link"].as_str().unwrap().to_owned();
    let reset = json!({"code": link.split("#code=").nth(1).unwrap(), "password": PASSWORD});
    assert_eq!(browser.post_sealed(EnvelopeKind::Reset, &reset).await.status, StatusCode::NO_CONTENT);
    assert_eq!(browser.login("alice", PASSWORD).await.code(), "second_factor_required");

    portal.advance(60_000).await;
    remembered(&portal, &alice, "203.0.113.9").await;
    let path = format!("{}/{}/second-factors", paths::USERS, alice.user);
    assert_eq!(root.send(Method::DELETE, &path, None, &[]).await.status, StatusCode::NO_CONTENT);
    assert!(
        portal.store().remembered_devices(&alice.user.as_str().into(), portal.state.now()).await.unwrap().is_empty()
    );
}

/// A requirement of the operator is met by a factor and not by a remembered device.
#[tokio::test]
async fn a_required_factor_is_asked_of_a_remembered_device_too() {
    for required in ["required", "passkey"] {
        let portal = Portal::with(ON).await;
        let alice = Enrolled::add(&portal, "alice", &[]).await;
        let browser = remembered(&portal, &alice, "203.0.113.7").await;
        assert_eq!(browser.login("alice", PASSWORD).await.status, StatusCode::OK);
        let strict = portal.another_with(&format!("{ON}\n[second_factor]\nusers = '{required}'")).await;
        let answer = browser.at(&strict).login("alice", PASSWORD).await;
        assert_eq!(answer.code(), "second_factor_required", "{required}");
    }
    // Such a device is not stored, because it would never be used.
    for sealed in [true, false] {
        let portal = Portal::with(&format!("{ON}\n[second_factor]\nusers = 'required'")).await;
        let alice = Enrolled::add(&portal, "alice", &[]).await;
        let browser = portal.browser("203.0.113.7");
        let (kind, content) = if sealed {
            let code = alice.code(&portal, 0);
            (EnvelopeKind::Login, json!({"username": "alice", "password": PASSWORD, "code": code, "remember": true}))
        } else {
            let pending = browser.login("alice", PASSWORD).await.json()["pending"].clone();
            let code = alice.code(&portal, 0);
            (EnvelopeKind::SecondFactor, json!({"pending": pending, "code": code, "remember": true}))
        };
        let answer = browser.post_sealed(kind, &content).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(devices(&browser).await.is_empty());
    }
}
