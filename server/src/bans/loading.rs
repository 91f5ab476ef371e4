//! Loading from a store that is slow, or whose bans change meanwhile.

use super::{Bans, PAGE};
use async_trait::async_trait;
use domain::UnixMs;
use domain::ban::{Scope, Trigger};
use domain::client_key::ClientKey;
use domain::ids::BanId;
use parking_lot::Mutex;
use std::net::Ipv4Addr;
use std::time::Duration;
use store::audit::AuditEntry;
use store::bans::{Ban, BanChanges, BanContext, BanCursor, BanLift, BanRecord, BanSearch, Bans as StoredBans};
use store::{Error, Result};

const NOW: UnixMs = UnixMs::from_millis(1_000);

/// Pages of bans, each of which takes a while.
struct SlowStore {
    pages: Mutex<Vec<Vec<Ban>>>,
    /// Changes since the first answer of `last_ban_change`.
    changed: Vec<Ban>,
    takes: Duration,
}

fn ban(number: u32, lifted_at: Option<UnixMs>) -> Ban {
    Ban {
        id: format!("{number:08}").into(),
        incident: "7F3K-2Q".to_owned(),
        client_key: key(number),
        scope: Scope::Everything,
        trigger: Trigger::Flood,
        reason: String::new(),
        evidence: String::new(),
        since: UnixMs::EPOCH,
        until: NOW + NOW.as_millis(),
        made_by: "engine".to_owned(),
        lifted_at,
        lifted_by: None,
        lift_reason: None,
    }
}

fn key(number: u32) -> ClientKey {
    ClientKey::V4(Ipv4Addr::from_bits(number))
}

/// A store with this number of full pages, and a last one that is not full.
fn store(pages: u32, takes: Duration) -> SlowStore {
    let mut all: Vec<Vec<Ban>> = vec![vec![ban(pages * PAGE, None)]];
    all.extend((0..pages).rev().map(|page| (page * PAGE..(page + 1) * PAGE).map(|number| ban(number, None)).collect()));
    SlowStore { pages: Mutex::new(all), changed: Vec::new(), takes }
}

#[async_trait]
impl StoredBans for SlowStore {
    async fn record_offence(&self, _: ClientKey, _: Trigger, _: &str, _: &BanContext) -> Result<Option<Ban>> {
        Err(Error::Closed)
    }
    async fn ban(&self, _: &Ban, _: &AuditEntry) -> Result<()> {
        Err(Error::Closed)
    }
    async fn ban_by_id(&self, _: &BanId) -> Result<Option<Ban>> {
        Err(Error::Closed)
    }
    async fn active_bans(&self, _: UnixMs) -> Result<Vec<Ban>> {
        Err(Error::Closed)
    }
    async fn bans_on(&self, client_key: ClientKey, _: UnixMs) -> Result<Vec<Ban>> {
        let pages = self.pages.lock();
        Ok(pages.iter().flatten().filter(|ban| ban.client_key == client_key).cloned().collect())
    }
    async fn last_ban_change(&self) -> Result<i64> {
        Ok(if self.pages.lock().is_empty() { 9 } else { 7 })
    }
    async fn bans_changed(&self, after: &BanCursor, _: u32) -> Result<BanChanges> {
        assert_eq!(after, &BanCursor::after(7));
        Ok(BanChanges { bans: self.changed.clone(), next: BanCursor::after(9) })
    }
    async fn search_bans(&self, _: &BanSearch) -> Result<Vec<Ban>> {
        tokio::time::sleep(self.takes).await;
        Ok(self.pages.lock().pop().unwrap_or_default())
    }
    async fn ban_record(&self, _: ClientKey, _: UnixMs) -> Result<BanRecord> {
        Err(Error::Closed)
    }
    async fn lift(&self, _: ClientKey, _: &BanLift) -> Result<Vec<Ban>> {
        Err(Error::Closed)
    }
    async fn sweep_bans(&self, _: UnixMs) -> Result<u64> {
        Err(Error::Closed)
    }
}

#[tokio::test]
async fn each_page_may_take_as_long_as_one_answer() {
    let (takes, timeout) = (Duration::from_millis(50), Duration::from_secs(1));
    let bans = Bans::default();
    // All together they take longer.
    bans.load(&store(25, takes), NOW, timeout).await.expect("loaded");
    assert_eq!(bans.len(), 25 * PAGE as usize + 1);
}

#[tokio::test]
async fn a_store_that_does_not_answer_leaves_the_bans_as_they_were() {
    let bans = Bans::default();
    bans.apply(&[ban(1, None)]);
    let silent = store(0, Duration::from_hours(1));
    let failed = bans.load(&silent, NOW, Duration::from_millis(1)).await;
    assert!(matches!(failed, Err(Error::NoAnswer)), "{failed:?}");
    assert!(bans.closed(key(1), Scope::Everything, NOW).is_some());
}

#[tokio::test]
async fn a_load_drops_missing_bans_and_reads_later_changes() {
    let bans = Bans::default();
    let lifted_elsewhere = 4_000_000;
    bans.apply(&[ban(lifted_elsewhere, None)]);
    let mut store = store(1, Duration::ZERO);
    store.changed = vec![ban(lifted_elsewhere + 1, None), ban(3, Some(NOW))];
    bans.load(&store, NOW, Duration::from_mins(1)).await.expect("loaded");
    let is_closed = |number| bans.closed(key(number), Scope::Everything, NOW).is_some();
    assert!(!is_closed(lifted_elsewhere), "its lift was read by nobody here");
    assert!(is_closed(lifted_elsewhere + 1) && is_closed(2) && !is_closed(3));
}

#[tokio::test]
async fn each_client_is_looked_up_until_all_bans_are_loaded() {
    let bans = Bans::default();
    let store = store(2, Duration::ZERO);
    let is_closed = |number| bans.closed(key(number), Scope::Everything, NOW).is_some();
    bans.load_few(&store, NOW).await.expect("the first page");
    assert!(!bans.is_loaded() && bans.is_empty());
    let (asked, other) = (PAGE + 3, PAGE + 2);
    bans.look_up(&store, [key(4_000_000), key(asked)], NOW).await.expect("looked up");
    assert!(is_closed(asked) && !is_closed(other) && !is_closed(4_000_000));
    // The cursor has no position yet.
    bans.catch_up(&store, 7, NOW).await.expect("nothing is read");
    bans.load(&store, NOW, Duration::from_mins(1)).await.expect("loaded");
    assert!(bans.is_loaded() && is_closed(asked) && is_closed(other));
}
