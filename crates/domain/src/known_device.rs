//! The device cookie: a browser that has signed in to an account before has a bucket of its own when it signs in there
//! again (OWASP, "Slow down online guessing attacks with device cookies").
//!
//! So neither a thousand strangers who guess at an account nor a colleague behind the same address lock its owner out.
//! A stolen cookie alone is worthless: if the browser has a signing key, the sign-in must prove that key too.

use crate::UnixMs;
use crate::account::AccountDigest;
use crate::client_key::ClientKey;
use crate::encoding::{base64url, from_base64url, hmac_is, hmac_sha256, sha256};

/// Period after its last sign-in that a device is known: a year.
pub const LIFETIME_MS: i64 = 365 * 24 * 60 * 60_000;

/// The version that names the account. Cookies of the first version are accepted until they expire.
const VERSION: u8 = 2;
const BODY: usize = 1 + 8 + 32 + 16;
const FIRST_VERSION: u8 = 1;
const FIRST_BODY: usize = 1 + 8 + 32;

/// A valid device cookie that has not expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDevice {
    holder: [u8; 32],
    /// The account's bucket; `None` in a cookie of the first version.
    account: Option<[u8; 16]>,
}

impl KnownDevice {
    /// Issues a cookie for a browser that has just signed in, with the thumbprint of its proven key.
    pub fn issue(key: &[u8; 32], account: &AccountDigest, jkt: Option<&str>, now: UnixMs) -> String {
        let body = [&[VERSION], now.to_be_bytes().as_slice(), &holder(account, jkt), &bucket(account)].concat();
        let tag = hmac_sha256(key, &[&body]);
        base64url(&[body.as_slice(), &tag].concat())
    }

    /// Verifies a cookie. `None`: this server did not issue it, or it has expired.
    pub fn read(key: &[u8; 32], cookie: &str, now: UnixMs) -> Option<Self> {
        let bytes = from_base64url(cookie)?;
        let (expected, length) = match bytes.first()? {
            &FIRST_VERSION => (FIRST_VERSION, FIRST_BODY),
            _ => (VERSION, BODY),
        };
        let (body, tag) = bytes.split_at_checked(length)?;
        if tag.len() != 32 || !hmac_is(key, &[body], tag) {
            return None;
        }
        let (version, rest) = body.split_first()?;
        let (issued_at, rest) = rest.split_first_chunk::<8>()?;
        let (holder, rest) = rest.split_first_chunk::<32>()?;
        let account = rest.first_chunk::<16>().copied();
        let ends_at = i64::from_be_bytes(*issued_at).saturating_add(LIFETIME_MS);
        (*version == expected && now < ends_at).then_some(Self { holder: *holder, account })
    }

    /// Whether it was issued for this account and this key.
    pub fn is_of(&self, account: &AccountDigest, jkt: Option<&str>) -> bool {
        self.holder == holder(account, jkt)
    }

    /// Returns the key that its attempts are counted by.
    pub fn client_key(&self) -> ClientKey {
        let mut id = [0; 16];
        id.copy_from_slice(&self.holder[..16]);
        ClientKey::Device(id)
    }

    /// Returns the key that its share of the server is counted by: one for all devices of an account.
    pub fn share(&self) -> ClientKey {
        self.account.map_or_else(|| self.client_key(), ClientKey::Device)
    }
}

/// Returns the bucket of an account.
fn bucket(account: &AccountDigest) -> [u8; 16] {
    session_bucket(account.as_str())
}

/// Returns the bucket of a session; `name` is the same for all requests that share it.
pub fn session_bucket(name: &str) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&sha256(&[b"bucket ", name.as_bytes()].concat())[..16]);
    id
}

/// Returns the key of a bucket at one address.
pub fn bucket_at(bucket: ClientKey, address: ClientKey) -> [u8; 16] {
    session_bucket(&format!("{bucket} at {address}"))
}

fn holder(account: &AccountDigest, jkt: Option<&str>) -> [u8; 32] {
    // A digest has a fixed length, so the two parts are unambiguous.
    sha256(&[account.as_str().as_bytes(), jkt.unwrap_or_default().as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const NOW: UnixMs = 1_800_000_000_000;

    fn account(name: &str) -> AccountDigest {
        AccountDigest::of(&[9; 32], name)
    }

    #[test]
    fn is_of_one_account_and_one_key_for_a_year() {
        let cookie = KnownDevice::issue(&KEY, &account("alice"), Some("jkt"), NOW);
        let known = KnownDevice::read(&KEY, &cookie, NOW + LIFETIME_MS - 1).expect("good");
        assert!(known.is_of(&account("alice"), Some("jkt")) && known.is_of(&account("ALICE"), Some("jkt")));
        assert!(!known.is_of(&account("bob"), Some("jkt")));
        assert!(!known.is_of(&account("alice"), Some("other")) && !known.is_of(&account("alice"), None));
        assert_eq!(KnownDevice::read(&KEY, &cookie, NOW + LIFETIME_MS), None);
        assert_eq!(KnownDevice::read(&[8; 32], &cookie, NOW), None);
        let other = KnownDevice::issue(&KEY, &account("alice"), Some("another key"), NOW);
        let other = KnownDevice::read(&KEY, &other, NOW).expect("good");
        assert_eq!(known.share(), other.share(), "devices of one account have one share");
        assert_ne!(known.client_key(), other.client_key(), "and are judged apart");
        let text = known.client_key().to_string();
        assert_eq!(text.parse::<ClientKey>().expect("readable"), known.client_key());
    }

    #[test]
    fn cookies_of_the_first_version_are_read() {
        let body = [&[1], NOW.to_be_bytes().as_slice(), &holder(&account("alice"), None)].concat();
        let cookie = base64url(&[body.as_slice(), &hmac_sha256(&KEY, &[&body])].concat());
        let known = KnownDevice::read(&KEY, &cookie, NOW).expect("good");
        assert!(known.is_of(&account("alice"), None));
        assert_eq!(known.share(), known.client_key());
    }

    #[test]
    fn no_letter_of_it_can_be_changed() {
        let cookie = KnownDevice::issue(&KEY, &account("alice"), None, NOW);
        for at in 0..cookie.len() {
            let mut letters = cookie.clone().into_bytes();
            letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(letters).expect("ASCII");
            assert_eq!(KnownDevice::read(&KEY, &changed, NOW), None, "letter {at}");
        }
        for odd in ["", "A", &cookie[1..], &format!("{cookie}A"), "ä"] {
            assert_eq!(KnownDevice::read(&KEY, odd, NOW), None);
        }
    }
}
