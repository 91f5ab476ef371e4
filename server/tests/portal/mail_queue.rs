//! The queue of messages: several nodes, attempts, limits, and what is dropped.

use crate::support::mail::{MailServer, add_vouched, code_in, mail_portal, patch, requesting_client, vouch};
use crate::support::{Portal, output_text, postern};
use http::{Method, StatusCode};
use serde_json::json;
use server::flows::forgotten;
use server::flows::forgotten::mail_link;
use server::flows::mail::send_due;
use server::{doctor, jobs};
use store::audit::AuditEvent;
use store::mails::MailCounts;
use tokio::net::TcpSocket;
use wire::paths;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * 60_000;

#[tokio::test]
async fn two_nodes_send_a_message_once_and_a_node_that_died_is_replaced() {
    let (mail, portal, root) = mail_portal(3).await;
    let other = portal.another().await;
    for n in 0..5 {
        let request = json!({"role": "user", "hours": 24, "email": format!("ada{n}@example.com")});
        assert_eq!(root.post(paths::INVITATIONS, &request).await.status, StatusCode::CREATED);
    }
    let (first, second) = tokio::join!(send_due(&portal.state), send_due(&other.state));
    first.and(second).unwrap();
    assert_eq!(mail.take_messages().len(), 5);
    // A node that ends after its claim: nobody sends for five minutes, then another node does.
    let request = json!({"role": "user", "hours": 24, "email": "bob@example.com"});
    root.post(paths::INVITATIONS, &request).await;
    let row = portal.store().mails().await.unwrap().remove(0);
    assert!(portal.store().claim_mail(&row, portal.clock_now() + 5 * MINUTE).await.unwrap());
    send_due(&other.state).await.unwrap();
    portal.advance(5 * MINUTE - 1).await;
    send_due(&other.state).await.unwrap();
    assert!(mail.take_messages().is_empty());
    portal.advance(1).await;
    let id = format!("Message-ID: <{}@example.org>", row.id);
    assert!(mail.only_message(&other).await.contains(&id), "each attempt has the same id");
}

#[tokio::test]
async fn a_message_is_tried_again_with_growing_pauses_and_given_up() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings(3)).await;
    let root_id = portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    vouch(&root, &root_id, "root@example.org").await;
    let findings = async || doctor::mail(&portal.state.config, portal.store().mail_counts().await.unwrap()).unwrap();
    // Greylisted, then accepted.
    mail.answer_recipients("451 4.7.1 Greylisted, try again later");
    portal.store().append(&portal.entry(AuditEvent::SecondFactorAdded, &root_id)).await.unwrap();
    send_due(&portal.state).await.unwrap();
    let row = portal.store().mails().await.unwrap().remove(0);
    assert_eq!((row.tries, row.next_at), (1, portal.clock_now() + MINUTE));
    assert!(row.failure.contains("451 4.7.1 Greylisted"), "{}", row.failure);
    assert_eq!(findings().await.state, doctor::FindingLevel::Fine);
    mail.answer_recipients("250 Ok");
    portal.advance(MINUTE).await;
    assert!(mail.only_message(&portal).await.contains("A second factor was added to your account root"));

    // Refused permanently: there is no further attempt, and the operator sees it.
    mail.answer_recipients("550 5.1.1 No such user");
    portal.store().append(&portal.entry(AuditEvent::PasskeyAdded, &root_id)).await.unwrap();
    send_due(&portal.state).await.unwrap();
    assert_eq!(portal.store().mail_counts().await.unwrap(), MailCounts { waiting: 0, given_up: 1 });
    let finding = findings().await;
    assert_eq!(finding.state, doctor::FindingLevel::Warning);
    assert!(finding.says.contains("did not accept 1 message"), "{}", finding.says);
    assert!(root.get(paths::DASHBOARD_PAGE).await.text.contains("did not accept 1 message"));
    mail.answer_recipients("250 Ok");
    let row = portal.store().mails().await.unwrap().remove(0);
    assert!(portal.store().retry_mail(&row.id, portal.clock_now()).await.unwrap());
    assert!(mail.only_message(&portal).await.contains("A passkey was added"));

    // A whole day without success.
    mail.answer_recipients("451 4.3.0 Later");
    portal.store().append(&portal.entry(AuditEvent::PasskeyRemoved, &root_id)).await.unwrap();
    let mut tries = 0;
    for _ in 0..24 * 60 {
        send_due(&portal.state).await.unwrap();
        let Some(row) = portal.store().mails().await.unwrap().pop() else { panic!("gone") };
        tries = row.tries;
        if row.given_up_at.is_some() {
            break;
        }
        portal.clock.advance(MINUTE);
    }
    assert_eq!(tries, 18);
    assert_eq!(portal.store().mail_counts().await.unwrap().given_up, 1);
    // A week later it is deleted.
    portal.clock.advance(8 * 24 * HOUR);
    jobs::sweep(&portal.state).await;
    assert_eq!(portal.store().mail_counts().await.unwrap(), MailCounts::default());
}

#[tokio::test]
async fn a_server_that_is_down_costs_only_one_message_an_attempt() {
    // Bound and not listening: connections are refused, and no other program gets the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let settings = format!("[mail]\nserver = '127.0.0.1'\nport = {port}\nsecurity = 'off'\nfrom = 'a@example.org'\n");
    let portal = Portal::with(&settings).await;
    let root = portal.administrator().await;
    for n in 0..3 {
        let request = json!({"role": "user", "hours": 24, "email": format!("ada{n}@example.com")});
        root.post(paths::INVITATIONS, &request).await;
    }
    send_due(&portal.state).await.unwrap();
    let tries: Vec<_> = portal.store().mails().await.unwrap().iter().map(|row| row.tries).collect();
    assert_eq!(tries.iter().sum::<u32>(), 1, "{tries:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_test_the_server_and_manage_the_queue() {
    let mail = MailServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = postern(folder.path(), arguments, "");
        (output.status.code(), output_text(&output))
    };
    let (code, text) = run(&["mail", "test", "ada@example.com"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("mail is off"), "{text}");
    std::fs::write(folder.path().join("postern.toml"), mail.settings(3)).unwrap();
    let (code, text) = run(&["mail", "test", "ada@example.com"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("The mail server answered: 250 Ok: queued"), "{text}");
    assert!(mail.take_messages().remove(0).contains("This is a test message of Postern."));
    mail.answer_recipients("550 5.1.1 <ada@example.com>: no such user");
    let (code, text) = run(&["mail", "test", "ada@example.com"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("RCPT TO: the server answered: 550 5.1.1 <ada@example.com>: no such user"), "{text}");
    let (code, text) = run(&["mail", "queue", "retry", "nobody"]);
    assert_eq!(code, Some(3), "{text}");
    assert_eq!(run(&["mail", "queue", "drop"]).0, Some(2));
    assert_eq!(run(&["mail", "queue", "drop", "--all"]).0, Some(0));
    assert_eq!(run(&["mail", "queue", "--json"]).1.trim(), "[]");
}

#[tokio::test]
async fn a_node_without_mail_does_not_turn_it_off_for_the_others() {
    let (mail, portal, root) = mail_portal(3).await;
    add_vouched(&portal, &root, "ada").await;
    let without = portal.another_with("").await;
    jobs::sweep(&without.state).await;
    mail_link(&portal.state, &requesting_client(), "ada").await.unwrap();
    assert!(mail.only_message(&portal).await.contains("To: <ada@example.com>"));

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
    let (mail, portal, root) = mail_portal(3).await;
    let ada = add_vouched(&portal, &root, "ada").await;
    portal.browser("203.0.113.1").signed_in("ada").await;
    for device in 2..6 {
        portal.clock.advance(1_000);
        portal.browser(&format!("203.0.113.{device}")).signed_in("ada").await;
    }
    send_due(&portal.state).await.unwrap();
    assert_eq!(mail.take_messages().len(), 3, "the limit of an hour");
    portal.store().append(&portal.entry(AuditEvent::PasswordSet, &ada)).await.unwrap();
    assert!(mail.only_message(&portal).await.contains("was changed"));
}

#[tokio::test]
async fn links_that_open_nothing_any_more_are_not_mailed() {
    let (mail, portal, root) = mail_portal(3).await;
    let ada = add_vouched(&portal, &root, "ada").await;
    // An invitation that was revoked before the mail server took it.
    let request = json!({"role": "user", "hours": 24, "email": "bob@example.com"});
    assert_eq!(root.post(paths::INVITATIONS, &request).await.json()["mailed"], true);
    let id = root.get(paths::INVITATIONS).await.json()["invitations"][0]["id"].as_str().unwrap().to_owned();
    let revoked = root.send(Method::DELETE, &format!("{}/{id}", paths::INVITATIONS), None, &[]).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.text);
    // A link for a new password that ended with the account's rights, and one that was made after that.
    let path = format!("{}/{ada}/reset", paths::USERS);
    root.post(&path, &json!({"mail": true})).await;
    for disabled in [true, false] {
        let event = if disabled { AuditEvent::UserDisabled } else { AuditEvent::UserEnabled };
        let audit = portal.entry(event, &ada);
        assert!(
            portal
                .store()
                .set_disabled(&ada.as_str().into(), disabled, &audit, portal.state.now())
                .await
                .unwrap()
                .is_done()
        );
    }
    let newer = root.post(&path, &json!({"mail": true})).await.json()["link"].as_str().unwrap().to_owned();
    assert_eq!(portal.store().mails().await.unwrap().len(), 3);
    let message = mail.only_message(&portal).await;
    assert!(newer.ends_with(&code_in(&message, paths::RESET_PAGE)), "{message}");
    assert!(portal.store().mails().await.unwrap().is_empty(), "the others are dropped, and nobody looks after them");
    // The same for a link that proves an address, which was changed meanwhile.
    let alice = portal.browser("203.0.113.1").signed_in("ada").await;
    patch(&alice, paths::PROFILE, &json!({"email": "ada@example.net"})).await;
    mail.only_message(&portal).await;
    assert_eq!(alice.post(paths::EMAIL_PROOF, &json!({})).await.status, StatusCode::ACCEPTED);
    patch(&alice, paths::PROFILE, &json!({"email": "ada@example.org"})).await;
    send_due(&portal.state).await.unwrap();
    assert!(mail.take_messages().is_empty());
    assert!(portal.store().mails().await.unwrap().is_empty());
}

#[tokio::test]
async fn requests_for_links_are_bounded_and_a_stop_waits_for_them() {
    let (mail, portal, root) = mail_portal(3).await;
    add_vouched(&portal, &root, "ada").await;
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
    assert!(mail.only_message(&portal).await.contains("To: <ada@example.com>"));
}
