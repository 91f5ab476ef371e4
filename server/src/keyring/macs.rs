//! Keys for HMAC, each derived for one purpose from one secret.

use super::Made;
use crate::entropy::Entropy;
use domain::account::AccountDigest;
use domain::encoding::{base64url, hmac_sha256};
use std::fmt;
use zeroize::Zeroizing;

/// The id of the only MAC key of databases from before MAC keys were rotated.
pub(super) const FIRST: &str = "mac";
/// The algorithm's name (RFC 7518, section 3.2).
pub const ALG: &str = "HS256";

/// A MAC key. It authenticates values that the server issues and later accepts.
pub struct MacKeys {
    pub short_key: Zeroizing<[u8; 32]>,
    pub refresh: Zeroizing<[u8; 32]>,
    pub nonce: Zeroizing<[u8; 32]>,
    pub setup: Zeroizing<[u8; 32]>,
    pub device: Zeroizing<[u8; 32]>,
    pub app_session: Zeroizing<[u8; 32]>,
    pub toll: Zeroizing<[u8; 32]>,
    /// Refresh tokens of OAuth clients.
    pub oauth_refresh: Zeroizing<[u8; 32]>,
    /// Opaque access tokens of OAuth clients.
    pub oauth_access: Zeroizing<[u8; 32]>,
    /// Marks of authorization requests that sent a person to sign in again.
    pub oauth_sign_in: Zeroizing<[u8; 32]>,
}

impl MacKeys {
    pub(super) fn make(entropy: &dyn Entropy) -> Made {
        let kid = base64url(&entropy.bytes::<16>());
        Made { kid, alg: ALG, secret: entropy.bytes::<32>().to_vec().into() }
    }

    pub(super) fn derive(secret: &[u8]) -> Option<Self> {
        let root: &[u8; 32] = secret.try_into().ok()?;
        let purpose = |name: &str| Zeroizing::new(hmac_sha256(root, &[name.as_bytes()]));
        Some(Self {
            short_key: purpose("short_key"),
            refresh: purpose("refresh token"),
            nonce: purpose("dpop nonce"),
            setup: purpose("set-up code"),
            device: purpose("device cookie"),
            app_session: purpose("app session"),
            toll: purpose("toll"),
            oauth_refresh: purpose("oauth refresh token"),
            oauth_access: purpose("oauth access token"),
            oauth_sign_in: purpose("oauth sign-in"),
        })
    }
}

/// The key of digests in rows and in logs. It is never replaced, because the names that were typed are not stored. It
/// authenticates nothing. With it, guessed names can be tested against the digests.
pub struct Digests {
    account: Zeroizing<[u8; 32]>,
    /// For the gate's digests of payment ids.
    pub payments: Zeroizing<[u8; 32]>,
}

impl Digests {
    /// Makes the key of digests. `first`: the secret of [`FIRST`], if the database has it. Existing digests remain
    /// valid with it.
    pub(super) fn make(entropy: &dyn Entropy, first: Option<&[u8]>) -> Option<Made> {
        let secret = match first {
            Some(first) => hmac_sha256(first.try_into().ok()?, &[b"account digest"]),
            None => entropy.bytes(),
        };
        Some(Made { kid: "digest".to_owned(), alg: ALG, secret: secret.to_vec().into() })
    }

    pub(super) fn derive(secret: &[u8]) -> Option<Self> {
        let account: &[u8; 32] = secret.try_into().ok()?;
        let payments = Zeroizing::new(hmac_sha256(account, &[b"payments in logs"]));
        Some(Self { account: Zeroizing::new(*account), payments })
    }

    /// Returns the digest of a text that was sent as an account's name.
    pub fn account(&self, sent: &str) -> AccountDigest {
        AccountDigest::of(&self.account, sent)
    }
}

impl fmt::Debug for MacKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Macs(..)")
    }
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digests(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn the_first_mac_key_goes_on_in_the_key_of_digests() {
        let first = [7; 32];
        let before = AccountDigest::of(&hmac_sha256(&first, &[b"account digest"]), "alice");
        let made = Digests::make(&SystemEntropy, Some(&first)).expect("32 bytes");
        assert_eq!(Digests::derive(&made.secret).expect("32 bytes").account("alice"), before);
        let fresh = Digests::make(&SystemEntropy, None).expect("random");
        assert_ne!(Digests::derive(&fresh.secret).expect("32 bytes").account("alice"), before);
    }
}
