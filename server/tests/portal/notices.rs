//! Notices of security events.

use crate::second_factor::{Enrolled, finish, login_with};
use crate::support::mail::{mail_portal, vouch};
use crate::support::{PASSWORD, Portal, Visitor};
use domain::account::AccountName;
use http::StatusCode;
use serde_json::json;
use server::flows::mail::send_due;
use store::audit::AuditEvent;
use store::users::RenameOutcome;
use wire::envelope::EnvelopeKind;
use wire::paths;

const PANEL: &str = "New on your account";
const HOUR: i64 = 60 * 60_000;
const DAY: i64 = 24 * HOUR;
const OTHER_PASSWORD: &str = "another horse battery staple";

async fn page(visitor: &Visitor) -> String {
    visitor.get(paths::DASHBOARD_PAGE).await.text
}

async fn texts(visitor: &Visitor) -> Vec<String> {
    let notices = visitor.get(paths::NOTICES).await.json()["notices"].as_array().unwrap().clone();
    notices.iter().map(|notice| notice["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_new_device_and_a_new_password_are_shown_on_all_devices_until_dismissed_on_each() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let first = portal.browser("203.0.113.1").signed_in("alice").await;
    assert!(!page(&first).await.contains(PANEL), "the first sign-in is no news");
    assert!(texts(&first).await.is_empty());
    portal.advance(1_000).await;
    let second = portal.browser("203.0.113.2").signed_in("alice").await;
    for device in [&first, &second] {
        let page = page(device).await;
        assert!(page.contains(PANEL) && page.contains("It was me"), "{page}");
        assert_eq!(texts(device).await.len(), 1);
    }
    let until = portal.state.now();
    // Notices that were shown are dismissed, but no later ones: not even by a time in the future.
    let far = json!({"until": "9007199254740991"});
    assert_eq!(first.post(paths::NOTICES_READ, &far).await.status, StatusCode::NO_CONTENT);
    assert!(!page(&first).await.contains(PANEL) && texts(&first).await.is_empty());
    assert!(page(&second).await.contains(PANEL), "the other device still shows it");
    portal.advance(1_000).await;
    let change = json!({"old": PASSWORD, "new": OTHER_PASSWORD});
    let changed = first.post_sealed(EnvelopeKind::Password, &change).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    assert!(page(&first).await.contains(PANEL));
    // An older time restores nothing and dismisses nothing.
    assert_eq!(first.post(paths::NOTICES_READ, &json!({"until": until})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(texts(&first).await, ["The password was changed"]);
    for wrong in [json!({}), json!({"until": "soon"}), json!({"until": 1, "more": 2})] {
        assert_eq!(first.post(paths::NOTICES_READ, &wrong).await.code(), "bad_request", "{wrong}");
    }
    // A month later they are only in the activity list.
    portal.advance(31 * DAY).await;
    let again = portal.browser("203.0.113.1");
    assert_eq!(again.login("alice", OTHER_PASSWORD).await.status, StatusCode::OK);
    assert!(!texts(&again).await.iter().any(|text| text.contains("password")));
}

/// A thief signs in, adds a factor and dismisses what the owner should see.
#[tokio::test]
async fn a_thief_with_a_session_cannot_dismiss_notices_for_the_owner() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let owner = portal.browser("203.0.113.1").signed_in("alice").await;
    portal.advance(1_000).await;
    let thief = portal.browser("198.51.100.1").signed_in("alice").await;
    crate::second_factor::register(&portal, &thief).await;
    portal.advance(1_000).await;
    let far = json!({"until": portal.state.now()});
    assert_eq!(thief.post(paths::NOTICES_READ, &far).await.status, StatusCode::NO_CONTENT);
    assert!(texts(&thief).await.is_empty());
    // A copy of the owner's cookies has no key, and dismisses nothing either.
    let copy = owner.thief(&portal, "198.51.100.2");
    assert_eq!(copy.post(paths::NOTICES_READ, &far).await.code(), "bad_proof");
    assert_eq!(owner.bare().post(paths::NOTICES_READ, &far).await.status, StatusCode::UNAUTHORIZED);
    for _ in 0..3 {
        portal.advance(8 * DAY).await;
        assert_eq!(owner.refresh().await.status, StatusCode::OK);
        let texts = texts(&owner).await;
        assert!(texts.iter().any(|text| text.starts_with("A second factor was added")), "{texts:?}");
        assert!(texts.iter().any(|text| text.starts_with("Signed in on a new device")), "{texts:?}");
        assert!(page(&owner).await.contains(PANEL));
    }
}

/// The device is known by its key, so that a new session there does not show everything again.
#[tokio::test]
async fn a_dismissal_holds_for_the_next_session_of_the_same_device() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let first = portal.browser("203.0.113.1").signed_in("alice").await;
    portal.advance(1_000).await;
    portal.browser("203.0.113.2").signed_in("alice").await;
    assert_eq!(first.post(paths::NOTICES_READ, &json!({"until": portal.state.now()})).await.status.as_u16(), 204);
    assert!(first.post(paths::LOGOUT, &json!({})).await.status.is_success());
    portal.advance(1_000).await;
    let first = first.signed_in("alice").await;
    assert!(texts(&first).await.is_empty());
    // A program without a key is known by its session.
    let program = portal.program("203.0.113.3");
    let tokens = program.login("alice", PASSWORD).await.json()["tokens"].clone();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let own = async |method: http::Method, path: &str, body: Option<String>| {
        program.send(method, path, body, &[("authorization", &bearer)]).await
    };
    assert!(own(http::Method::GET, paths::NOTICES, None).await.text.contains("new device"));
    let until = json!({"until": portal.state.now()}).to_string();
    assert_eq!(own(http::Method::POST, paths::NOTICES_READ, Some(until)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(own(http::Method::GET, paths::NOTICES, None).await.json(), json!({"notices": []}));
    assert!(texts(&first).await.iter().any(|text| text.contains("new device")), "the program was new");
}

/// The password is known to somebody: the owner learns of it at most once in an hour.
#[tokio::test]
async fn a_wrong_code_after_the_right_password_tells_the_owner_once_an_hour() {
    let (mail, portal, root) = mail_portal(100).await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    vouch(&root, &alice.user, "alice@example.com").await;
    let owner = portal.browser("203.0.113.1");
    assert_eq!(login_with(&owner, "alice", PASSWORD, &alice.code(&portal, 0)).await.status, StatusCode::OK);
    send_due(&portal.state).await.unwrap();
    mail.take_messages();
    // The hours of mail begin with the clock's.
    portal.advance(HOUR - portal.state.now().as_millis().rem_euclid(HOUR)).await;
    owner.refresh().await;
    for number in 0..3 {
        let stranger = portal.browser(&format!("198.51.{number}.7"));
        let wrong = login_with(&stranger, "alice", PASSWORD, &alice.wrong_code(&portal)).await;
        assert_eq!(wrong.code(), "wrong_credentials", "{}", wrong.text);
    }
    let stranger = portal.browser("198.51.99.7");
    let pending = stranger.login("alice", PASSWORD).await.json()["pending"].clone();
    assert_eq!(finish(&stranger, &pending, &alice.wrong_code(&portal)).await.code(), "wrong_code");
    let message = mail.only_message(&portal).await;
    for part in ["Subject: Postern: the right password with a wrong code", "To: <alice@example.com>", "198.51.0.0/24"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let codes = async || texts(&owner).await.iter().filter(|text| text.contains("wrong code")).count();
    assert_eq!(codes().await, 1, "{:?}", texts(&owner).await);
    assert!(page(&owner).await.contains(PANEL));
    // A wrong password is no notice.
    portal.browser("198.51.98.7").login("alice", "wrong").await;
    send_due(&portal.state).await.unwrap();
    assert!(mail.take_messages().is_empty());

    portal.advance(HOUR).await;
    owner.refresh().await;
    let later = portal.browser("198.51.97.7");
    assert_eq!(login_with(&later, "alice", PASSWORD, &alice.wrong_code(&portal)).await.code(), "wrong_credentials");
    assert!(mail.only_message(&portal).await.contains("198.51.97.0/24"));
    assert_eq!(codes().await, 2);
}

/// What happens to an account elsewhere is a notice on every device, and a message.
#[tokio::test]
async fn another_name_a_removal_and_a_reset_are_notices_on_every_device() {
    let (mail, portal, root) = mail_portal(100).await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    vouch(&root, &alice.user, "alice@example.com").await;
    let first = portal.browser("203.0.113.1");
    assert_eq!(login_with(&first, "alice", PASSWORD, &alice.code(&portal, 0)).await.status, StatusCode::OK);
    portal.advance(60_000).await;
    let second = portal.browser("203.0.113.1");
    assert_eq!(login_with(&second, "alice", PASSWORD, &alice.code(&portal, 0)).await.status, StatusCode::OK);
    send_due(&portal.state).await.unwrap();
    mail.take_messages();

    portal.advance(1_000).await;
    let renamed = portal.entry(AuditEvent::UserRenamed, &alice.user);
    let (id, name) = (alice.user.as_str().into(), AccountName::parse("alicia").unwrap());
    let outcome = portal.store().rename_user(&id, &name, &renamed, portal.state.now()).await.unwrap();
    assert_eq!(outcome, RenameOutcome::Renamed);
    let message = mail.only_message(&portal).await;
    assert!(message.contains("account renamed") && message.contains("Sign in as alicia"), "{message}");

    portal.advance(1_000).await;
    let path = format!("{}/{}/second-factors", paths::USERS, alice.user);
    let removed = root.send(http::Method::DELETE, &path, None, &[]).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    for device in [&first, &second] {
        let texts = texts(device).await;
        assert!(texts.iter().any(|text| text == "An administrator renamed the account"), "{texts:?}");
        assert!(texts.iter().any(|text| text.starts_with("An administrator removed second factors")), "{texts:?}");
        assert!(page(device).await.contains(PANEL));
    }

    let made = root.post(&format!("{}/{}/reset", paths::USERS, alice.user), &json!({})).await.json();
    for device in [&first, &second] {
        let texts = texts(device).await;
        assert!(texts.iter().any(|text| text.contains("link")), "{texts:?}");
    }
    let code = made["link"].as_str().unwrap().split("#code=").nth(1).unwrap().to_owned();
    let stranger = portal.browser("198.51.100.7");
    let reset = stranger.post_sealed(EnvelopeKind::Reset, &json!({"code": code, "password": OTHER_PASSWORD})).await;
    assert_eq!(reset.status, StatusCode::NO_CONTENT, "{}", reset.text);
    // A reset ends all sessions, so two devices sign in again.
    for device in [portal.browser("203.0.113.3"), portal.browser("203.0.113.4")] {
        assert_eq!(device.login("alicia", OTHER_PASSWORD).await.status, StatusCode::OK);
        let texts = texts(&device).await;
        assert!(texts.iter().any(|text| text == "The password was changed"), "{texts:?}");
    }
}

/// ASVS 6.3.5
#[tokio::test]
async fn the_owner_sees_a_right_password_without_its_second_factor() {
    let portal = Portal::start().await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let owner = portal.browser("203.0.113.1");
    assert_eq!(login_with(&owner, "alice", PASSWORD, &alice.code(&portal, 0)).await.status, StatusCode::OK);
    let missing = "The right password without a second factor, from 198.51.100.0/24";
    assert!(!owner.get(paths::ACTIVITY_PAGE).await.text.contains(missing));
    let thief = portal.browser("198.51.100.1");
    assert_eq!(thief.login("alice", PASSWORD).await.code(), "second_factor_required");
    let page = owner.get(paths::ACTIVITY_PAGE).await.text;
    assert!(page.contains(missing), "{page}");
}
