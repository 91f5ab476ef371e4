//! App cookies: valid for their app only, and only unchanged.

use domain::UnixMs;
use domain::app_session::AppSession;
use domain::encoding::{base64url, from_base64url};
use domain::ids::SessionId;
use proptest::prelude::*;

const WIKI: &str = "https://wiki.example";

#[test]
fn it_comes_back_for_its_own_app_and_key() {
    let (key, parent) = ([1; 32], SessionId::of_bytes(&[9; 16]));
    let session = AppSession::of(&parent, UnixMs::from_millis(1_800_000_000_000)).expect("an id");
    let cookie = session.reveal(&key, WIKI);
    assert_eq!(cookie.len(), 55);
    let read = AppSession::read(&key, WIKI, &cookie).expect("ours");
    assert_eq!((read.session(), read.issued_at), (parent, UnixMs::from_millis(1_800_000_000_000)));
    assert_eq!(AppSession::read(&[2; 32], WIKI, &cookie), None);
    for other in ["https://shop.example", "http://wiki.example", "https://wiki.example:8443", ""] {
        assert_eq!(AppSession::read(&key, other, &cookie), None, "{other}");
    }
    assert_eq!(AppSession::of(&"".into(), UnixMs::EPOCH), None);
    assert_eq!(AppSession::of(&base64url(&[9; 15]).into(), UnixMs::EPOCH), None);
    assert_eq!(format!("{session:?}"), "AppSession(issued 1800000000000)");
}

proptest! {
    #[test]
    fn no_changed_byte_passes(place in 0_usize..41, change in 1_u8..) {
        let cookie = AppSession::of(&SessionId::of_bytes(&[9; 16]), UnixMs::from_millis(7)).expect("an id").reveal(&[1; 32], WIKI);
        let mut bytes = from_base64url(&cookie).expect("base64url");
        bytes[place] ^= change;
        prop_assert_eq!(AppSession::read(&[1; 32], WIKI, &base64url(&bytes)), None);
    }

    #[test]
    fn nothing_invented_passes(text in "\\PC{0,80}") {
        prop_assert_eq!(AppSession::read(&[1; 32], WIKI, &text), None);
    }
}
