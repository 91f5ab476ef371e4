//! Values that carry a MAC of ours (`short_key`, refresh token, cookies, nonces): only issued ones are accepted.

use crate::input;
use domain::UnixMs;
use domain::account::AccountDigest;
use domain::app_session::AppSession;
use domain::ids::SessionId;
use domain::known_device::KnownDevice;
use domain::refresh_token::RefreshToken;
use domain::short_key::{ShortKey, ShortKeyClaims};

const KEY: [u8; 32] = [7; 32];
const NOW: UnixMs = UnixMs::from_millis(1_800_000_000_000);
const ORIGIN: &str = "https://app.example";

/// Checks `data`: a value; or the position and bits of a change to values that were issued here.
pub(crate) fn check(data: &[u8]) {
    let issued = issued();
    if let Some(text) = input::text(data) {
        judge(text, &issued);
    }
    for value in &issued {
        if let Some(text) = input::changed(value.as_bytes(), data).and_then(|bytes| String::from_utf8(bytes).ok()) {
            judge(&text, &issued);
        }
    }
}

fn issued() -> [String; 5] {
    let terms = ShortKeyClaims { expires_at: NOW, kid: Some([1; 32]), origin: [2; 32], cookie: Some([3; 32]) };
    let session = SessionId::of_bytes(&[5; 16]);
    [
        ShortKey::issue(&KEY, [4; 16], &terms),
        RefreshToken::first([5; 16], [6; 32]).reveal(&KEY),
        AppSession::of(&session, NOW).expect("a session").reveal(&KEY, ORIGIN),
        KnownDevice::issue(&KEY, &AccountDigest::of(&KEY, "alice"), None, NOW),
        verify::nonce::make(&KEY, NOW),
    ]
}

fn judge(text: &str, issued: &[String]) {
    let taken = ShortKey::authenticate(&KEY, text).is_ok()
        || RefreshToken::authenticate(&KEY, text).is_some()
        || AppSession::read(&KEY, ORIGIN, text).is_some()
        || KnownDevice::read(&KEY, text, NOW).is_some()
        || verify::nonce::made_at(&KEY, text).is_some();
    assert!(!taken || issued.iter().any(|own| own == text), "{text} was never issued");
}
