//! Keys for HMAC, each derived for one purpose from one secret.

use super::Made;
use crate::entropy::Entropy;
use domain::encoding::hmac_sha256;
use std::fmt;
use zeroize::Zeroizing;

pub struct Macs {
    pub short_key: Zeroizing<[u8; 32]>,
    pub refresh: Zeroizing<[u8; 32]>,
    pub account: Zeroizing<[u8; 32]>,
    pub nonce: Zeroizing<[u8; 32]>,
    pub setup: Zeroizing<[u8; 32]>,
    pub device: Zeroizing<[u8; 32]>,
    pub app_session: Zeroizing<[u8; 32]>,
    pub toll: Zeroizing<[u8; 32]>,
}

impl Macs {
    pub(super) fn make(entropy: &dyn Entropy) -> Made {
        Made { kid: "mac".to_owned(), alg: "", secret: entropy.bytes::<32>().to_vec().into() }
    }

    pub(super) fn derive(secret: &[u8]) -> Option<Self> {
        let root: &[u8; 32] = secret.try_into().ok()?;
        let purpose = |name: &str| Zeroizing::new(hmac_sha256(root, &[name.as_bytes()]));
        Some(Self {
            short_key: purpose("short_key"),
            refresh: purpose("refresh token"),
            account: purpose("account digest"),
            nonce: purpose("dpop nonce"),
            setup: purpose("set-up code"),
            device: purpose("device cookie"),
            app_session: purpose("app session"),
            toll: purpose("toll"),
        })
    }
}

impl fmt::Debug for Macs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Macs(..)")
    }
}
