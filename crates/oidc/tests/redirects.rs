//! Redirect URIs: their registration, and their comparison with presented ones.

use oidc::redirect_uri::{InvalidUri, check, is_on_device, matches, origin};
use proptest::prelude::*;

#[test]
fn uris_that_may_be_registered() {
    for uri in [
        "https://app.example/callback",
        "https://app.example:8443/callback?tenant=1",
        "http://localhost:8080/callback",
        "http://127.0.0.1/callback",
        "http://[::1]/callback",
        "com.example.app:/callback",
    ] {
        check(uri).expect(uri);
    }
    for (uri, wrong) in [
        ("http://app.example/callback", InvalidUri::PlainHttp),
        ("http://127.0.0.1.evil.example/", InvalidUri::PlainHttp),
        ("https://app.example/callback#fragment", InvalidUri::Fragment),
        ("https://user@app.example/", InvalidUri::UserInfo),
        ("https://app.example@evil.example/", InvalidUri::UserInfo),
        ("https://*.app.example/", InvalidUri::Wildcard),
        ("javascript:alert(1)", InvalidUri::Scheme),
        ("data:text/html,x", InvalidUri::Scheme),
        ("myapp:/callback", InvalidUri::Scheme),
        ("//app.example/", InvalidUri::Form),
        ("/callback", InvalidUri::Form),
        ("HTTPS://app.example/", InvalidUri::Form),
        ("https://app.example/call back", InvalidUri::Form),
        ("https://app.example\\@evil.example/", InvalidUri::Form),
        ("https://app.example:0/", InvalidUri::Form),
        ("https:///callback", InvalidUri::Form),
        ("", InvalidUri::Form),
    ] {
        assert_eq!(check(uri), Err(wrong), "{uri}");
    }
    assert_eq!(check(&format!("https://app.example/{}", "a".repeat(1024))), Err(InvalidUri::Long));
}

#[test]
fn attack_redirect_tricks_match_nothing() {
    let registered = "https://app.example/callback";
    for trick in [
        "https://app.example/callback/",
        "https://app.example/callback?x=1",
        "https://app.example/callback#x",
        "https://app.example/Callback",
        "https://app.example:443/callback",
        "https://APP.example/callback",
        "https://app.example/callback/../evil",
        "https://app.example/%63allback",
        "https://app.example.evil.example/callback",
        "https://app.example@evil.example/callback",
        "https://evil.example/https://app.example/callback",
        "http://app.example/callback",
        " https://app.example/callback",
        "https://app.example/callback\n",
        "https://app.example\\.evil.example/callback",
        "https://app.example/callback%00",
        "",
    ] {
        assert!(!matches(registered, trick), "{trick:?}");
    }
    assert!(matches(registered, registered));
}

#[test]
fn attack_only_the_port_of_a_loopback_address_may_differ() {
    let registered = "http://127.0.0.1/callback";
    for fits in ["http://127.0.0.1/callback", "http://127.0.0.1:49152/callback", "http://127.0.0.1:1/callback"] {
        assert!(matches(registered, fits), "{fits}");
    }
    for trick in [
        "http://127.0.0.1:49152/other",
        "http://127.0.0.1:49152/callback?x",
        "http://127.0.0.1:49152@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:80a/callback",
        "http://127.0.0.2:49152/callback",
        "http://localhost:49152/callback",
        "https://127.0.0.1:49152/callback",
        "http://[::1]:49152/callback",
    ] {
        assert!(!matches(registered, trick), "{trick}");
    }
    assert!(matches("http://[::1]:80/callback", "http://[::1]:49152/callback"));
    // Coding agents register the name without a port.
    let registered = "http://localhost/callback";
    for fits in ["http://localhost/callback", "http://localhost:49152/callback"] {
        assert!(matches(registered, fits), "{fits}");
    }
    for trick in [
        "http://localhost:49152/other",
        "http://localhost:49152@evil.example/callback",
        "http://localhost.evil.example/callback",
        "http://localhost:0/callback",
        "http://LOCALHOST:49152/callback",
        "http://app.localhost:49152/callback",
        "https://localhost:49152/callback",
        "http://127.0.0.1:49152/callback",
    ] {
        assert!(!matches(registered, trick), "{trick}");
    }
    assert!(!matches("http://localhost:80/callback", "http://localhost:49152/callback"), "a registered port stays");
    assert!(!matches("https://localhost/callback", "https://localhost:49152/callback"));
}

#[test]
fn answers_on_the_device_are_recognised() {
    for uri in [
        "http://127.0.0.1:49152/callback",
        "http://[::1]/callback",
        "http://localhost:8080/callback",
        "https://localhost/callback",
        "https://LOCALHOST./callback",
        "https://app.localhost/callback",
        "https://127.1.2.3/callback",
        "https://[::ffff:127.0.0.1]/callback",
        "https://0.0.0.0/callback",
        "com.example.app:/callback",
        "com.example.app://localhost/callback",
    ] {
        assert!(is_on_device(uri), "{uri}");
    }
    for uri in
        ["https://app.example/callback", "https://localhost.example/", "https://192.0.2.1/", "https://[2001:db8::1]/"]
    {
        assert!(!is_on_device(uri), "{uri}");
    }
}

#[test]
fn origins_end_before_the_path() {
    assert_eq!(origin("https://app.example:8443/a?b"), Some("https://app.example:8443"));
    assert_eq!(origin("https://app.example?b"), Some("https://app.example"));
    assert_eq!(origin("com.example.app:/callback"), None);
}

proptest! {
    /// Only the same text matches, unless both are loopback addresses with different ports.
    #[test]
    fn a_change_of_any_byte_is_another_uri(at in 0usize..28, byte in 0x21u8..0x7f) {
        let registered = "https://app.example/callback";
        let mut other = registered.as_bytes().to_vec();
        other[at] = byte;
        let other = String::from_utf8(other).expect("ASCII");
        prop_assert_eq!(matches(registered, &other), other == registered);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let _ = (check(&text), origin(&text), matches(&text, "http://127.0.0.1:1/x"));
    }
}
