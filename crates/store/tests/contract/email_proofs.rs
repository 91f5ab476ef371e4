//! Proofs of e-mail addresses.

use crate::fixture::Fixture;
use crate::mails::{PER_HOUR, email, proof, set_email, used};
use crate::make::{HOUR, NOW, session, user};
use domain::ids::UserId;
use domain::profile::EmailState;
use futures::future::join_all;
use store::Store;
use store::mails::{BeginEmailProofOutcome, ProveEmailOutcome};

async fn state(store: &dyn Store, user: &UserId) -> EmailState {
    store.profile(user).await.unwrap().unwrap().email.unwrap().state
}

pub(crate) async fn prove_an_address_once(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, eve) = (user(&*store, "ada").await, user(&*store, "eve").await);
    session(&*store, &ada, NOW).await;
    set_email(&*store, &ada, email("ada@example.org", EmailState::Unproved)).await;
    let begin = proof(&ada, "Ada@example.org");
    assert_eq!(store.begin_email_proof(&begin).await.unwrap(), BeginEmailProofOutcome::Off);
    store.renew_mail_limit(PER_HOUR, NOW).await.unwrap();
    assert_eq!(store.begin_email_proof(&begin).await.unwrap(), BeginEmailProofOutcome::Queued);
    assert_eq!(store.mails().await.unwrap().len(), 1);
    // Another account, and a time after the expiry.
    for (who, now) in [(&eve, NOW), (&ada, NOW + HOUR)] {
        let used = used(&begin, who, now);
        assert_eq!(store.prove_email(&used).await.unwrap(), ProveEmailOutcome::UsedUp);
    }
    let version = store.profile(&ada).await.unwrap().unwrap().version;
    let tries = (0..50).map(|_| {
        let (store, used) = (store.clone(), used(&begin, &ada, NOW + 1));
        tokio::spawn(async move { store.prove_email(&used).await.unwrap() })
    });
    let outcomes: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == ProveEmailOutcome::Proved).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == ProveEmailOutcome::UsedUp).count(), 49);
    let profile = store.profile(&ada).await.unwrap().unwrap();
    assert_eq!((profile.email.unwrap().state, profile.version), (EmailState::Proved, version + 1));
    assert_eq!(
        store.begin_email_proof(&proof(&ada, "ada@example.org")).await.unwrap(),
        BeginEmailProofOutcome::NotUnproved
    );
    // Written again by its owner it stays proved; another one does not.
    set_email(&*store, &ada, email("ADA@example.org", EmailState::Unproved)).await;
    assert_eq!(state(&*store, &ada).await, EmailState::Proved);
    set_email(&*store, &ada, email("ada@example.net", EmailState::Unproved)).await;
    assert_eq!(state(&*store, &ada).await, EmailState::Unproved);
    // An account may ask a few times an hour, for any address. An address gets a few messages, from any account.
    for (n, outcome) in [
        (0, BeginEmailProofOutcome::Queued),
        (1, BeginEmailProofOutcome::Queued),
        (2, BeginEmailProofOutcome::OverLimit),
    ] {
        let other = format!("other{n}@example.net");
        set_email(&*store, &ada, email(&other, EmailState::Unproved)).await;
        assert_eq!(store.begin_email_proof(&proof(&ada, &other)).await.unwrap(), outcome, "{n}");
    }
}

pub(crate) async fn prove_only_the_address_they_were_sent_to(fixture: Fixture) {
    let store = fixture.open().await;
    store.renew_mail_limit(100, NOW).await.unwrap();
    let (ada, eve) = (user(&*store, "ada").await, user(&*store, "eve").await);
    set_email(&*store, &eve, email("eve@example.net", EmailState::Unproved)).await;
    let begin = proof(&eve, "eve@example.net");
    assert_eq!(store.begin_email_proof(&begin).await.unwrap(), BeginEmailProofOutcome::Queued);
    // A link for one address, and then another address.
    set_email(&*store, &eve, email("ada@example.org", EmailState::Unproved)).await;
    assert_eq!(store.prove_email(&used(&begin, &eve, NOW)).await.unwrap(), ProveEmailOutcome::UsedUp);
    assert_eq!(state(&*store, &eve).await, EmailState::Unproved);
    // An address that only looks alike has no link.
    let other = proof(&eve, "ada@examp1e.org");
    assert_eq!(store.begin_email_proof(&other).await.unwrap(), BeginEmailProofOutcome::NotUnproved);
    // A newer link replaces the older one.
    let (first, second) = (proof(&eve, "ada@example.org"), proof(&eve, "ada@example.org"));
    for begin in [&first, &second] {
        assert_eq!(store.begin_email_proof(begin).await.unwrap(), BeginEmailProofOutcome::Queued);
    }
    assert_eq!(store.prove_email(&used(&first, &eve, NOW)).await.unwrap(), ProveEmailOutcome::UsedUp);
    // Another account has proved it meanwhile.
    set_email(&*store, &ada, email("ada@example.org", EmailState::Proved)).await;
    assert_eq!(store.prove_email(&used(&second, &eve, NOW)).await.unwrap(), ProveEmailOutcome::EmailTaken);
    assert_eq!(state(&*store, &eve).await, EmailState::Unproved);
}
