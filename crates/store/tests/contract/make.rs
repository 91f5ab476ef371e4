//! Helpers that build the values of the cases.

use domain::UnixMs;
use domain::account::{AccountName, Role};
use domain::account_delay::FailureStreak;
use domain::authentication::Methods;
use domain::ban::{BanPolicy, Trigger};
use domain::client_key::ClientKey;
use domain::ids::{SessionId, UserId};
use domain::token_hash::TokenHash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::Store;
use store::attempts::{Acceptance, Attempt, AttemptRefusal, BeginAttempt, BeginOutcome, LoginLookup};
use store::audit::{AuditEntry, AuditEvent};
use store::bans::BanContext;
use store::bans::BanLift;
use store::remembered_devices::DeviceMemory;
use store::sessions::{NewSession, Rotation};
use store::user_keys::SealedKey;
use store::users::{AddUserOutcome, NewUser, PasswordHash, SetPassword};

/// Some day in 2025.
pub(crate) const NOW: UnixMs = UnixMs::from_millis(1_750_000_000_000);
pub(crate) const SECOND: i64 = 1000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Returns a word that no other call has returned. Later ones sort after earlier ones.
pub(crate) fn fresh(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{prefix}{:08}", COUNT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn client_key(last: u32) -> ClientKey {
    let [_, b, c, d] = last.to_be_bytes();
    ClientKey::V4([10, b, c, d].into())
}

pub(crate) fn entry(event: AuditEvent, user: Option<&UserId>, at: UnixMs) -> AuditEntry {
    AuditEntry {
        user: user.cloned(),
        address: "203.0.113.7".to_owned(),
        device: "Firefox on Fedora".to_owned(),
        ..AuditEntry::new(fresh("audit"), at, event)
    }
}

pub(crate) fn new_user(name: &str) -> NewUser {
    let id = UserId::from(fresh("user"));
    NewUser {
        audit: entry(AuditEvent::UserAdded, Some(&id), NOW),
        id,
        name: AccountName::parse(name).unwrap(),
        password_hash: PasswordHash(format!("$argon2id$of {name}")),
        role: Role::User,
        key: SealedKey(fresh("key")),
        now: NOW,
        only_first: false,
        invitation: None,
        session: None,
        attempt: None,
    }
}

/// Adds a user; returns the id.
pub(crate) async fn user(store: &dyn Store, name: &str) -> UserId {
    let new = new_user(name);
    assert_eq!(store.add_user(&new).await.unwrap(), AddUserOutcome::Added);
    new.id
}

pub(crate) fn new_session(user: &UserId, now: UnixMs) -> NewSession {
    let id = SessionId::from(fresh("session"));
    NewSession {
        judged_by: None,
        refresh_hash: token_hash(&format!("{id}/0")),
        id,
        user: user.to_owned(),
        jkt: None,
        receiving_key: None,
        methods: Methods::PASSWORD,
        device: "Firefox on Fedora".to_owned(),
        address: "203.0.113.0/24".to_owned(),
        now,
        idle_at: now + DAY,
        ends_at: now + 30 * DAY,
    }
}

/// Signs the user in; returns the session's id. The hash of generation n is `id/n`.
pub(crate) async fn session(store: &dyn Store, user: &UserId, now: UnixMs) -> SessionId {
    let new = new_session(user, now);
    let accepted = store.accept(&acceptance(attempt(client_key(1)), "digest", new.clone(), now)).await.unwrap();
    assert!(accepted);
    new.id
}

pub(crate) fn token_hash(text: &str) -> TokenHash {
    TokenHash::stored(text.to_owned())
}

pub(crate) fn rotation(id: &SessionId, from: u32, now: UnixMs) -> Rotation {
    Rotation {
        id: id.to_owned(),
        from_generation: from,
        from_hash: token_hash(&format!("{id}/{from}")),
        to_hash: token_hash(&format!("{id}/{}", from + 1)),
        address: "198.51.100.0/24".to_owned(),
        idle_at: now + DAY,
        now,
        changed_at: now,
    }
}

pub(crate) fn attempt(client_key: ClientKey) -> Attempt {
    Attempt { id: fresh("attempt"), client_key }
}

pub(crate) fn begin(client_key: ClientKey, now: UnixMs) -> BeginAttempt {
    BeginAttempt {
        attempt: attempt(client_key),
        short_key: fresh("short_key"),
        short_key_expires_at: now + 2 * MINUTE,
        body: fresh("body"),
        exempt: false,
        now,
    }
}

/// Begins an attempt that must be reserved.
pub(crate) async fn reserved(store: &dyn Store, client_key: ClientKey, now: UnixMs) -> Attempt {
    let begin = begin(client_key, now);
    assert_eq!(store.begin(&begin).await.unwrap(), BeginOutcome::Reserved);
    begin.attempt
}

pub(crate) fn ban_context(policy: &BanPolicy, now: UnixMs) -> BanContext {
    BanContext {
        policy: Arc::new(policy.clone()),
        ban_id: fresh("ban").into(),
        spray_id: fresh("spray").into(),
        incident: fresh("incident"),
        spray_incident: fresh("incident"),
        jitter: 0,
        exempt: false,
        now,
    }
}

pub(crate) fn refusal(attempt: Attempt, trigger: Trigger, account: Option<&str>, now: UnixMs) -> AttemptRefusal {
    AttemptRefusal {
        offender: attempt.client_key,
        attempt,
        trigger,
        account: account.map(str::to_owned),
        counts_as_failure: trigger == Trigger::InvalidCredentials,
        evidence: format!("{trigger} seen"),
        audit: entry(AuditEvent::Login, None, now),
        ban_context: ban_context(&BanPolicy::standard(), now),
    }
}

pub(crate) fn lifting(by: &str, now: UnixMs) -> BanLift {
    BanLift { by: by.to_owned(), reason: "A mistake.".to_owned(), audit: entry(AuditEvent::BanLifted, None, now), now }
}

/// Refuses a wrong password for the account, from begin to refusal. Returns the bans that it caused.
pub(crate) async fn guess(
    store: &dyn Store,
    client_key: ClientKey,
    account: &str,
    now: UnixMs,
) -> Vec<store::bans::Ban> {
    let attempt = reserved(store, client_key, now).await;
    let refusal = refusal(attempt, Trigger::InvalidCredentials, Some(account), now);
    store.refuse(&refusal).await.unwrap()
}

pub(crate) fn acceptance(attempt: Attempt, account: &str, session: NewSession, now: UnixMs) -> Acceptance {
    let audit = AuditEntry { session: Some(session.id.clone()), ..entry(AuditEvent::Login, Some(&session.user), now) };
    Acceptance {
        attempt,
        account: account.to_owned(),
        session,
        forgive: true,
        pending: None,
        memory: DeviceMemory::default(),
        code: None,
        audit,
        now,
    }
}

/// Returns the failures in a row on an account.
pub(crate) async fn failures(store: &dyn Store, account: &str) -> FailureStreak {
    store
        .login_context(LoginLookup { name_key: "", account, client_key: client_key(0), place: "", relying_party: None })
        .await
        .unwrap()
        .failures
}

/// Sets a password as an operator. Returns whether there was such a user.
pub(crate) async fn set_password(
    store: &dyn Store,
    user: &UserId,
    account: &str,
    hash: &PasswordHash,
    audit: &AuditEntry,
    now: UnixMs,
) -> bool {
    let (user, account) = (user.to_owned(), account.to_owned());
    store.set_password(&SetPassword { user, account, hash: hash.clone(), audit: audit.clone(), now }).await.unwrap()
}

/// Returns every change to bans, read in pages of two.
pub(crate) async fn all_changes(store: &dyn Store) -> Vec<store::bans::Ban> {
    let mut after = store::bans::BanCursor::default();
    let mut all = Vec::new();
    loop {
        let changes = store.bans_changed(&after, 2).await.unwrap();
        if changes.bans.is_empty() {
            return all;
        }
        after = changes.next;
        all.extend(changes.bans);
    }
}
