//! Browsers that have signed in before are counted separately.

use crate::second_factor::{Enrolled, finish};
use crate::support::{PASSWORD, Portal, Visitor};
use http::StatusCode;
use wire::envelope::EnvelopeKind;
use wire::paths;

const OFFICE: &str = "198.51.100.1";

async fn known(portal: &Portal, name: &str, address: &str) -> Visitor {
    portal.add_user(name).await;
    let visitor = portal.browser(address).signed_in(name).await;
    assert_eq!(visitor.post(paths::LOGOUT, &serde_json::json!({})).await.status, StatusCode::NO_CONTENT);
    assert!(!visitor.cookie("device").is_empty(), "signing out does not make a browser unknown");
    visitor
}

#[tokio::test]
async fn a_thousand_addresses_that_guess_do_not_keep_the_owner_out() {
    let portal = Portal::start().await;
    let alice = known(&portal, "alice", "203.0.113.7").await;
    for n in 0..1000_u32 {
        let [_, b, c, d] = n.to_be_bytes();
        let answer = portal.browser(&format!("10.{b}.{c}.{d}")).login("alice", "a guess of a thousand").await;
        assert!(matches!(answer.code().as_str(), "wrong_credentials" | "account_delayed"), "{}", answer.text);
        // Longer than every wait: the guesses reach the limit of 100 in a row.
        portal.clock.advance(301_000);
    }
    assert_eq!(portal.browser("192.0.2.9").login("alice", PASSWORD).await.code(), "wrong_credentials", "it is shut");
    assert_eq!(alice.login("alice", PASSWORD).await.status, StatusCode::OK, "at the first try");
    assert_eq!(portal.browser("192.0.2.10").login("alice", PASSWORD).await.status, StatusCode::OK, "and open again");
}

#[tokio::test]
async fn fifty_people_behind_one_address_each_wait_for_their_own_typo_only() {
    let portal = Portal::start().await;
    let mut people = Vec::new();
    for n in 0..50 {
        let name = format!("person{n}");
        people.push((known(&portal, &name, &format!("203.0.113.{n}")).await.moved(OFFICE), name));
    }
    portal.clock.advance(60_000);
    for (person, name) in &people {
        let typo = person.login(name, "a slip of the finger").await;
        assert_eq!(typo.code(), "wrong_credentials", "{}", typo.text);
        let wait: u32 = typo.header("retry-after").parse().unwrap();
        assert!(wait <= 15, "{wait} s");
        assert_eq!(person.get(paths::CHALLENGE).await.code(), "banned", "its own typo counts");
    }
    portal.clock.advance(15_000);
    for (person, name) in &people {
        assert_eq!(person.login(name, PASSWORD).await.status, StatusCode::OK);
    }

    let attacker = portal.browser(OFFICE);
    let mut codes = Vec::new();
    for (_, name) in people.iter().take(5) {
        codes.push(attacker.login(name, "Password of the year").await.code());
        portal.clock.advance(16_000);
    }
    assert_eq!(codes.last().unwrap(), "banned", "{codes:?}");
    assert_eq!(attacker.get(paths::SESSION).await.code(), "banned", "five names are a spray: everything is closed");
}

#[tokio::test]
async fn another_account_or_another_key_is_an_unknown_device() {
    let portal = Portal::start().await;
    let alice = known(&portal, "alice", "203.0.113.7").await;
    portal.add_user("bob").await;

    let guess = alice.login("bob", "a guess from a known device").await;
    assert_eq!((guess.status, guess.code().as_str()), (StatusCode::BAD_REQUEST, "device_mismatch"));
    assert!(alice.cookie("device").starts_with('.'), "it does not count, and the browser tries again");
    assert_eq!(alice.login("bob", "a guess from a known device").await.code(), "wrong_credentials");
    assert_eq!(portal.browser("203.0.113.7").get(paths::CHALLENGE).await.code(), "banned", "it counts for the address");

    let carol = known(&portal, "carol", "203.0.113.8").await;
    let thief = carol.thief(&portal, "203.0.113.9");
    assert_eq!(thief.login("carol", PASSWORD).await.code(), "device_mismatch", "the cookie without its key");
}

#[tokio::test]
async fn a_family_shares_a_browser() {
    let portal = Portal::start().await;
    let browser = known(&portal, "alice", OFFICE).await;
    portal.add_user("bob").await;
    let alices = browser.cookie("device");
    // As the browser's code does: a device that does not count is no answer for the person.
    let sign_in = async |name: &str, password: &str| {
        let mut answers = Vec::new();
        loop {
            let answer = browser.login(name, password).await;
            answers.push(answer.code());
            if answer.code() != "device_mismatch" {
                return answers;
            }
        }
    };
    assert_eq!(sign_in("bob", PASSWORD).await, ["device_mismatch", ""]);
    assert_eq!(browser.cookie("device").split('.').count(), 2, "the browser is known to both");
    assert_eq!(browser.post(paths::LOGOUT, &serde_json::json!({})).await.status, StatusCode::NO_CONTENT);
    // Alice's device is hers still: guesses elsewhere do not keep her out.
    assert_eq!(sign_in("alice", PASSWORD).await, ["device_mismatch", ""]);
    assert_eq!(sign_in("alice", PASSWORD).await, [""]);
    assert!(browser.cookie("device").len() > alices.len());
    // A stranger in the same browser gets nothing from it, and takes nothing away.
    let guess = sign_in("carol", "a guess of a stranger").await;
    assert_eq!(guess, ["device_mismatch", "wrong_credentials"]);
    assert_eq!(portal.browser(OFFICE).get(paths::CHALLENGE).await.code(), "banned", "it counts for the address");
    portal.advance(61_000).await;
    assert_eq!(sign_in("alice", PASSWORD).await, [""], "her device counts again");
    // Whose account is gone has no device here.
    let deleted = browser.post_sealed(EnvelopeKind::Deletion, &serde_json::json!({"password": PASSWORD})).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text);
    assert_eq!(browser.cookie("device").split('.').count(), 1);
    assert_eq!(sign_in("bob", PASSWORD).await, [""]);
}

#[tokio::test]
async fn a_second_factor_is_not_lost_to_the_device_of_another() {
    let portal = Portal::start().await;
    let browser = known(&portal, "alice", OFFICE).await;
    let bob = Enrolled::add(&portal, "bob", &[]).await;
    assert_eq!(browser.login("bob", PASSWORD).await.code(), "device_mismatch");
    let begun = browser.login("bob", PASSWORD).await.json();
    assert_eq!(begun["code"], "second_factor_required");
    // The code takes longer than the pause, in which Alice's device does not count.
    portal.clock.advance(61_000);
    let code = bob.code(&portal, 0);
    assert_eq!(finish(&browser, &begun["pending"], &code).await.code(), "device_mismatch");
    let done = finish(&browser, &begun["pending"], &code).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert_eq!(browser.cookie("device").split('.').count(), 2, "the browser is known to both");
}

#[tokio::test]
async fn a_known_device_climbs_a_ladder_of_its_own() {
    let portal = Portal::start().await;
    let alice = known(&portal, "alice", OFFICE).await;
    let mut waits = Vec::new();
    for _ in 0..4 {
        let answer = alice.login("alice", "wrong again and again").await;
        waits.push(answer.header("retry-after").to_owned());
        portal.clock.advance(answer.header("retry-after").parse::<i64>().unwrap() * 1000);
    }
    assert!(waits[0].parse::<u32>().unwrap() <= 3 && waits[3].parse::<u32>().unwrap() >= 50, "{waits:?}");
    // At another address as well.
    assert_eq!(alice.login("alice", "wrong again and again").await.code(), "wrong_credentials");
    assert_eq!(alice.moved("192.0.2.1").get(paths::CHALLENGE).await.code(), "banned");
    assert_eq!(portal.browser(OFFICE).get(paths::CHALLENGE).await.status, StatusCode::OK, "and nobody else");
}

#[tokio::test]
async fn with_the_strict_preset_no_device_is_known() {
    let portal = Portal::with("[ban]\npreset = 'strict'").await;
    let alice = known(&portal, "alice", OFFICE).await;
    assert_eq!(alice.login("alice", "wrong").await.code(), "banned");
    assert_eq!(portal.browser(OFFICE).get(paths::SESSION).await.code(), "banned");
}

#[tokio::test]
async fn the_owner_sees_new_devices_and_new_networks() {
    let portal = Portal::start().await;
    let id = portal.add_user("alice").await;
    portal.browser("203.0.113.7").signed_in("alice").await;
    let alice = portal.browser("203.0.113.7").signed_in("alice").await;
    alice.login("alice", PASSWORD).await;
    alice.moved("203.0.113.200").login("alice", PASSWORD).await;
    alice.moved("198.51.100.7").login("alice", PASSWORD).await;
    let count = async |outcome: &str| portal.outcomes(&id, outcome).await;
    assert_eq!((count("new_device").await, count("ok").await, count("new_place").await), (1, 3, 1));

    let page = alice.send(http::Method::GET, "/dashboard/activity", None, &[("sec-fetch-mode", "navigate")]).await;
    assert!(page.text.contains("Signed in on a new device") && page.text.contains("Signed in from a new network"));
}
