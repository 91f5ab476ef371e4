use crate::fixture::Fixture;
use crate::make::{DAY, HOUR, NOW, fresh};
use std::collections::HashSet;
use std::sync::Arc;
use store::address_assignments::AssignmentRequest;

fn request(challenge: &str, addresses: u32) -> AssignmentRequest {
    AssignmentRequest {
        challenge: challenge.to_owned(),
        route: "price".to_owned(),
        height: 100,
        now: NOW,
        expires_at: NOW + HOUR,
        ends_at: NOW + HOUR + DAY,
        addresses,
    }
}

/// Returns the request moved by `ms` to a later time.
fn later(request: &AssignmentRequest, ms: i64) -> AssignmentRequest {
    let AssignmentRequest { now, expires_at, ends_at, .. } = *request;
    AssignmentRequest {
        challenge: fresh("offer"),
        now: now + ms,
        expires_at: expires_at + ms,
        ends_at: ends_at + ms,
        ..request.clone()
    }
}

pub(crate) async fn are_for_one_offer_until_they_end(fixture: Fixture) {
    let store = fixture.open().await;
    assert_eq!(store.assign_address(&request("none", 0)).await.unwrap(), None);
    for expected in [Some(0), Some(1), None] {
        assert_eq!(store.assign_address(&request(&fresh("offer"), 2)).await.unwrap(), expected);
    }
    let lent = store.address_assignments(NOW).await.unwrap();
    assert_eq!((lent.len(), lent[1].subaddress, lent[1].height, lent[1].searched), (2, 1, 100, 100));
    assert_eq!((lent[0].route.as_str(), lent[0].leased_at, lent[0].expires_at), ("price", NOW, NOW + HOUR));

    // Not assigned while its offer may be paid, nor soon after.
    let last = later(&request("", 2), HOUR + DAY - 1);
    assert_eq!(store.assign_address(&last).await.unwrap(), None);
    assert_eq!(store.address_assignments(last.now).await.unwrap().len(), 2);
    let over = later(&request("", 2), HOUR + DAY);
    assert_eq!(store.address_assignments(over.now).await.unwrap(), []);
    assert_eq!(store.assign_address(&over).await.unwrap(), Some(0));
    let lent = store.address_assignments(over.now).await.unwrap();
    assert_eq!((lent.len(), lent[0].challenge.as_str()), (1, over.challenge.as_str()));
}

pub(crate) async fn are_assigned_again_in_the_order_in_which_they_ended(fixture: Fixture) {
    let store = fixture.open().await;
    let first = request("first", 3);
    for ms in [2 * HOUR, 0, HOUR] {
        store.assign_address(&later(&first, ms)).await.unwrap();
    }
    let mut again = Vec::new();
    for _ in 0..3 {
        again.push(store.assign_address(&later(&first, 2 * DAY)).await.unwrap());
    }
    assert_eq!(again, [Some(1), Some(2), Some(0)]);
    // With fewer addresses the remaining ones are assigned, and with more addresses new ones.
    let fewer = AssignmentRequest { addresses: 1, ..later(&first, 4 * DAY) };
    assert_eq!(store.assign_address(&fewer).await.unwrap(), Some(0));
    assert_eq!(
        store.assign_address(&AssignmentRequest { challenge: fresh("offer"), ..fewer.clone() }).await.unwrap(),
        None
    );
    assert_eq!(store.assign_address(&AssignmentRequest { addresses: 4, ..fewer }).await.unwrap(), Some(3));
}

pub(crate) async fn fifty_at_once_get_an_address_each(fixture: Fixture) {
    let (store, second) = (fixture.open().await, fixture.open().await);
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = Arc::clone(if n % 2 == 0 { &store } else { &second });
            tokio::spawn(async move { store.assign_address(&request(&format!("offer {n}"), 40)).await.unwrap() })
        })
        .collect();
    let (mut lent, mut refused) = (HashSet::new(), 0);
    for task in tasks {
        match task.await.unwrap() {
            Some(subaddress) => assert!(lent.insert(subaddress), "{subaddress} twice"),
            None => refused += 1,
        }
    }
    assert_eq!((lent.len(), lent.into_iter().max(), refused), (40, Some(39), 10));

    // The one that is released goes to one of fifty requests as well.
    let ended = later(&request("", 40), HOUR + DAY);
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let (store, request) = (
                Arc::clone(&second),
                AssignmentRequest { challenge: format!("late {n}"), addresses: 1, ..ended.clone() },
            );
            tokio::spawn(async move { store.assign_address(&request).await.unwrap() })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap().is_some());
    }
    assert_eq!((winners, store.address_assignments(ended.now).await.unwrap().len()), (1, 1));
}

pub(crate) async fn remember_how_far_they_were_searched(fixture: Fixture) {
    let store = fixture.open().await;
    store.assign_address(&request("old", 9)).await.unwrap();
    store.assign_address(&AssignmentRequest { height: 105, ..request("new", 9) }).await.unwrap();
    let searched =
        async || store.address_assignments(NOW).await.unwrap().iter().map(|lease| lease.searched).collect::<Vec<_>>();
    for (height, expected) in [(103, [103, 105]), (101, [103, 105]), (110, [110, 110])] {
        store.mark_searched(height).await.unwrap();
        assert_eq!(searched().await, expected);
    }
    assert_eq!(store.address_assignments(NOW).await.unwrap()[1].height, 105);
}
