//! Notices of security events.

use crate::support::{PASSWORD, Portal};
use http::StatusCode;
use serde_json::json;
use wire::envelope::EnvelopeKind;
use wire::paths;

const PANEL: &str = "New on your account";

#[tokio::test]
async fn a_new_device_and_a_new_password_are_shown_on_all_devices_until_dismissed_once() {
    let portal = Portal::start().await;
    portal.add_user("alice").await;
    let first = portal.browser("203.0.113.1").signed_in("alice").await;
    let page = async |visitor: &crate::support::Visitor| visitor.get(paths::DASHBOARD_PAGE).await.text;
    assert!(!page(&first).await.contains(PANEL), "the first sign-in is no news");
    portal.advance(1_000).await;
    let second = portal.browser("203.0.113.2").signed_in("alice").await;
    for device in [&first, &second] {
        let page = page(device).await;
        assert!(page.contains(PANEL) && page.contains("I know about this"), "{page}");
    }
    let until = portal.state.now();
    // Notices that were shown are dismissed, but no later ones: not even by a time in the future.
    let far = json!({"until": "9007199254740991"});
    assert_eq!(second.post(paths::NOTICES_READ, &far).await.status, StatusCode::NO_CONTENT);
    for device in [&first, &second] {
        assert!(!page(device).await.contains(PANEL));
    }
    portal.advance(1_000).await;
    let change = json!({"old": PASSWORD, "new": "another horse battery staple"});
    let changed = first.post_sealed(EnvelopeKind::Password, &change).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    assert!(page(&first).await.contains(PANEL));
    // An older time restores nothing and dismisses nothing.
    assert_eq!(first.post(paths::NOTICES_READ, &json!({"until": until})).await.status, StatusCode::NO_CONTENT);
    assert!(page(&first).await.contains(PANEL));
    for wrong in [json!({}), json!({"until": "soon"}), json!({"until": 1, "more": 2})] {
        assert_eq!(first.post(paths::NOTICES_READ, &wrong).await.code(), "bad_request", "{wrong}");
    }
    // A month later they are only in the activity list.
    portal.advance(31 * 24 * 3_600_000).await;
    let again = portal.browser("203.0.113.1");
    assert_eq!(again.login("alice", "another horse battery staple").await.status, StatusCode::OK);
    assert!(!page(&again).await.contains("Password changed</p><p class=\"small quiet\">a month"));
}
