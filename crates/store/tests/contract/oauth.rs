use crate::fixture::Fixture;
use crate::make::{NOW, SECOND, entry, fresh, new_session, session, token_hash, user};
use domain::UnixMs;
use domain::ids::{SessionId, UserId};
use domain::thumbprint::Thumbprint;
use futures::future::join_all;
use store::Store;
use store::audit::{AuditEntry, AuditEvent};
use store::oauth::{BeginSession, GrantRotation, MOST_CODES_OF_SESSION, NewCode, PushedRequest, Redeem};
use store::users::{PasswordHash, SetPassword};

const LIFE: i64 = 60 * SECOND;
pub(crate) const DAY: i64 = 24 * 3600 * SECOND;

pub(crate) fn audit(event: AuditEvent) -> AuditEntry {
    entry(event, None, NOW)
}

pub(crate) fn new_code(session: &SessionId) -> NewCode {
    NewCode {
        code_hash: fresh("code"),
        client: "app".to_owned(),
        session: session.to_owned(),
        redirect_uri: "https://app.example/callback".to_owned(),
        code_challenge: Some("challenge".to_owned()),
        jkt: None,
        details: r#"{"scope":"openid"}"#.to_owned(),
        expires_at: NOW + LIFE,
        pushed: None,
        device: None,
        agreed: None,
        consent: None,
        audit: audit(AuditEvent::AppOpened),
        now: NOW,
    }
}

pub(crate) fn redeem(code: &NewCode, now: UnixMs) -> Redeem {
    Redeem {
        code_hash: code.code_hash.clone(),
        grant: fresh("grant"),
        details: code.details.clone(),
        jkt: None,
        refresh_hash: Some(token_hash("first")),
        ends_at: now + DAY,
        notify: true,
        remember_until: now + DAY,
        now,
    }
}

/// Makes a grant by a new code, and returns its id.
pub(crate) async fn grant(store: &dyn Store, session: &SessionId) -> String {
    let code = new_code(session);
    assert!(store.add_code(&code).await.unwrap());
    let redeem = redeem(&code, NOW);
    assert!(store.redeem_code(&redeem).await.unwrap());
    redeem.grant
}

fn rotation(id: &str, from: u32, hash: &str, to: &str) -> GrantRotation {
    GrantRotation {
        id: id.to_owned(),
        from_generation: from,
        from_hash: token_hash(hash),
        to_hash: token_hash(to),
        jkt: None,
        rebound: None,
        idle_at: NOW + 90 * DAY,
        now: NOW + SECOND,
    }
}

pub(crate) async fn fifty_tasks_on_two_nodes_redeem_one_code(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let ada = user(&*one, "ada").await;
    let session = session(&*one, &ada, NOW).await;
    let code = new_code(&session);
    assert!(one.add_code(&code).await.unwrap());
    let tries = (0..50).map(|n| {
        let (store, redeem) = (if n % 2 == 0 { one.clone() } else { two.clone() }, redeem(&code, NOW));
        tokio::spawn(async move { store.redeem_code(&redeem).await.unwrap().then_some(redeem.grant) })
    });
    let given: Vec<_> = join_all(tries).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(given.len(), 1, "one grant for one code");
    let used = one.code(&code.code_hash).await.unwrap().unwrap();
    assert_eq!(used.grant.as_ref(), given.first(), "which the used code remembers");
    let row = two.grant(&given[0]).await.unwrap().unwrap();
    assert_eq!((row.user.as_str(), row.session.as_str(), row.client.as_str()), (ada.as_str(), session.as_str(), "app"));
    assert!(row.is_live(NOW) && !row.is_live(NOW + DAY));
}

pub(crate) async fn codes_run_out_and_end_with_their_session(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let (mine, other) = (session(&*store, &ada, NOW).await, session(&*store, &ada, NOW).await);
    let (late, ended) = (new_code(&mine), new_code(&other));
    assert!(store.add_code(&late).await.unwrap() && store.add_code(&ended).await.unwrap());
    assert!(!store.redeem_code(&redeem(&late, NOW + LIFE)).await.unwrap(), "too late");
    store.revoke(&ada, &other, &entry(AuditEvent::Logout, Some(&ada), NOW), NOW).await.unwrap();
    assert!(!store.redeem_code(&redeem(&ended, NOW)).await.unwrap());
    assert!(!store.add_code(&new_code(&other)).await.unwrap(), "no code for an ended session");
    assert!(!store.add_code(&new_code(&"nobody's".into())).await.unwrap());
    assert_eq!(store.sweep_oauth(NOW + LIFE).await.unwrap(), 2);
}

pub(crate) async fn unused_codes_of_a_session_are_few(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let session = session(&*store, &ada, NOW).await;
    let used = new_code(&session);
    assert!(store.add_code(&used).await.unwrap());
    assert!(store.redeem_code(&redeem(&used, NOW)).await.unwrap());
    let mut codes = Vec::new();
    for later in 0..=MOST_CODES_OF_SESSION {
        let code = NewCode { expires_at: NOW + LIFE + later, ..new_code(&session) };
        assert!(store.add_code(&code).await.unwrap());
        codes.push(code.code_hash);
    }
    assert!(store.code(&codes[0]).await.unwrap().is_none(), "the oldest gave way");
    assert!(store.code(&codes[1]).await.unwrap().is_some());
    assert!(store.code(&used.code_hash).await.unwrap().is_some(), "a used one is remembered");
}

pub(crate) async fn fifty_tasks_rotate_one_grant(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let ada = user(&*one, "ada").await;
    let id = grant(&*one, &session(&*one, &ada, NOW).await).await;
    let tries = (0..50).map(|n| {
        let (store, rotation) =
            (if n % 2 == 0 { one.clone() } else { two.clone() }, rotation(&id, 0, "first", "second"));
        tokio::spawn(async move { store.rotate_grant(&rotation).await.unwrap() })
    });
    assert_eq!(join_all(tries).await.into_iter().filter(|won| *won.as_ref().unwrap()).count(), 1);
    let row = one.grant(&id).await.unwrap().unwrap();
    assert_eq!(
        (row.generation, row.refresh_hash, row.previous_hash),
        (1, Some(token_hash("second")), Some(token_hash("first")))
    );
    assert_eq!(row.session_idle_at, NOW + 90 * DAY, "use of the grant is use of its session");
    one.show_grant(&id, 1).await.unwrap();
    one.show_grant(&id, 0).await.unwrap();
    one.show_grant(&id, 9).await.unwrap();
    assert_eq!(one.grant(&id).await.unwrap().unwrap().used, 1);
}

pub(crate) async fn grants_end_with_their_session_their_account_and_by_revocation(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let (one, two) = (session(&*store, &ada, NOW).await, session(&*store, &ada, NOW).await);
    let (signed_out, revoked) = (grant(&*store, &one).await, grant(&*store, &two).await);
    let disabled = grant(&*store, &session(&*store, &bob, NOW).await).await;
    store.revoke(&ada, &one, &entry(AuditEvent::Logout, Some(&ada), NOW), NOW).await.unwrap();
    assert!(store.revoke_grant(&revoked, Some(&audit(AuditEvent::TokenReused)), NOW).await.unwrap());
    assert!(!store.revoke_grant(&revoked, None, NOW).await.unwrap(), "once");
    let off = entry(AuditEvent::UserDisabled, Some(&bob), NOW);
    assert!(store.set_disabled(&bob, true, &off, NOW).await.unwrap().is_done());
    for id in [&signed_out, &revoked, &disabled] {
        assert!(!store.grant(id).await.unwrap().unwrap().is_live(NOW), "{id}");
        assert!(!store.rotate_grant(&rotation(id, 0, "first", "second")).await.unwrap());
    }
}

pub(crate) async fn ends_of_grants_have_numbers_by_which_nodes_follow(fixture: Fixture) {
    let (store, other) = (fixture.open().await, fixture.open().await);
    let ada = user(&*store, "ada").await;
    let session = session(&*store, &ada, NOW).await;
    let mut after = other.last_changes().await.unwrap().sessions;
    let mut published = async || {
        let changes = other.sessions_published(after).await.unwrap();
        after = other.last_changes().await.unwrap().sessions;
        changes.into_iter().map(|change| (change.id, change.revoked_at)).collect::<Vec<_>>()
    };
    let new_grant = async || grant(&*store, &session).await;
    let revoked = new_grant().await;
    assert!(published().await.is_empty(), "a new grant changes nothing that a node knows");
    assert!(store.revoke_grant(&revoked, None, NOW).await.unwrap());
    assert_eq!(published().await, [(session.clone(), None)]);
    assert!(!store.revoke_grant(&revoked, None, NOW).await.unwrap());
    assert!(published().await.is_empty(), "what changed nothing has no number");

    let rotated = new_grant().await;
    assert!(store.rotate_grant(&rotation(&rotated, 0, "first", "second")).await.unwrap());
    assert!(published().await.is_empty(), "a rotation ends nothing");
    let rebound = GrantRotation {
        jkt: Some(Thumbprint::of("key")),
        rebound: Some(ada.clone()),
        ..rotation(&rotated, 1, "second", "third")
    };
    assert!(store.rotate_grant(&rebound).await.unwrap());
    assert_eq!(published().await, [(session.clone(), None)]);

    let withdrawn = audit(AuditEvent::ConsentWithdrawn);
    assert!(store.withdraw_consent(&ada, "app", &withdrawn, NOW).await.unwrap());
    assert_eq!(published().await, [(session.clone(), None)]);
    let begin = BeginSession {
        grant: new_grant().await,
        session: new_session(&ada, NOW + SECOND),
        authenticated_at: NOW,
        audit: audit(AuditEvent::Login),
    };
    assert!(store.begin_session(&begin).await.unwrap());
    assert!(published().await.contains(&(session.clone(), None)));
}

pub(crate) async fn consents_are_remembered_and_withdrawn_with_what_they_gave(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let session = session(&*store, &ada, NOW).await;
    let agreed = |scope: &str| NewCode { agreed: Some(scope.to_owned()), ..new_code(&session) };
    assert!(store.add_code(&agreed("openid")).await.unwrap());
    assert!(store.add_code(&agreed("email openid")).await.unwrap());
    assert_eq!(store.consent(&ada, "app").await.unwrap().as_deref(), Some("email openid"));
    assert_eq!(store.consents(&ada).await.unwrap().len(), 1);
    let id = grant(&*store, &session).await;
    let withdrawn = audit(AuditEvent::ConsentWithdrawn);
    assert!(store.withdraw_consent(&ada, "app", &withdrawn, NOW).await.unwrap());
    assert!(!store.grant(&id).await.unwrap().unwrap().is_live(NOW));
    assert_eq!(store.consent(&ada, "app").await.unwrap(), None);
    assert!(!store.withdraw_consent(&ada, "app", &withdrawn, NOW).await.unwrap());
}

pub(crate) async fn a_pushed_request_gives_one_code_of_fifty_tries(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let ada = user(&*one, "ada").await;
    let session = session(&*one, &ada, NOW).await;
    let request = PushedRequest {
        id_hash: fresh("pushed"),
        client: "app".to_owned(),
        parameters: "scope=openid".to_owned(),
        expires_at: NOW + 1,
        kept_until: NOW + LIFE,
    };
    one.push_request(&request).await.unwrap();
    assert_eq!(two.pushed_request(&request.id_hash, NOW).await.unwrap().as_ref(), Some(&request));
    one.sweep_oauth(NOW + LIFE - 1).await.unwrap();
    assert!(
        two.pushed_request(&request.id_hash, NOW + LIFE - 1).await.unwrap().is_some(),
        "somebody may be signing in"
    );
    assert_eq!(two.pushed_request(&request.id_hash, NOW + LIFE).await.unwrap(), None);
    let over = NewCode { pushed: Some(request.id_hash.clone()), ..new_code(&"over".into()) };
    assert!(!one.add_code(&over).await.unwrap(), "the session is over");
    assert!(two.pushed_request(&request.id_hash, NOW).await.unwrap().is_some(), "and the person signs in again");
    let tries = (0..50).map(|n| {
        let store = if n % 2 == 0 { one.clone() } else { two.clone() };
        let code = NewCode { pushed: Some(request.id_hash.clone()), ..new_code(&session) };
        tokio::spawn(async move { store.add_code(&code).await.unwrap() })
    });
    assert_eq!(join_all(tries).await.into_iter().filter(|won| *won.as_ref().unwrap()).count(), 1);
}

pub(crate) async fn a_client_is_notified_once_that_a_session_has_ended(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let ada = user(&*one, "ada").await;
    let session = session(&*one, &ada, NOW).await;
    grant(&*one, &session).await;
    grant(&*one, &session).await;
    assert!(one.due_logouts(NOW, 9).await.unwrap().is_empty(), "the session goes on");
    one.revoke(&ada, &session, &entry(AuditEvent::Logout, Some(&ada), NOW), NOW).await.unwrap();
    let due = two.due_logouts(NOW, 9).await.unwrap();
    assert_eq!(due.len(), 1, "once for two grants: {due:?}");
    assert_eq!((due[0].user.as_str(), due[0].session.as_str(), due[0].tries), (ada.as_str(), session.as_str(), 0));
    let tries = (0..50).map(|n| {
        let (store, due) = (if n % 2 == 0 { one.clone() } else { two.clone() }, due[0].clone());
        tokio::spawn(async move { store.claim_logout(&due, NOW + SECOND).await.unwrap() })
    });
    assert_eq!(join_all(tries).await.into_iter().filter(|won| *won.as_ref().unwrap()).count(), 1);
    assert!(one.due_logouts(NOW, 9).await.unwrap().is_empty(), "claimed");
    let again = one.due_logouts(NOW + SECOND, 9).await.unwrap();
    assert_eq!(again[0].tries, 1, "an attempt that failed is repeated");
    one.finish_logout(&again[0]).await.unwrap();
    assert!(one.due_logouts(NOW + DAY, 9).await.unwrap().is_empty());
}

pub(crate) async fn of_fifty_tasks_on_two_nodes_one_begins_the_session_of_a_grant(fixture: Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    let ada = user(&*one, "ada").await;
    let parent = session(&*one, &ada, NOW).await;
    let grant = grant(&*one, &parent).await;
    let tries = (0..50).map(|n| {
        let store = if n % 2 == 0 { one.clone() } else { two.clone() };
        let begin = BeginSession {
            grant: grant.clone(),
            session: new_session(&ada, NOW + SECOND),
            authenticated_at: NOW,
            audit: audit(AuditEvent::Login),
        };
        tokio::spawn(async move { store.begin_session(&begin).await.unwrap().then_some(begin.session.id) })
    });
    let begun: Vec<_> = join_all(tries).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(begun.len(), 1);
    let row = two.session(&begun[0]).await.unwrap().unwrap();
    assert_eq!(row.authentication.at, NOW, "it is no fresher than the session that agreed");
    assert!(!two.grant(&grant).await.unwrap().unwrap().is_live(NOW + SECOND), "the grant has ended with it");
    assert_eq!(two.sessions_of(&ada, NOW + SECOND).await.unwrap().len(), 2, "no other session was stored");
}

pub(crate) async fn a_grant_of_an_ended_session_begins_none(fixture: Fixture) {
    let store = fixture.open().await;
    let (ada, bob) = (user(&*store, "ada").await, user(&*store, "bob").await);
    let begin = async |user: &UserId, grant: &str, now: UnixMs| {
        let begin = BeginSession {
            grant: grant.to_owned(),
            session: new_session(user, now),
            authenticated_at: NOW,
            audit: audit(AuditEvent::Login),
        };
        let begun = store.begin_session(&begin).await.unwrap();
        assert_eq!(store.session(&begin.session.id).await.unwrap().is_some(), begun);
        begun
    };
    let parent = session(&*store, &ada, NOW).await;
    let revoked = grant(&*store, &parent).await;
    store.revoke(&ada, &parent, &entry(AuditEvent::Logout, Some(&ada), NOW), NOW).await.unwrap();
    assert!(!begin(&ada, &revoked, NOW + SECOND).await);
    let expired = grant(&*store, &session(&*store, &ada, NOW).await).await;
    assert!(!begin(&ada, &expired, NOW + 2 * DAY).await);
    let others = grant(&*store, &session(&*store, &ada, NOW).await).await;
    let ended = entry(AuditEvent::SessionEnded, Some(&ada), NOW + 1);
    assert!(!store.revoke_others(&ada, None, &ended, NOW + 1).await.unwrap().is_empty());
    assert!(!begin(&ada, &others, NOW + SECOND).await);
    let disabled = grant(&*store, &session(&*store, &bob, NOW).await).await;
    let off = entry(AuditEvent::UserDisabled, Some(&bob), NOW);
    assert!(store.set_disabled(&bob, true, &off, NOW).await.unwrap().is_done());
    assert!(!begin(&bob, &disabled, NOW + SECOND).await);
    assert!(store.sessions_of(&ada, NOW + SECOND).await.unwrap().is_empty());
}

pub(crate) async fn each_end_of_a_session_makes_its_notice_due(fixture: Fixture) {
    let store = fixture.open().await;
    let ada = user(&*store, "ada").await;
    let due = async |now: UnixMs| -> Vec<SessionId> {
        store.due_logouts(now, 9).await.unwrap().into_iter().map(|due| due.session).collect()
    };
    let told = async |sessions: &[&SessionId], now: UnixMs| {
        let due = store.due_logouts(now, 9).await.unwrap();
        assert_eq!(due.iter().map(|due| &due.session).collect::<Vec<_>>(), sessions);
        for due in &due {
            store.finish_logout(due).await.unwrap();
        }
    };
    let (kept, other) = (session(&*store, &ada, NOW).await, session(&*store, &ada, NOW).await);
    let extended = grant(&*store, &kept).await;
    grant(&*store, &other).await;
    assert!(due(NOW).await.is_empty());
    let ended = entry(AuditEvent::SessionEnded, Some(&ada), NOW);
    store.revoke_others(&ada, Some(&kept), &ended, NOW).await.unwrap();
    told(&[&other], NOW).await;
    // A session that is used goes on, and its row is looked at again when it is expected to end.
    assert!(store.rotate_grant(&rotation(&extended, 0, "first", "second")).await.unwrap());
    assert!(due(NOW + DAY).await.is_empty());
    store.sweep_oauth(NOW + DAY).await.unwrap();
    assert!(due(NOW + 29 * DAY).await.is_empty());
    assert_eq!(due(NOW + 30 * DAY).await, std::slice::from_ref(&kept), "it has expired");
    let set = SetPassword {
        user: ada.clone(),
        account: "ada".to_owned(),
        hash: PasswordHash("$argon2id$new".to_owned()),
        audit: entry(AuditEvent::PasswordSet, Some(&ada), NOW + SECOND),
        now: NOW + SECOND,
    };
    assert!(store.set_password(&set).await.unwrap());
    told(&[&kept], NOW + SECOND).await;
}
