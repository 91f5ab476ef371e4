use crate::fixture::Fixture;
use crate::make::{HOUR, NOW, entry, fresh};
use domain::UnixMs;
use store::allowlist::{ALLOWLIST_CAP, AllowOutcome, AllowedNetwork};
use store::audit::AuditEvent;

fn allowed(network: &str, comment: &str) -> AllowedNetwork {
    AllowedNetwork {
        id: fresh("allowed"),
        network: network.parse().unwrap(),
        comment: comment.to_owned(),
        expires_at: Some(NOW + HOUR),
        made_by: "root".to_owned(),
        created_at: NOW,
    }
}

pub(crate) async fn a_network_is_there_once_until_it_is_taken_off(fixture: Fixture) {
    let store = fixture.open().await;
    let audit = || entry(AuditEvent::AllowAdded, None, NOW);
    let office = allowed("203.0.113.0/24", "the office");
    let home = AllowedNetwork { expires_at: None, ..allowed("2001:db8::/48", "home") };
    for one in [&office, &home] {
        assert_eq!(store.allow(one, &audit()).await.unwrap(), AllowOutcome::Added);
    }
    assert_eq!(store.allowlist().await.unwrap(), [home.clone(), office.clone()]);
    assert!(office.in_force(NOW + HOUR - 1) && !office.in_force(NOW + HOUR) && home.in_force(UnixMs::MAX));
    let renamed = allowed("203.0.113.0/24", "the new office");
    assert_eq!(store.allow(&renamed, &audit()).await.unwrap(), AllowOutcome::Added);
    assert_eq!(store.allowlist().await.unwrap(), [renamed.clone(), home.clone()]);
    assert!(!store.disallow(&office.id, &audit()).await.unwrap(), "it is another entry now");
    assert!(store.disallow(&renamed.id, &audit()).await.unwrap());
    assert_eq!(store.allowlist().await.unwrap(), [home]);
}

pub(crate) async fn the_list_is_bounded(fixture: Fixture) {
    let store = fixture.open().await;
    for n in 0..ALLOWLIST_CAP {
        let network = format!("10.{}.{}.0/24", n / 256, n % 256);
        assert_eq!(
            store.allow(&allowed(&network, ""), &entry(AuditEvent::AllowAdded, None, NOW)).await.unwrap(),
            AllowOutcome::Added
        );
    }
    let more = |network: &str| (allowed(network, "more"), entry(AuditEvent::AllowAdded, None, NOW));
    let (another, audit) = more("192.0.2.0/24");
    assert_eq!(store.allow(&another, &audit).await.unwrap(), AllowOutcome::Full);
    let (again, audit) = more("10.0.0.0/24");
    assert_eq!(store.allow(&again, &audit).await.unwrap(), AllowOutcome::Added, "it takes the place of another");
}
