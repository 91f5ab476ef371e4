//! The queue of messages.

use crate::fixture::Fixture;
use crate::make::{DAY, HOUR, MINUTE, NOW, entry, fresh, user};
use domain::UnixMs;
use domain::code_hash::CodeHash;
use domain::ids::UserId;
use domain::mail::{GIVE_UP_AFTER_MS, MailKind};
use domain::profile::{Email, EmailAddress, EmailState};
use futures::future::join_all;
use store::Store;
use store::audit::{AuditEntry, AuditEvent, BY_MAIL};
use store::mails::{
    AddMailOutcome, BeginEmailProof, BeginEmailProofOutcome, FailedMail, LIMIT_KEPT_MS, MailCounts, NewMail,
    ProveEmail, ProveEmailOutcome,
};
use store::profiles::{Change, SetProfile, SetProfileOutcome};
use store::resets::{MailResetOutcome, Reset};
use store::users::DeleteUser;

pub(crate) const PER_HOUR: u32 = 3;

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn mail(kind: MailKind, to: &str) -> NewMail {
    NewMail {
        id: fresh("mail"),
        kind,
        user: None,
        recipient: address(to),
        audit: None,
        sealed: "abcdefgh.sealed".to_owned(),
        link_expires_at: NOW + HOUR,
        now: NOW,
    }
}

pub(crate) async fn set_email(store: &dyn Store, user: &UserId, email: Change<Email>) -> SetProfileOutcome {
    let change = SetProfile {
        user: user.to_owned(),
        display_name: Change::Keep,
        email,
        groups: None,
        audit: vec![entry(AuditEvent::ProfileChanged, Some(user), NOW)],
        now: NOW,
    };
    store.set_profile(&change).await.unwrap()
}

pub(crate) fn email(text: &str, state: EmailState) -> Change<Email> {
    Change::Set(Email { address: address(text), state })
}

pub(crate) async fn are_queued_only_while_mail_is_on(fixture: Fixture) {
    let store = fixture.open().await;
    let invitation = mail(MailKind::Invitation, "ada@example.org");
    assert_eq!(store.add_mail(&invitation).await.unwrap(), AddMailOutcome::Off);
    store.renew_mail_limit(PER_HOUR, NOW).await.unwrap();
    assert_eq!(store.add_mail(&invitation).await.unwrap(), AddMailOutcome::Queued);
    // A restart keeps it.
    let store = fixture.open().await;
    let [queued] = &store.due_mails(NOW, 10).await.unwrap()[..] else { panic!("one message") };
    assert_eq!((&queued.id, queued.kind, queued.tries), (&invitation.id, MailKind::Invitation, 0));
    assert_eq!((queued.recipient.as_str(), queued.sealed.as_str()), ("ada@example.org", "abcdefgh.sealed"));
    assert_eq!((queued.deadline, queued.link_expires_at), (NOW + HOUR, Some(NOW + HOUR)));
    assert!(!format!("{queued:?}{invitation:?}").contains("sealed"));
    assert!(store.finish_mail(&invitation.id).await.unwrap());
    assert!(!store.finish_mail(&invitation.id).await.unwrap());
    assert!(store.mails().await.unwrap().is_empty(), "a sent message leaves nothing");
    // No node sends mail any more.
    store.sweep_mails(NOW + LIMIT_KEPT_MS - 1, UnixMs::EPOCH).await.unwrap();
    assert_eq!(store.mail_limit().await.unwrap(), Some(PER_HOUR));
    store.sweep_mails(NOW + LIMIT_KEPT_MS, UnixMs::EPOCH).await.unwrap();
    assert_eq!(store.mail_limit().await.unwrap(), None);
    assert_eq!(store.add_mail(&invitation).await.unwrap(), AddMailOutcome::Off);
}

pub(crate) async fn are_claimed_by_one_of_fifty(fixture: Fixture) {
    let (store, other) = (fixture.open().await, fixture.open().await);
    store.renew_mail_limit(PER_HOUR, NOW).await.unwrap();
    store.add_mail(&mail(MailKind::Invitation, "ada@example.org")).await.unwrap();
    let [queued] = &store.due_mails(NOW, 10).await.unwrap()[..] else { panic!("one message") };
    let claims = (0..50).map(|n| {
        let (store, queued) = (if n % 2 == 0 { store.clone() } else { other.clone() }, queued.clone());
        tokio::spawn(async move { store.claim_mail(&queued, NOW + 5 * MINUTE).await.unwrap() })
    });
    let won = join_all(claims).await.into_iter().filter(|claim| *claim.as_ref().unwrap()).count();
    assert_eq!(won, 1);
    assert!(store.due_mails(NOW + 5 * MINUTE - 1, 10).await.unwrap().is_empty(), "held by the winner");
    // The node with the claim crashed: its claim ends, and another attempt is made.
    let [again] = &store.due_mails(NOW + 5 * MINUTE, 10).await.unwrap()[..] else { panic!("one message") };
    assert_eq!(again.tries, 1);
    assert!(store.claim_mail(again, NOW + 10 * MINUTE).await.unwrap());
    // A report by the first claim is too late now.
    let late = FailedMail { id: again.id.clone(), tries: 1, failure: "late".to_owned(), next_at: None, now: NOW };
    assert!(!store.fail_mail(&late).await.unwrap());
    assert_eq!(store.mails().await.unwrap()[0].failure, "");
}

pub(crate) async fn are_given_up_and_tried_again(fixture: Fixture) {
    let store = fixture.open().await;
    store.renew_mail_limit(PER_HOUR, NOW).await.unwrap();
    let new = mail(MailKind::ResetLink, "ada@example.org");
    store.add_mail(&new).await.unwrap();
    let fail = async |failure: &str, next_at: Option<UnixMs>| {
        let queued = store.mails().await.unwrap().remove(0);
        assert!(store.claim_mail(&queued, NOW + 5 * MINUTE).await.unwrap());
        let failed =
            FailedMail { id: queued.id, tries: queued.tries + 1, failure: failure.to_owned(), next_at, now: NOW };
        assert!(store.fail_mail(&failed).await.unwrap());
        store.mails().await.unwrap().remove(0)
    };
    let waiting = fail("RCPT TO: 451 later", Some(NOW + MINUTE)).await;
    assert_eq!((waiting.failure.as_str(), waiting.given_up_at), ("RCPT TO: 451 later", None));
    assert!(store.due_mails(NOW + MINUTE - 1, 10).await.unwrap().is_empty());
    assert_eq!(store.due_mails(NOW + MINUTE, 10).await.unwrap().len(), 1);
    let over = fail("RCPT TO: 550 never", None).await;
    assert_eq!(over.given_up_at, Some(NOW));
    assert_eq!(store.mail_counts().await.unwrap(), MailCounts { waiting: 0, given_up: 1 });
    assert!(store.due_mails(NOW + MINUTE, 10).await.unwrap().is_empty());
    assert!(store.retry_mail(&new.id, NOW + MINUTE).await.unwrap());
    assert_eq!(store.due_mails(NOW + MINUTE, 10).await.unwrap().len(), 1);
    // Its link expires: the code is erased, and no further attempt can be made.
    assert_eq!(store.sweep_mails(NOW + HOUR, UnixMs::EPOCH).await.unwrap(), 1);
    let [expired] = &store.mails().await.unwrap()[..] else { panic!("one message") };
    assert_eq!((expired.sealed.as_str(), expired.given_up_at), ("", Some(NOW + HOUR)));
    assert!(!store.retry_mail(&new.id, NOW + HOUR).await.unwrap());
    assert_eq!(store.sweep_mails(NOW + HOUR, UnixMs::EPOCH).await.unwrap(), 0, "counted once");
    assert!(!store.drop_mail("nobody").await.unwrap());
    // It is deleted later.
    store.sweep_mails(NOW + DAY, NOW + HOUR + 1).await.unwrap();
    assert_eq!(store.mail_counts().await.unwrap(), MailCounts::default());
    // A message that nobody could even try is given up too, and can be dropped.
    store.renew_mail_limit(PER_HOUR, NOW).await.unwrap();
    let untried = mail(MailKind::Invitation, "bob@example.org");
    store.add_mail(&untried).await.unwrap();
    assert_eq!(store.sweep_mails(NOW + GIVE_UP_AFTER_MS, UnixMs::EPOCH).await.unwrap(), 1);
    assert!(!store.mails().await.unwrap()[0].failure.is_empty());
    assert!(store.drop_mail(&untried.id).await.unwrap());
}

pub(crate) async fn of_one_address_are_limited(fixture: Fixture) {
    let store = fixture.open().await;
    store.renew_mail_limit(PER_HOUR, NOW).await.unwrap();
    let adds = (0..20).map(|n| {
        let store = store.clone();
        // The same address in another case.
        let new = mail(MailKind::Invitation, if n % 2 == 0 { "ada@example.org" } else { "Ada@Example.org" });
        tokio::spawn(async move { store.add_mail(&new).await.unwrap() })
    });
    let outcomes: Vec<_> = join_all(adds).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == AddMailOutcome::Queued).count(), 3);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == AddMailOutcome::OverLimit).count(), 17);
    let others = store.add_mail(&mail(MailKind::Invitation, "bob@example.org")).await.unwrap();
    assert_eq!(others, AddMailOutcome::Queued, "others have limits of their own");
    let later = NewMail { now: NOW + HOUR, ..mail(MailKind::Invitation, "ada@example.org") };
    assert_eq!(store.add_mail(&later).await.unwrap(), AddMailOutcome::Queued, "another hour");
    // Links, which strangers can cause, do not use up the number of notices.
    let ada = user(&*store, "ada").await;
    set_email(&*store, &ada, email("ada@example.org", EmailState::Proved)).await;
    for _ in 0..5 {
        store.append(&entry(AuditEvent::PasswordSet, Some(&ada), NOW)).await.unwrap();
    }
    let notices = store.mails().await.unwrap().into_iter().filter(|mail| mail.kind == MailKind::Notice);
    assert_eq!(notices.count(), 3);
    // Counts are forgotten after their hour.
    store.sweep_mails(NOW + 3 * HOUR, UnixMs::EPOCH).await.unwrap();
}

pub(crate) async fn tell_the_owner_at_an_address_that_is_sure(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let notices = async || -> Vec<(String, Option<String>)> {
        let mut all = Vec::new();
        for queued in store.mails().await.unwrap() {
            assert_eq!(queued.kind, MailKind::Notice);
            assert_eq!(queued.user.as_ref(), Some(&ada));
            assert!(store.finish_mail(&queued.id).await.unwrap());
            all.push((queued.recipient, queued.audit));
        }
        all
    };
    let happens = async |event: AuditEvent, outcome: &str, about: &str| {
        let entry =
            AuditEntry { outcome: outcome.to_owned(), about: about.to_owned(), ..entry(event, Some(&ada), NOW) };
        store.append(&entry).await.unwrap();
        entry.id
    };
    // Mail is off, then there is no address, then it is unproved.
    set_email(&*store, &ada, email("ada@example.org", EmailState::VouchedFor)).await;
    happens(AuditEvent::PasswordSet, "ok", "").await;
    assert!(notices().await.is_empty());
    store.renew_mail_limit(100, NOW).await.unwrap();
    set_email(&*store, &ada, Change::Clear).await;
    assert_eq!(notices().await.len(), 1, "the earlier address learns that it was removed");
    happens(AuditEvent::PasswordSet, "ok", "").await;
    set_email(&*store, &ada, email("ada@example.org", EmailState::Unproved)).await;
    happens(AuditEvent::PasswordSet, "ok", "").await;
    assert!(notices().await.is_empty());

    set_email(&*store, &ada, email("ada@example.org", EmailState::VouchedFor)).await;
    for (event, outcome) in [
        (AuditEvent::Login, "new_device"),
        (AuditEvent::PasswordSet, "ok"),
        (AuditEvent::SecondFactorAdded, "ok"),
        (AuditEvent::SecondFactorRemoved, "ok"),
        (AuditEvent::RecoveryCodeUsed, "ok"),
        (AuditEvent::PasskeyAdded, "ok"),
        (AuditEvent::ResetMade, "ok"),
    ] {
        let id = happens(event, outcome, "").await;
        assert_eq!(notices().await, [("ada@example.org".to_owned(), Some(id.clone()))], "{event:?}");
        assert_eq!(store.audit_entry(&id).await.unwrap().map(|entry| entry.event), Some(event));
    }
    for (event, outcome, about) in [
        (AuditEvent::Login, "ok", ""),
        (AuditEvent::Login, "new_place", ""),
        (AuditEvent::PasswordSet, "wrong_code", ""),
        (AuditEvent::ResetMade, "ok", BY_MAIL),
        (AuditEvent::Logout, "ok", ""),
    ] {
        happens(event, outcome, about).await;
        assert!(notices().await.is_empty(), "{event:?} {outcome}");
    }
    // Another address: the earlier one gets a notice, because later ones go elsewhere.
    set_email(&*store, &ada, email("eve@example.net", EmailState::Unproved)).await;
    let notices_sent = notices().await;
    assert_eq!(notices_sent.len(), 1);
    assert_eq!(notices_sent[0].0, "ada@example.org");
    happens(AuditEvent::PasswordSet, "ok", "").await;
    assert!(notices().await.is_empty(), "an unproved address gets no notices");
}

pub(crate) async fn set_a_forgotten_password(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let ask = async |now: UnixMs| {
        let reset = Reset {
            user: ada.clone(),
            code_hash: CodeHash::of(&fresh("hash")),
            made_by: Some(ada.clone()),
            created_at: now,
            expires_at: now + HOUR,
        };
        let mail = NewMail { now, user: Some(ada.clone()), ..mail(MailKind::ForgottenPassword, "ada@example.org") };
        let audit = entry(AuditEvent::ResetMade, Some(&ada), now);
        (store.mail_reset(&reset, &audit, &mail).await.unwrap(), reset.code_hash)
    };
    assert_eq!(ask(NOW).await.0, MailResetOutcome::Off);
    store.renew_mail_limit(100, NOW).await.unwrap();
    let mut codes = Vec::new();
    for outcome in [MailResetOutcome::Queued, MailResetOutcome::Queued] {
        let (said, code) = ask(NOW).await;
        assert_eq!(said, outcome);
        codes.push(code);
    }
    for code in &codes {
        assert!(store.reset_of(code, NOW).await.unwrap().is_some(), "either message may be opened first");
    }
    assert_eq!(store.mails().await.unwrap().len(), 2);
    // An administrator's link stays valid too.
    let given = Reset {
        user: ada.clone(),
        code_hash: CodeHash::of(&fresh("hash")),
        made_by: None,
        created_at: NOW,
        expires_at: NOW + HOUR,
    };
    store.add_reset(&given, &entry(AuditEvent::ResetMade, Some(&ada), NOW)).await.unwrap();
    assert_eq!(ask(NOW).await.0, MailResetOutcome::Queued);
    assert!(store.reset_of(&given.code_hash, NOW).await.unwrap().is_some());
    assert_eq!(ask(NOW).await.0, MailResetOutcome::OverLimit, "three in an hour");
    assert_eq!(ask(NOW + HOUR).await.0, MailResetOutcome::Queued, "in the next hour");
}

pub(crate) async fn of_an_administrators_link_are_one_write_with_it(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let retired = entry(AuditEvent::KeysRewrapped, None, NOW);
    store.retire_sealers(&["retired1".to_owned()], &retired, NOW).await.unwrap();
    let add = async |sealer: &str| {
        let (user, code_hash) = (ada.clone(), CodeHash::of(&fresh("hash")));
        let reset = Reset { user, code_hash, made_by: None, created_at: NOW, expires_at: NOW + HOUR };
        let sealed = format!("{sealer}.sealed");
        let mail = NewMail { user: Some(ada.clone()), sealed, ..mail(MailKind::ResetLink, "ada@example.org") };
        let audit = entry(AuditEvent::ResetMade, Some(&ada), NOW);
        let outcome = store.add_mailed_reset(&reset, &audit, &mail).await;
        (outcome.ok(), store.reset_of(&reset.code_hash, NOW).await.unwrap().is_some())
    };
    assert_eq!(add("sealer01").await, (Some(AddMailOutcome::Off), true), "the administrator has the link");
    store.renew_mail_limit(1, NOW).await.unwrap();
    let earlier = CodeHash::of(&fresh("hash"));
    let (user, code_hash) = (ada.clone(), earlier.clone());
    let reset = Reset { user, code_hash, made_by: None, created_at: NOW, expires_at: NOW + HOUR };
    store.add_reset(&reset, &entry(AuditEvent::ResetMade, Some(&ada), NOW)).await.unwrap();
    let rows = store.audit_of(&ada, 100).await.unwrap().len();
    assert_eq!(add("retired1").await, (None, false), "a message that cannot be stored");
    assert!(store.reset_of(&earlier, NOW).await.unwrap().is_some(), "the earlier link is still valid");
    assert_eq!(store.audit_of(&ada, 100).await.unwrap().len(), rows);
    assert_eq!(add("sealer01").await, (Some(AddMailOutcome::Queued), true));
    assert_eq!(add("sealer01").await, (Some(AddMailOutcome::OverLimit), true));
    assert_eq!(store.mails().await.unwrap().len(), 1);
}

/// The earlier mailbox may be another person's.
pub(crate) async fn end_with_the_address_that_they_went_to(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    store.renew_mail_limit(100, NOW).await.unwrap();
    let reset = |made_by: Option<&UserId>, now: UnixMs| Reset {
        user: ada.clone(),
        code_hash: CodeHash::of(&fresh("hash")),
        made_by: made_by.cloned(),
        created_at: now,
        expires_at: NOW + HOUR,
    };
    let made = |about: &str, now: UnixMs| AuditEntry {
        about: about.to_owned(),
        ..entry(AuditEvent::ResetMade, Some(&ada), now)
    };
    let open = async |reset: &Reset| store.reset_of(&reset.code_hash, NOW).await.unwrap().is_some();
    let kinds = async || store.mails().await.unwrap().into_iter().map(|mail| mail.kind).collect::<Vec<_>>();
    let link = |kind| NewMail { user: Some(ada.clone()), ..mail(kind, "ada@example.org") };

    set_email(&*store, &ada, email("ada@example.org", EmailState::Proved)).await;
    let own = reset(Some(&ada), NOW);
    let queued = store.mail_reset(&own, &made(BY_MAIL, NOW), &link(MailKind::ForgottenPassword)).await.unwrap();
    assert_eq!(queued, MailResetOutcome::Queued);
    set_email(&*store, &ada, email("Ada@example.org", EmailState::Proved)).await;
    assert!(open(&own).await, "another spelling is the same mailbox");
    set_email(&*store, &ada, email("eve@example.org", EmailState::Unproved)).await;
    assert!(!open(&own).await);
    assert_eq!(kinds().await, [MailKind::Notice], "the earlier address is told");

    // An administrator's link ends if it was mailed.
    for (about, now, stays) in [("", NOW + 1, true), (BY_MAIL, NOW + 2, false)] {
        let given = reset(None, now);
        store.add_reset(&given, &made(about, now)).await.unwrap();
        set_email(&*store, &ada, Change::Clear).await;
        set_email(&*store, &ada, email("ada@example.org", EmailState::Unproved)).await;
        assert_eq!(open(&given).await, stays, "{about}");
    }
    // So does a proof that waits for its code.
    let begin = proof(&ada, "ada@example.org");
    assert_eq!(store.begin_email_proof(&begin).await.unwrap(), BeginEmailProofOutcome::Queued);
    set_email(&*store, &ada, Change::Clear).await;
    set_email(&*store, &ada, email("ada@example.org", EmailState::Unproved)).await;
    assert_eq!(store.prove_email(&used(&begin, &ada, NOW)).await.unwrap(), ProveEmailOutcome::UsedUp);
    assert_eq!(kinds().await, [MailKind::Notice]);
}

pub(crate) async fn go_with_their_account(fixture: Fixture) {
    let store = fixture.open().await;
    store.renew_mail_limit(100, NOW).await.unwrap();
    let ada = user(&*store, "ada").await;
    set_email(&*store, &ada, email("ada@example.org", EmailState::Unproved)).await;
    store.begin_email_proof(&proof(&ada, "ada@example.org")).await.unwrap();
    assert_eq!(store.mails().await.unwrap().len(), 1);
    let deletion = DeleteUser {
        user: ada.clone(),
        account: "ada".to_owned(),
        attempt: None,
        audit: entry(AuditEvent::UserDeleted, Some(&ada), NOW),
        now: NOW,
    };
    assert!(store.delete_user(&deletion).await.unwrap().is_done());
    assert!(store.mails().await.unwrap().is_empty());
}

pub(crate) fn proof(user: &UserId, to: &str) -> BeginEmailProof {
    let mail = NewMail { user: Some(user.to_owned()), ..mail(MailKind::AddressProof, to) };
    BeginEmailProof { user: user.to_owned(), code_hash: CodeHash::of(&fresh("hash")), mail }
}

pub(crate) fn used(begin: &BeginEmailProof, user: &UserId, now: UnixMs) -> ProveEmail {
    ProveEmail {
        user: user.to_owned(),
        code_hash: begin.code_hash.clone(),
        audit: entry(AuditEvent::ProfileChanged, Some(user), now),
        now,
    }
}
