//! What is queued, and what is dropped, by several nodes, in a flood, and when a link opens nothing any more.

use crate::mail::{MailServer, code_in, patch, vouch};
use crate::support::{PASSWORD, Portal};
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;
use server::client::Client;
use server::flows::forgotten;
use server::flows::mail::send_due;
use server::jobs;
use store::audit::AuditEvent;
use wire::envelope::EnvelopeKind;
use wire::paths;

const HOUR: i64 = 60 * 60_000;

fn client() -> Client {
    Client::new("203.0.113.7".parse().unwrap(), 64, &HeaderMap::new())
}

#[tokio::test]
async fn a_node_without_mail_does_not_turn_it_off_for_the_others() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings()).await;
    portal.add_administrator("root").await;
    let ada = portal.add_user("ada").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    vouch(&root, &ada, "ada@example.com").await;
    let without = portal.another_with("").await;
    jobs::sweep(&without.state).await;
    forgotten::mail_link(&portal.state, &client(), "ada").await.unwrap();
    assert!(mail.one(&portal).await.contains("To: <ada@example.com>"));

    // As long as one node repeats that it sends mail.
    for _ in 0..3 {
        portal.clock.advance(HOUR - 1);
        jobs::sweep(&portal.state).await;
        jobs::sweep(&without.state).await;
    }
    assert_eq!(portal.store().mail_limit().await.unwrap(), Some(3));
    portal.clock.advance(HOUR);
    jobs::sweep(&without.state).await;
    assert_eq!(portal.store().mail_limit().await.unwrap(), None, "none does");
}

#[tokio::test]
async fn many_sign_ins_do_not_silence_the_notice_of_a_changed_password() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings()).await;
    portal.add_administrator("root").await;
    let ada = portal.add_user("ada").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    vouch(&root, &ada, "ada@example.com").await;
    portal.browser("203.0.113.1").signed_in("ada").await;
    for device in 2..6 {
        portal.clock.advance(1_000);
        portal.browser(&format!("203.0.113.{device}")).signed_in("ada").await;
    }
    send_due(&portal.state).await.unwrap();
    assert_eq!(mail.taken().len(), 3, "the limit of an hour");
    portal.store().append(&portal.entry(AuditEvent::PasswordSet, &ada)).await.unwrap();
    assert!(mail.one(&portal).await.contains("was changed"));
}

#[tokio::test]
async fn links_that_open_nothing_any_more_are_not_mailed() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings()).await;
    portal.add_administrator("root").await;
    let ada = portal.add_user("ada").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    vouch(&root, &ada, "ada@example.com").await;
    // An invitation that was revoked before the mail server took it.
    let wish = json!({"role": "user", "hours": 24, "email": "bob@example.com"});
    assert_eq!(root.post(paths::INVITATIONS, &wish).await.json()["mailed"], true);
    let id = root.get(paths::INVITATIONS).await.json()["invitations"][0]["id"].as_str().unwrap().to_owned();
    let revoked = root.send(Method::DELETE, &format!("{}/{id}", paths::INVITATIONS), None, &[]).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.text);
    // A link for a new password, and a second one that replaces it.
    let path = format!("{}/{ada}/reset", paths::USERS);
    root.post(&path, &json!({"mail": true})).await;
    let newer = root.post(&path, &json!({"mail": true})).await.json()["link"].as_str().unwrap().to_owned();
    assert_eq!(portal.store().mails().await.unwrap().len(), 3);
    let message = mail.one(&portal).await;
    assert!(newer.ends_with(&code_in(&message, paths::RESET_PAGE)), "{message}");
    assert!(portal.store().mails().await.unwrap().is_empty(), "the others are dropped, and nobody looks after them");
    // The same for a link that proves an address, which was changed meanwhile.
    let alice = portal.browser("203.0.113.1").signed_in("ada").await;
    patch(&alice, paths::PROFILE, &json!({"email": "ada@example.net"})).await;
    mail.one(&portal).await;
    assert_eq!(alice.post(paths::EMAIL_PROOF, &json!({})).await.status, StatusCode::ACCEPTED);
    patch(&alice, paths::PROFILE, &json!({"email": "ada@example.org"})).await;
    send_due(&portal.state).await.unwrap();
    assert!(mail.taken().is_empty());
    assert!(portal.store().mails().await.unwrap().is_empty());
}

#[tokio::test]
async fn requests_for_links_are_bounded_and_a_stop_waits_for_them() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings()).await;
    portal.add_administrator("root").await;
    let ada = portal.add_user("ada").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    vouch(&root, &ada, "ada@example.com").await;
    let visitor = portal.browser("203.0.113.7");
    let ask = async || visitor.post(paths::FORGOTTEN_PASSWORD, &json!({"account": "ada"})).await.status;
    let permits = portal.state.link_requests.available_permits();
    let all = portal.state.link_requests.acquire_many(u32::try_from(permits).unwrap()).await.unwrap();
    assert_eq!(ask().await, StatusCode::ACCEPTED, "the same answer");
    drop(all);
    forgotten::finish(&portal.state).await;
    assert!(portal.store().mails().await.unwrap().is_empty(), "it was dropped");
    assert_eq!(ask().await, StatusCode::ACCEPTED);
    forgotten::finish(&portal.state).await;
    assert!(mail.one(&portal).await.contains("To: <ada@example.com>"));
}

#[tokio::test]
async fn the_address_of_a_mailed_invitation_becomes_the_accounts_if_it_is_free() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings()).await;
    portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let wish = json!({"role": "user", "hours": 24, "email": "Ada@Example.com"});
    let mut codes = Vec::new();
    for _ in 0..2 {
        assert_eq!(root.post(paths::INVITATIONS, &wish).await.status, StatusCode::CREATED);
        codes.push(code_in(&mail.one(&portal).await, paths::SIGNUP_PAGE));
    }
    let (second, first) = (codes.pop().unwrap(), codes.pop().unwrap());
    for (name, code, email) in [
        ("ada", first, json!({"address": "Ada@example.com", "state": "vouched_for"})),
        ("another", second, json!(null)),
    ] {
        let person = portal.browser("203.0.113.1");
        let content = json!({"username": name, "password": PASSWORD, "code": code});
        let joined = person.post_sealed(EnvelopeKind::Signup, &content).await;
        assert_eq!(joined.status, StatusCode::OK, "{}", joined.text);
        assert_eq!(person.get(paths::PROFILE).await.json()["email"], email, "{name}");
    }
    // An invitation without a message, or over the limit, gives no address.
    for mailed in [true, false] {
        let wish = json!({"role": "user", "hours": 24, "email": "ada@example.com"});
        let made = root.post(paths::INVITATIONS, &wish).await.json();
        assert_eq!(made["mailed"], mailed);
    }
    let stored = portal.store().invitations().await.unwrap();
    let addresses = stored.iter().filter_map(|invitation| invitation.email.as_ref()).count();
    assert_eq!(addresses, 1, "of four: used ones keep none, and one was not mailed");
}
