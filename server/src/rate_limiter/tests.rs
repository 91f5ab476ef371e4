use super::*;

fn who() -> ClientKey {
    "203.0.113.7".parse().expect("an identity")
}

fn limits(refused_per_minute: Option<u32>) -> RateLimits {
    RateLimits { sign_in_at_once: 2, sign_in_per_minute: 3, at_once: 4, per_minute: 60, refused_per_minute }
}

#[test]
fn strictly_at_once_and_per_minute() {
    let floods = RateLimiter::new(limits(None));
    let first = floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect("first");
    let second = floods.enter(who(), RequestClass::Challenge, UnixMs::EPOCH).expect("second");
    let third = floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect_err("third");
    assert_eq!((third.limit, third.offence), (PassedLimit::AtOnce(2), true));
    drop((first, second));
    drop(floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect("after the others left"));
    let fourth = floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect_err("fourth in a minute");
    assert_eq!((fourth.limit, fourth.offence), (PassedLimit::PerMinute(3), true));
    drop(floods.enter(who(), RequestClass::SignIn, UnixMs::from_millis(20_000)).expect("refilled"));
    let held: Vec<_> =
        (0..4).map(|_| floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).expect("other")).collect();
    assert_eq!(
        floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).expect_err("other").limit,
        PassedLimit::AtOnce(4)
    );
    drop(held);
}

#[test]
fn successes_are_not_counted_and_failures_must_wait() {
    let floods = RateLimiter::new(limits(Some(5)));
    for _ in 0..1000 {
        drop(floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect("succeeds"));
    }
    for _ in 0..3 {
        floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect("within the limit").failed(UnixMs::EPOCH);
    }
    for _ in 0..5 {
        let over = floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect_err("over the limit");
        assert!(!over.offence && over.wait_ms >= 20_000, "{over:?}");
    }
    let last = floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect_err("the sixth failure is an offence");
    assert_eq!((last.limit, last.offence), (PassedLimit::Refused(5), true));
    assert!(floods.enter(who(), RequestClass::SignIn, UnixMs::from_millis(20_000)).is_ok(), "refilled");
}

#[test]
fn an_arrival_that_is_forgiven_counts_for_nobody() {
    let floods = RateLimiter::new(limits(Some(5)));
    for _ in 0..1000 {
        floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).expect("forgiven").forgive();
    }
    for _ in 0..4 {
        drop(floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).expect("within the burst"));
    }
    assert!(floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).is_err(), "and no more than that");
}

#[test]
fn a_client_is_forgotten_when_its_limits_are_full_again() {
    let floods = RateLimiter::new(limits(Some(5)));
    let held = floods.enter(who(), RequestClass::Other, UnixMs::EPOCH).expect("within the burst");
    floods.sweep(UnixMs::from_millis(MINUTE_MS));
    assert_eq!(floods.counters.len(), 1, "a request is in progress");
    drop(held);
    floods.sweep(UnixMs::from_millis(1));
    assert_eq!(floods.counters.len(), 1, "its arrival counts");
    floods.sweep(UnixMs::from_millis(MINUTE_MS));
    assert_eq!(floods.counters.len(), 0);
}

#[test]
fn a_full_queue_and_requests_from_elsewhere_are_no_offence() {
    let floods = RateLimiter::new(limits(Some(1)));
    let held: Vec<_> =
        (0..2).map(|_| floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect("waits")).collect();
    for _ in 0..100 {
        assert!(!floods.enter(who(), RequestClass::SignIn, UnixMs::EPOCH).expect_err("full").offence);
    }
    drop(held);
    let refused = (0..100).filter_map(|_| floods.enter(who(), RequestClass::Elsewhere, UnixMs::EPOCH).err());
    assert!(refused.clone().count() > 90 && refused.into_iter().all(|excess| !excess.offence));
    for _ in 0..4 {
        drop(
            floods
                .enter(who(), RequestClass::Other, UnixMs::EPOCH)
                .expect("the person's own requests do not share that limit"),
        );
    }
}

#[test]
fn an_account_has_one_share_however_many_devices() {
    let floods = RateLimiter::new(RateLimits::DEFAULT);
    let held: Vec<_> = (0..8).map(|_| floods.enter_share(who()).expect("waits")).collect();
    assert!(!floods.enter_share(who()).expect_err("the ninth").offence);
    drop(held);
    assert!(floods.enter_share(who()).is_ok());
}

#[test]
fn a_flood_from_many_networks_does_not_grow_the_table() {
    let floods = RateLimiter::new(RateLimits::DEFAULT);
    for network in 0..150_000_u128 {
        let client_key = ClientKey::V6(std::net::Ipv6Addr::from_bits(network << 64), 64);
        drop(floods.enter(client_key, RequestClass::SignIn, UnixMs::EPOCH).expect("the first of its network"));
    }
    // Each part of the table rounds its size up.
    let held = floods.counters.len();
    assert!((1..=COUNTED + 1_000).contains(&held), "{held}");
}
