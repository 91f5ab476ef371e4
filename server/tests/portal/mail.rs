//! Mail to people: invitations, proofs of addresses, notices, and links for a new password.

use crate::support::mail::{MailServer, add_vouched, code_in, mail_portal, patch, requesting_client, vouch};
use crate::support::{PASSWORD, Portal};
use http::{Method, StatusCode};
use serde_json::json;
use server::doctor;
use server::flows::forgotten::{self, mail_link};
use server::flows::mail::send_due;
use store::audit::AuditEvent;
use store::mails::MailCounts;
use store::resets::MailResetOutcome;
use wire::envelope::EnvelopeKind;
use wire::paths;

const HOUR: i64 = 60 * 60_000;

#[tokio::test]
async fn an_invitation_is_mailed_and_leaves_nothing_behind() {
    let (mail, portal, root) = mail_portal(3).await;
    let request = json!({"role": "user", "hours": 24, "email": "Ada@Example.com"});
    // A link never leads to a host that a request names.
    let forged = [("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")];
    let made = root.send(Method::POST, paths::INVITATIONS, Some(request.to_string()), &forged).await;
    assert_eq!((made.status, &made.json()["mailed"]), (StatusCode::CREATED, &json!(true)), "{}", made.text);
    let row = portal.store().mails().await.unwrap().remove(0);
    let code = made.json()["link"].as_str().unwrap().split_once("#code=").unwrap().1.to_owned();
    assert!(!row.sealed.contains(&code) && row.user.is_none(), "the code is sealed");

    let message = mail.only_message(&portal).await;
    assert_eq!(code_in(&message, paths::SIGNUP_PAGE), code);
    for part in ["To: <Ada@example.com>", "Subject: Your invitation to Postern", "Auto-Submitted: auto-generated"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("evil.example"));
    assert!(portal.store().mails().await.unwrap().is_empty());
    send_due(&portal.state).await.unwrap();
    assert!(mail.take_messages().is_empty());

    for wrong in ["ada", "ada@example.org\r\nBcc: eve@example.net", "\u{e4}da@example.org", "ada@ex\u{e4}mple.org"] {
        let request = json!({"role": "user", "hours": 24, "email": wrong});
        assert_eq!(root.post(paths::INVITATIONS, &request).await.code(), "bad_request", "{wrong}");
    }
    let long = format!("{}@example.org", "x".repeat(65));
    let request = json!({"role": "user", "hours": 24, "email": long});
    assert_eq!(root.post(paths::INVITATIONS, &request).await.code(), "bad_request");
    // The limit prevents a flood of mail: the link is made, and not mailed.
    let again = json!({"role": "user", "hours": 24, "email": "ada@example.com"});
    let mut mailed = Vec::new();
    for _ in 0..4 {
        mailed.push(root.post(paths::INVITATIONS, &again).await.json()["mailed"].clone());
    }
    assert_eq!(mailed, [true, true, false, false]);
    assert!(root.get(paths::INVITATIONS_PAGE).await.text.contains("Mail the link to"));
}

#[tokio::test]
async fn a_person_proves_an_address_by_a_link_and_a_changed_one_is_unproved_again() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings(3)).await;
    for name in ["alice", "eve"] {
        portal.add_user(name).await;
    }
    let alice = portal.browser("203.0.113.1").signed_in("alice").await;
    let eve = portal.browser("203.0.113.2").signed_in("eve").await;
    let nothing = json!({});
    assert_eq!(alice.post(paths::EMAIL_PROOF, &nothing).await.code(), "not_found", "there is no address");
    assert!(!alice.get(paths::PROFILE_PAGE).await.text.contains("Prove your e-mail address"));
    assert_eq!(patch(&alice, paths::PROFILE, &json!({"email": "alice@example.com"})).await.status, StatusCode::OK);
    assert!(alice.get(paths::PROFILE_PAGE).await.text.contains("Prove your e-mail address"));
    assert_eq!(alice.post(paths::EMAIL_PROOF, &nothing).await.status, StatusCode::ACCEPTED);
    let message = mail.only_message(&portal).await;
    assert!(message.contains("To: <alice@example.com>"), "{message}");
    let code = code_in(&message, paths::PROFILE_PAGE);

    // Another person who opens the link proves nothing, and does not use it up.
    let confirm = json!({"code": code});
    assert_eq!(eve.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.code(), "link_used_up");
    let stranger = portal.browser("203.0.113.9");
    assert_eq!(stranger.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.status, StatusCode::UNAUTHORIZED);
    let confirmed = alice.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await;
    assert_eq!(confirmed.json()["email"], json!({"address": "alice@example.com", "state": "proved"}));
    assert_eq!(alice.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.code(), "link_used_up", "once");
    assert_eq!(alice.post(paths::EMAIL_PROOF, &nothing).await.code(), "not_found", "nothing to prove");
    let page = alice.get(&format!("{}?done=proved", paths::PROFILE_PAGE)).await.text;
    assert!(page.contains("Your e-mail address is proved.") && !page.contains("Prove your e-mail"), "{page}");

    // The other account cannot use the address. That shows only after opening a link that its owner receives.
    patch(&eve, paths::PROFILE, &json!({"email": "ALICE@example.com"})).await;
    assert_eq!(eve.post(paths::EMAIL_PROOF, &nothing).await.status, StatusCode::ACCEPTED);
    let confirm = json!({"code": code_in(&mail.only_message(&portal).await, paths::PROFILE_PAGE)});
    assert_eq!(eve.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.code(), "email_taken");

    // The new address is unproved, and the earlier one gets a message.
    let changed = patch(&alice, paths::PROFILE, &json!({"email": "alice@example.net"})).await.json();
    assert_eq!(changed["email"]["state"], "unproved");
    let notice = mail.only_message(&portal).await;
    assert!(notice.contains("To: <alice@example.com>") && notice.contains("was changed or removed"), "{notice}");
    // A link expires.
    alice.post(paths::EMAIL_PROOF, &nothing).await;
    let confirm = json!({"code": code_in(&mail.only_message(&portal).await, paths::PROFILE_PAGE)});
    alice.post(paths::EMAIL_PROOF, &nothing).await;
    assert_eq!(alice.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.code(), "link_used_up", "replaced");
    // The account had three messages in this hour.
    let limited = alice.post(paths::EMAIL_PROOF, &nothing).await;
    assert_eq!((limited.status, limited.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
    assert!(limited.header("retry-after").parse::<i64>().unwrap() <= 3600);
    let confirm = json!({"code": code_in(&mail.only_message(&portal).await, paths::PROFILE_PAGE)});
    portal.advance(24 * HOUR).await;
    alice.refresh().await;
    assert_eq!(alice.confirm().await.status, StatusCode::NO_CONTENT);
    assert_eq!(alice.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.code(), "link_used_up", "expired");
}

#[tokio::test]
async fn notices_go_to_an_address_that_is_sure_and_to_no_other() {
    let (mail, portal, root) = mail_portal(100).await;
    let alice = portal.add_user("alice").await;
    portal.browser("203.0.113.1").signed_in("alice").await;
    portal.advance(1_000).await;
    // The second device is new, but there is no address yet.
    let second = portal.browser("203.0.113.2").signed_in("alice").await;
    patch(&second, paths::PROFILE, &json!({"email": "alice@example.com"})).await;
    portal.browser("203.0.113.3").signed_in("alice").await;
    send_due(&portal.state).await.unwrap();
    assert!(mail.take_messages().is_empty(), "an unproved address gets no notices");

    vouch(&root, &alice, "alice@example.com").await;
    portal.browser("203.0.113.4").signed_in("alice").await;
    let message = mail.only_message(&portal).await;
    for part in ["Subject: Postern: new sign-in to your account", "To: <alice@example.com>", "203.0.113.0/24", "UTC"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(message.contains("http://localhost:3000/dashboard/activity") && !message.contains("code="), "{message}");
    for (event, says) in [
        (AuditEvent::PasswordSet, "The password of your account alice at Postern was changed."),
        (AuditEvent::SecondFactorAdded, "A second factor was added"),
        (AuditEvent::SecondFactorRemoved, "An administrator removed a second factor"),
        (AuditEvent::RecoveryCodeUsed, "A recovery code was used"),
        (AuditEvent::PasskeyRemoved, "A passkey was removed"),
    ] {
        portal.store().append(&portal.entry(event, &alice)).await.unwrap();
        let message = mail.only_message(&portal).await;
        assert!(message.contains(says), "{says}: {message}");
    }
    // They are the same events that the page shows.
    assert!(second.get(paths::DASHBOARD_PAGE).await.text.contains("New on your account"));
}

#[tokio::test]
async fn a_reset_link_is_mailed_to_a_sure_address_with_one_message() {
    let (mail, portal, root) = mail_portal(3).await;
    let alice = portal.add_user("alice").await;
    let path = format!("{}/{alice}/reset", paths::USERS);
    let request = json!({"mail": true});
    assert_eq!(root.post(&path, &request).await.code(), "bad_request", "no address");
    vouch(&root, &alice, "alice@example.com").await;
    assert!(root.get(paths::USERS_PAGE).await.text.contains("Mail reset link"));
    let made = root.post(&path, &request).await;
    assert_eq!((made.status, &made.json()["mailed"]), (StatusCode::OK, &json!(true)), "{}", made.text);
    let message = mail.only_message(&portal).await;
    assert!(message.contains("your account alice") && message.contains("second factor"), "{message}");
    assert!(made.json()["link"].as_str().unwrap().ends_with(&code_in(&message, paths::RESET_PAGE)));
    // A link that is handed over in another way is announced.
    assert_eq!(root.post(&path, &json!({})).await.json().get("mailed"), None);
    assert!(mail.only_message(&portal).await.contains("An administrator made a link"));
    for wrong in [json!({"mail": "yes"}), json!({"mail": true, "to": "eve@example.net"})] {
        assert_eq!(root.post(&path, &wrong).await.code(), "bad_request", "{wrong}");
    }
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_mail_with_one_answer_for_every_name() {
    let (mail, portal, root) = mail_portal(3).await;
    let alice = portal.add_user("alice").await;
    let bob = portal.add_user("bob").await;
    vouch(&root, &alice, "alice@example.com").await;
    let visitor = portal.browser("203.0.113.7");
    assert!(visitor.get(paths::LOGIN_PAGE).await.text.contains("Forgot password?"));
    assert!(visitor.get(paths::FORGOTTEN_PAGE).await.text.contains("Account name"));
    let mut answers = Vec::new();
    for name in ["alice", "bob", "nobody", "", "\u{1f98a}", "alice\r\nBcc: eve@example.net"] {
        let answer = visitor.post(paths::FORGOTTEN_PASSWORD, &json!({"account": name})).await;
        answers.push((answer.status, answer.text.clone()));
    }
    assert!(answers.iter().all(|answer| *answer == (StatusCode::ACCEPTED, String::new())), "{answers:?}");
    // The links are made after the answers. Bob gets an address below, and nothing for this request.
    forgotten::finish(&portal.state).await;
    for wrong in [json!({}), json!({"account": 7}), json!({"account": "alice", "to": "eve@example.net"})] {
        assert_eq!(visitor.post(paths::FORGOTTEN_PASSWORD, &wrong).await.code(), "bad_request", "{wrong}");
    }
    // The server does this after the answer; here it is called directly.
    let client = requesting_client();
    let ask = async |name: &str| mail_link(&portal.state, &client, name).await.unwrap();
    assert_eq!(ask("bob").await, None, "there is no address");
    patch(&portal.browser("203.0.113.9").signed_in("bob").await, paths::PROFILE, &json!({"email": "b@example.com"}))
        .await;
    assert_eq!(ask("bob").await, None, "an unproved address gets nothing");
    // A disabled account gets no link.
    vouch(&root, &bob, "bob@example.com").await;
    let disabled = patch(&root, &format!("{}/{bob}", paths::USERS), &json!({"disabled": true})).await;
    assert_eq!(disabled.status, StatusCode::NO_CONTENT);
    assert_eq!(ask("bob").await, None);
    assert!(mail.only_message(&portal).await.contains("To: <alice@example.com>"), "asked for above");
    portal.advance(HOUR).await;
    assert_eq!(ask("ALICE").await, Some(MailResetOutcome::Queued));
    let message = mail.only_message(&portal).await;
    assert!(message.contains("To: <alice@example.com>") && message.contains("203.0.113.0/24"), "{message}");
    let code = code_in(&message, paths::RESET_PAGE);
    let request = json!({"code": code, "password": "another horse battery staple"});
    let set = visitor.post_sealed(EnvelopeKind::Reset, &request).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT, "{}", set.text);
    assert!(mail.only_message(&portal).await.contains("was changed"));
    assert_eq!(visitor.post_sealed(EnvelopeKind::Reset, &request).await.code(), "link_used_up", "once");
    let limited = [ask("alice").await, ask("alice").await, ask("alice").await];
    assert_eq!(limited[2], Some(MailResetOutcome::OverLimit), "{limited:?}");
    let without = Portal::start().await;
    let visitor = without.browser("203.0.113.7");
    assert_eq!(visitor.post(paths::FORGOTTEN_PASSWORD, &json!({"account": "a"})).await.code(), "not_found");
    assert!(!visitor.get(paths::LOGIN_PAGE).await.text.contains("Forgot"));
    assert!(!visitor.get(paths::FORGOTTEN_PAGE).await.text.contains("Account name"));
}

#[tokio::test]
async fn without_mail_everything_works_and_no_page_speaks_of_it() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    let alice = portal.add_user("alice").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    vouch(&root, &alice, "alice@example.com").await;
    let visitor = portal.browser("203.0.113.1").signed_in("alice").await;
    patch(&visitor, paths::PROFILE, &json!({"email": "alice@example.net"})).await;
    assert_eq!(visitor.post(paths::EMAIL_PROOF, &json!({})).await.code(), "not_found");
    for (who, page) in [(&visitor, paths::PROFILE_PAGE), (&root, paths::INVITATIONS_PAGE), (&root, paths::USERS_PAGE)] {
        let text = who.get(page).await.text;
        assert!(!text.contains("Mail ") && !text.contains("mailed"), "{page}: {text}");
    }
    let request = json!({"role": "user", "hours": 24, "email": "bob@example.com"});
    assert_eq!(root.post(paths::INVITATIONS, &request).await.code(), "not_found");
    assert_eq!(root.post(&format!("{}/{alice}/reset", paths::USERS), &json!({"mail": true})).await.code(), "not_found");
    send_due(&portal.state).await.unwrap();
    assert!(portal.store().mails().await.unwrap().is_empty());
    assert_eq!(doctor::mail(&portal.state.config, MailCounts::default()), None);
}

/// The earlier mailbox may be another person's, or a thief's.
#[tokio::test]
async fn a_mailed_link_ends_with_the_address_that_it_went_to() {
    let (mail, portal, root) = mail_portal(100).await;
    add_vouched(&portal, &root, "alice").await;
    let alice = portal.browser("203.0.113.1").signed_in("alice").await;
    let client = requesting_client();
    assert_eq!(mail_link(&portal.state, &client, "alice").await.unwrap(), Some(MailResetOutcome::Queued));
    let code = code_in(&mail.only_message(&portal).await, paths::RESET_PAGE);
    portal.advance(1_000).await;
    assert_eq!(patch(&alice, paths::PROFILE, &json!({"email": "alice@example.net"})).await.status, StatusCode::OK);
    let request = json!({"code": code, "password": "another horse battery staple"});
    let thief = portal.browser("203.0.113.66");
    assert_eq!(thief.post_sealed(EnvelopeKind::Reset, &request).await.code(), "link_used_up");
    assert!(mail.only_message(&portal).await.contains("To: <alice@example.com>"), "the earlier address is told");
    let page = alice.get(paths::DASHBOARD_PAGE).await.text;
    assert!(page.contains("New on your account"), "the owner sees it on every device: {page}");
}

#[tokio::test]
async fn the_address_of_a_mailed_invitation_becomes_the_accounts_if_it_is_free() {
    let (mail, portal, root) = mail_portal(3).await;
    let request = json!({"role": "user", "hours": 24, "email": "Ada@Example.com"});
    let mut codes = Vec::new();
    for _ in 0..2 {
        assert_eq!(root.post(paths::INVITATIONS, &request).await.status, StatusCode::CREATED);
        codes.push(code_in(&mail.only_message(&portal).await, paths::SIGNUP_PAGE));
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
        let request = json!({"role": "user", "hours": 24, "email": "ada@example.com"});
        let made = root.post(paths::INVITATIONS, &request).await.json();
        assert_eq!(made["mailed"], mailed);
    }
    let stored = portal.store().invitations().await.unwrap();
    let addresses = stored.iter().filter_map(|invitation| invitation.email.as_ref()).count();
    assert_eq!(addresses, 1, "of four: used ones keep none, and one was not mailed");
}
