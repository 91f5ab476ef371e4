//! The device cookie: a browser that an account has signed in from before is counted in its own bucket (OWASP, "Slow down
//! online guessing attacks with device cookies").
//!
//! So neither a thousand strangers who guess at an account nor a colleague behind the same address lock its owner out.
//! A stolen cookie alone is worthless: if the browser has a signing key, the sign-in must prove that key too.

use crate::account::AccountDigest;
use crate::client_key::ClientKey;
use crate::encoding::{base64url, from_base64url, hmac_is, hmac_sha256, sha256};
use crate::thumbprint::Thumbprint;
use crate::{UnixMs, UnixSeconds};
use std::borrow::Cow;

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
    pub fn issue(key: &[u8; 32], account: &AccountDigest, jkt: Option<Thumbprint>, now: UnixMs) -> String {
        let body =
            [&[VERSION], now.as_millis().to_be_bytes().as_slice(), &holder(account, jkt), &bucket(account)].concat();
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
        let ends_at = UnixMs::from_millis(i64::from_be_bytes(*issued_at)) + LIFETIME_MS;
        (*version == expected && now < ends_at).then_some(Self { holder: *holder, account })
    }

    /// Whether it was issued for this account and this key.
    pub fn is_of(&self, account: &AccountDigest, jkt: Option<Thumbprint>) -> bool {
        self.holder == holder(account, jkt)
    }

    /// Whether it was issued for this account, with any key. One of the first version names no account.
    pub fn is_of_account(&self, account: &AccountDigest) -> bool {
        self.account == Some(bucket(account))
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

fn holder(account: &AccountDigest, jkt: Option<Thumbprint>) -> [u8; 32] {
    // A digest has a fixed length, so an account alone and one with a key are unambiguous.
    match jkt {
        Some(jkt) => sha256(format!("{}{jkt}", account.as_str()).as_bytes()),
        None => sha256(account.as_str().as_bytes()),
    }
}

/// Reason why a device does not count for a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceRefusal {
    /// It is not of this account and key, which sign in now.
    Other(DeviceHolder),
    /// Too many wrong passwords came from it.
    Spent,
}

/// An account with the key of a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceHolder([u8; 32]);

impl DeviceHolder {
    pub fn of(account: &AccountDigest, jkt: Option<Thumbprint>) -> Self {
        Self(holder(account, jkt))
    }
}

/// The device cookies of all accounts that have signed in with one browser, in one cookie. They are separated by dots,
/// the last used one first. A leading dot and a time in unix seconds: until then, none counts for a sign-in.
///
/// A cookie for each account could not be chosen: the browser does not know which one is of a name, and the server
/// reads the name after it has counted the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceList<'a> {
    devices: Vec<Cow<'a, str>>,
    paused_until: UnixMs,
}

impl<'a> DeviceList<'a> {
    /// Maximum number of accounts; the one that has not signed in for longest makes room.
    pub const MAX: usize = 8;
    /// Period in which the browser seals its sign-in again, in milliseconds.
    const PAUSE_MS: i64 = 60_000;

    /// Reads a cookie, without verifying the devices in it.
    pub fn read(cookie: &'a str) -> Self {
        let (paused, devices) =
            cookie.strip_prefix('.').map_or(("", cookie), |rest| rest.split_once('.').unwrap_or((rest, "")));
        let devices = devices.split('.').filter(|device| !device.is_empty()).take(Self::MAX);
        let paused_until = UnixSeconds::from_seconds(paused.parse().unwrap_or(0)).to_millis();
        Self { devices: devices.map(Cow::Borrowed).collect(), paused_until }
    }

    /// Returns the device that was used last.
    pub fn last(&self) -> Option<&str> {
        self.devices.first().map(Cow::as_ref)
    }

    /// Whether no device counts for a sign-in now. A longer pause than ours is not from this server.
    pub fn is_paused(&self, now: UnixMs) -> bool {
        (now..=now + Self::PAUSE_MS + 1000).contains(&self.paused_until)
    }

    /// Returns the cookie after a sign-in. `of_another` tells whether a device is good and of another account.
    #[must_use]
    pub fn with(mut self, device: String, of_another: impl Fn(&str) -> bool) -> Self {
        self.devices.retain(|known| of_another(known));
        self.devices.insert(0, Cow::Owned(device));
        self.devices.truncate(Self::MAX);
        Self { paused_until: UnixMs::EPOCH, ..self }
    }

    /// Returns the cookie without the devices of an account.
    #[must_use]
    pub fn without(mut self, of_another: impl Fn(&str) -> bool) -> Self {
        self.devices.retain(|known| of_another(known));
        self
    }

    /// Returns the cookie for the next try of a sign-in, for which the last device did not count. The account's own
    /// device comes first, if there is one. Otherwise no device counts, and none of another account is lost.
    #[must_use]
    pub fn after_refusal(
        mut self,
        refusal: &DeviceRefusal,
        now: UnixMs,
        read: impl Fn(&str) -> Option<KnownDevice>,
    ) -> Self {
        let found = match refusal {
            DeviceRefusal::Spent => {
                self.devices = self.devices.split_off(self.devices.len().min(1));
                None
            }
            DeviceRefusal::Other(holder) => {
                let is_own = |device: &Cow<'a, str>| read(device).is_some_and(|known| known.holder == holder.0);
                self.devices.iter().position(is_own)
            }
        };
        match found {
            Some(at) => {
                let own = self.devices.remove(at);
                self.devices.insert(0, own);
                self.paused_until = UnixMs::EPOCH;
            }
            None => self.paused_until = now + Self::PAUSE_MS,
        }
        self
    }

    /// Returns the value of the cookie; `None`: there is nothing to keep.
    pub fn write(&self) -> Option<String> {
        if self.devices.is_empty() {
            return None;
        }
        let devices = self.devices.join(".");
        Some(if self.paused_until == UnixMs::EPOCH {
            devices
        } else {
            format!(".{}.{devices}", self.paused_until.to_seconds())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const JKT: Thumbprint = Thumbprint([1; 32]);
    const OTHER: Thumbprint = Thumbprint([2; 32]);
    const NOW: UnixMs = UnixMs::from_millis(1_800_000_000_000);

    fn account(name: &str) -> AccountDigest {
        AccountDigest::of(&[9; 32], name)
    }

    #[test]
    fn is_of_one_account_and_one_key_for_a_year() {
        let cookie = KnownDevice::issue(&KEY, &account("alice"), Some(JKT), NOW);
        let known = KnownDevice::read(&KEY, &cookie, NOW + LIFETIME_MS - 1).expect("good");
        assert!(known.is_of(&account("alice"), Some(JKT)) && known.is_of(&account("ALICE"), Some(JKT)));
        assert!(!known.is_of(&account("bob"), Some(JKT)));
        assert!(!known.is_of(&account("alice"), Some(OTHER)) && !known.is_of(&account("alice"), None));
        assert_eq!(KnownDevice::read(&KEY, &cookie, NOW + LIFETIME_MS), None);
        assert_eq!(KnownDevice::read(&[8; 32], &cookie, NOW), None);
        let other = KnownDevice::issue(&KEY, &account("alice"), Some(OTHER), NOW);
        let other = KnownDevice::read(&KEY, &other, NOW).expect("good");
        assert_eq!(known.share(), other.share(), "devices of one account have one share");
        assert_ne!(known.client_key(), other.client_key(), "and are judged apart");
        let text = known.client_key().to_string();
        assert_eq!(text.parse::<ClientKey>().expect("readable"), known.client_key());
    }

    #[test]
    fn cookies_of_the_first_version_are_read() {
        let body = [&[1], NOW.as_millis().to_be_bytes().as_slice(), &holder(&account("alice"), None)].concat();
        let cookie = base64url(&[body.as_slice(), &hmac_sha256(&KEY, &[&body])].concat());
        let known = KnownDevice::read(&KEY, &cookie, NOW).expect("good");
        assert!(known.is_of(&account("alice"), None));
        assert_eq!(known.share(), known.client_key());
    }

    #[test]
    fn a_browser_keeps_the_devices_of_several_people() {
        let read = |device: &str| KnownDevice::read(&KEY, device, NOW);
        let issue = |name: &str| KnownDevice::issue(&KEY, &account(name), Some(JKT), NOW);
        let sign_in = |cookie: &str, name: &str| {
            let of_another = |device: &str| read(device).is_some_and(|known| !known.is_of_account(&account(name)));
            DeviceList::read(cookie).with(issue(name), of_another).write().expect("one")
        };
        let refused = |cookie: &str, refusal: &DeviceRefusal| {
            DeviceList::read(cookie).after_refusal(refusal, NOW, read).write().unwrap_or_default()
        };
        let other = |name: &str| DeviceRefusal::Other(DeviceHolder::of(&account(name), Some(JKT)));
        let (alice, bob) = (issue("alice"), issue("bob"));

        let one = sign_in("", "alice");
        assert_eq!(one, alice);
        // Another person signs in: no device counts for a minute, and none is lost.
        let paused = refused(&one, &other("bob"));
        let list = DeviceList::read(&paused);
        assert_eq!(list.last(), Some(alice.as_str()));
        assert!(list.is_paused(NOW) && list.is_paused(NOW + 59_000) && !list.is_paused(NOW + 61_000), "{paused}");
        let both = sign_in(&paused, "bob");
        assert_eq!(both, format!("{bob}.{alice}"));
        // The first one finds the device again.
        assert_eq!(refused(&both, &other("alice")), format!("{alice}.{bob}"));
        assert_eq!(sign_in(&both, "bob"), both, "each account has one device here");
        // Only the device that guessed is lost.
        let spent = refused(&both, &DeviceRefusal::Spent);
        assert!(DeviceList::read(&spent).is_paused(NOW), "{spent}");
        assert_eq!(DeviceList::read(&spent).last(), Some(alice.as_str()));
        assert_eq!(refused(&alice, &DeviceRefusal::Spent), "");
        // Entries of another form are dropped, and so is a pause without an end.
        assert_eq!(sign_in("junk..\u{e4}", "alice"), alice);
        assert!(!DeviceList::read(".99999999999999.x").is_paused(NOW) && !DeviceList::read(".").is_paused(NOW));
        let many = (0..20).fold(String::new(), |cookie, number| sign_in(&cookie, &format!("user{number}")));
        assert_eq!(many.split('.').count(), DeviceList::MAX);
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
