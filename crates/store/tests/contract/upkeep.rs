use crate::fixture::Fixture;
use crate::make::{DAY, NOW, entry};
use domain::UnixMs;
use store::audit::AuditEvent;
use store::copies::{self, BackupNote};
use store::open;

pub(crate) async fn knows_its_newest_row_and_who_signed_in(fixture: Fixture) {
    let store = fixture.open().await;
    assert_eq!(store.newest().await.unwrap(), None);
    let nobody = store.sign_in_stats(UnixMs::EPOCH).await.unwrap();
    assert_eq!((nobody.users, nobody.addresses, nobody.address), (0, 0, None));
    let rows = [
        (AuditEvent::Login, "ada", Some("s"), "10.0.0.1", NOW),
        (AuditEvent::Login, "bob", Some("s"), "10.0.0.1", NOW),
        (AuditEvent::Login, "eve", None, "10.0.0.2", NOW),
        (AuditEvent::PasswordSet, "eve", Some("s"), "-", NOW + 5),
        (AuditEvent::Login, "eve", Some("s"), "10.0.0.3", NOW - DAY),
    ];
    for (event, user, session, address, at) in rows {
        let mut row = entry(event, Some(&user.into()), at);
        row.session = session.map(Into::into);
        row.address = address.to_owned();
        store.append(&row).await.unwrap();
    }
    assert_eq!(store.newest().await.unwrap(), Some(NOW + 5));
    let today = store.sign_in_stats(NOW).await.unwrap();
    assert_eq!((today.users, today.addresses, today.address.as_deref()), (2, 1, Some("10.0.0.1")));
    assert_eq!(store.sign_in_stats(NOW - DAY).await.unwrap().addresses, 2);
    assert_eq!(store.fault().await.unwrap(), None);
    assert!(store.connections().open >= 1);
}

/// Checks that SQLite copies a whole database, and PostgreSQL nothing.
pub(crate) async fn is_copied_while_others_write(fixture: Fixture) {
    let store = fixture.open().await;
    store.append(&entry(AuditEvent::Login, Some(&"ada".into()), NOW)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.db");
    let writes = async {
        for _ in 0..50 {
            store.append(&entry(AuditEvent::Login, Some(&"bob".into()), NOW)).await.unwrap();
        }
    };
    let (copied, ()) = tokio::join!(store.copy_to(&file), writes);
    assert_eq!(copied.unwrap(), file.exists());
    if !file.exists() {
        assert!(fixture.url.starts_with("postgres"));
        return;
    }
    let note = BackupNote { made_at: NOW, sealed_key: None };
    copies::annotate(&file, &note).await.unwrap();
    let report = copies::inspect(&file).await.unwrap().expect("ours");
    assert_eq!((report.fault, report.is_newer, report.note), (None, false, Some(note)));
    let settled = copies::settle(&file, false, NOW).await.unwrap();
    assert_eq!((settled.sessions, settled.links), (0, 0));
    assert_eq!(copies::inspect(&file).await.unwrap().expect("ours").note, None);
    assert!(!copies::is_in_use(&file).await);
    let copy = open(&format!("sqlite:{}", file.display()), store::StoreOptions::default()).await.unwrap();
    assert_eq!(copy.audit_of(&"ada".into(), 10).await.unwrap().len(), 1);
    assert!(copies::is_in_use(&file).await);
    assert!(store.copy_to(&file).await.is_err(), "nothing is overwritten");
}
