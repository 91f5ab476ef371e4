//! Proofs of the person in a live session: each session takes a hundred wrong ones in a row, however many addresses they
//! come from.

use crate::passkey_factor::confirm_by_passkey;
use crate::passkeys::person;
use crate::second_factor::{Enrolled, confirm, login_with};
use crate::support::{Authenticator, PASSWORD, Portal, Visitor};
use http::StatusCode;
use serde_json::{Value, json};
use store::audit::AuditEvent;
use wire::envelope::EnvelopeKind;
use wire::paths;

const MINUTE: i64 = 60_000;
/// Bans are for addresses and devices. They would end the tries of these tests before the session does.
const NO_BANS: &str = "[ban.wrong_second_factor]\nthreshold = 1000\n[ban.invalid_credentials]\nthreshold = 1000";

async fn given(portal: &Portal, visitor: &Visitor) -> u32 {
    let id = visitor.get(paths::SESSION).await.json()["id"].as_str().unwrap().to_owned();
    portal.store().given_proofs(&id.into(), portal.state.now()).await.unwrap().unwrap().count
}

#[tokio::test]
async fn a_session_ends_after_a_hundred_wrong_codes_in_a_row() {
    let portal = Portal::with(NO_BANS).await;
    let alice = Enrolled::add(&portal, "alice", &[]).await;
    let owner = portal.browser("198.51.100.7");
    assert_eq!(login_with(&owner, "alice", PASSWORD, &alice.code(&portal, -1)).await.status, StatusCode::OK);
    let stolen = portal.browser("203.0.113.7");
    assert_eq!(login_with(&stolen, "alice", PASSWORD, &alice.code(&portal, 0)).await.status, StatusCode::OK);
    for number in 1..=99 {
        let answer = confirm(&stolen, &json!({"code": alice.wrong_code(&portal)})).await;
        assert_eq!(answer.code(), "wrong_code", "{number}: {}", answer.text);
        if number > 10 {
            // Not even the right code is looked at before the pause is over.
            let soon = confirm(&stolen, &json!({"code": alice.code(&portal, 0)})).await;
            assert_eq!(soon.code(), "account_delayed", "{number}: {}", soon.text);
            assert!(soon.json()["retry_after"].as_u64().is_some_and(|wait| (1..=300).contains(&wait)), "{}", soon.text);
        }
        portal.advance(5 * MINUTE).await;
        for browser in [&stolen, &owner] {
            assert_eq!(browser.refresh().await.status, StatusCode::OK, "{number}");
        }
    }
    let last = confirm(&stolen, &json!({"code": alice.wrong_code(&portal)})).await;
    assert_eq!((last.status, last.code().as_str()), (StatusCode::UNAUTHORIZED, "session_ended"), "{}", last.text);
    assert_eq!(stolen.get(paths::SESSION).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stolen.refresh().await.code(), "session_ended");
    let rows = portal.store().audit_of(&alice.user.as_str().into(), 200).await.unwrap();
    let ended = rows.iter().filter(|row| row.event == AuditEvent::SessionEnded).count();
    assert_eq!(ended, 1);
    let notices = owner.get(paths::NOTICES).await;
    assert!(notices.text.contains("ended after too many wrong passwords or codes"), "{}", notices.text);
    // The owner's own session has its own number.
    let right = confirm(&owner, &json!({"code": alice.code(&portal, 0)})).await;
    assert_eq!(right.status, StatusCode::NO_CONTENT, "{}", right.text);
}

#[tokio::test]
async fn wrong_proofs_of_every_kind_are_counted_and_a_right_one_forgives_them() {
    let portal = Portal::with(NO_BANS).await;
    let recovery = "1111-1111-0000-0000-ZZZZ-ZZZZ";
    let alice = Enrolled::add(&portal, "alice", &[recovery]).await;
    let browser = portal.browser("203.0.113.7");
    assert_eq!(login_with(&browser, "alice", PASSWORD, &alice.code(&portal, -1)).await.status, StatusCode::OK);
    for (number, wrong) in
        [alice.wrong_code(&portal), "2222-1111-0000-0000-ZZZZ-ZZZZ".to_owned()].into_iter().enumerate()
    {
        assert_eq!(confirm(&browser, &json!({"code": wrong})).await.code(), "wrong_code");
        assert_eq!(given(&portal, &browser).await, u32::try_from(number + 1).unwrap());
    }
    let right = confirm(&browser, &json!({"code": alice.code(&portal, 0)})).await;
    assert_eq!((right.status, given(&portal, &browser).await), (StatusCode::NO_CONTENT, 0), "{}", right.text);

    portal.add_user("bob").await;
    let bob = portal.browser("203.0.113.8").signed_in("bob").await;
    let wrong = json!({"password": "wrong"});
    let change = |old: &str| json!({"old": old, "new": "entirely different words"});
    for (number, (kind, content)) in [
        (EnvelopeKind::Confirmation, wrong.clone()),
        (EnvelopeKind::Password, change("wrong")),
        (EnvelopeKind::Deletion, wrong),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(bob.post_sealed(kind, &content).await.code(), "wrong_credentials", "{kind:?}");
        assert_eq!(given(&portal, &bob).await, u32::try_from(number + 1).unwrap(), "{kind:?}");
    }
    let changed = bob.post_sealed(EnvelopeKind::Password, &change(PASSWORD)).await;
    assert_eq!((changed.status, given(&portal, &bob).await), (StatusCode::NO_CONTENT, 0), "{}", changed.text);
}

#[tokio::test]
async fn a_session_ends_after_a_hundred_wrong_passkeys_too() {
    let portal = Portal::with("[second_factor]\nusers = 'required'").await;
    let (user, ada, passkey) = person(&portal, "ada").await;
    let id = ada.get(paths::SESSION).await.json()["id"].as_str().unwrap().to_owned();
    let stranger = Authenticator { id: passkey.id.clone(), ..Authenticator::new() };
    assert_eq!(confirm_by_passkey(&ada, &stranger, None).await.code(), "passkey_refused");
    assert_eq!(given(&portal, &ada).await, 1);
    assert_eq!(confirm_by_passkey(&ada, &passkey, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(given(&portal, &ada).await, 0, "in a row");
    for before in 0..99 {
        assert!(
            portal.store().count_proof(&id.as_str().into(), before, portal.state.now() - 5 * MINUTE).await.unwrap()
        );
    }
    assert_eq!(confirm_by_passkey(&ada, &stranger, None).await.code(), "session_ended");
    assert_eq!(ada.get(paths::SESSION).await.status, StatusCode::UNAUTHORIZED);
    // A request that failed between counting and ending ends the session at the next one.
    let again = portal.browser("203.0.113.9");
    assert_eq!(crate::passkeys::sign_in(&again, &passkey).await.status, StatusCode::OK);
    let id: Value = again.get(paths::SESSION).await.json()["id"].clone();
    for before in 0..100 {
        let at = portal.state.now() - 5 * MINUTE;
        assert!(portal.store().count_proof(&id.as_str().unwrap().into(), before, at).await.unwrap());
    }
    assert_eq!(confirm_by_passkey(&again, &passkey, None).await.code(), "session_ended", "not even the right one");
    let rows = portal.store().audit_of(&user.as_str().into(), 100).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.outcome == "too_many_wrong_proofs").count(), 2);
}
