//! The gate's own secrets, each derived for one purpose.

use domain::encoding::{base64url, hmac_sha256};
use tpat::Txid;
use zeroize::Zeroizing;

#[derive(Clone)]
pub struct Secrets {
    pub(super) challenge: Zeroizing<[u8; 32]>,
    pub(super) token: Zeroizing<[u8; 32]>,
    pub(super) nonce: Zeroizing<[u8; 32]>,
    log: Zeroizing<[u8; 32]>,
}

impl Secrets {
    pub fn derive(root: &[u8; 32]) -> Self {
        let purpose = |name: &str| Zeroizing::new(hmac_sha256(root, &[name.as_bytes()]));
        Self {
            challenge: purpose("challenge"),
            token: purpose("token"),
            nonce: purpose("dpop nonce"),
            log: purpose("log"),
        }
    }

    /// What a transaction is called in the log, which must not become a list of who paid whom: the same
    /// name each time, and a transaction id to nobody else.
    pub(super) fn log_name(&self, txid: &str) -> String {
        base64url(&hmac_sha256(&self.log, &[txid.as_bytes()])[..9])
    }

    pub(super) fn log_name_of(&self, txid: &Txid) -> String {
        self.log_name(&txid.to_string())
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}
