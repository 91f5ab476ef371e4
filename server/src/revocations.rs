//! The signed revocation list, made again after a change and not for each request.

use crate::keyring::Keyring;
use crate::sessions::SessionCache;
use crate::tokens::{SignError, issued_at};
use domain::UnixMs;
use domain::encoding::{base64url, sha256};
use domain::revocation::KEY_REVOCATION_RETENTION_MS;
use parking_lot::Mutex;
use std::sync::Arc;
use wire::revocations::{LIFETIME_SECONDS, RevocationClaims, TYP};

/// The latest list.
#[derive(Debug, Default)]
pub struct Revocations(Mutex<Option<Arc<RevocationList>>>);

#[derive(Debug)]
pub struct RevocationList {
    /// A compact JWS.
    pub text: String,
    /// A weak validator, because nodes sign the same content differently (RFC 9110, section 8.8.3).
    pub etag: String,
    of: ListKey,
}

/// The inputs of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ListKey {
    minute: i64,
    ended: u64,
    kid: String,
    revoked: Vec<String>,
}

impl Revocations {
    /// Returns the current list of `issuer`.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn list(
        &self,
        issuer: &str,
        sessions: &SessionCache,
        keyring: &Keyring,
        now: UnixMs,
    ) -> Result<Arc<RevocationList>, SignError> {
        let mut last = self.0.lock();
        let minute = now.as_millis().div_euclid(60_000);
        if last.as_ref().is_none_or(|list| list.of.minute != minute) {
            sessions.ended().write().forget(now);
        }
        let key = keyring.signing(now)?;
        let of = ListKey {
            minute,
            ended: sessions.ended().read().changes(),
            kid: key.public.kid.clone(),
            revoked: keyring.revoked(now - KEY_REVOCATION_RETENTION_MS),
        };
        if let Some(list) = last.as_ref().filter(|list| list.of == of) {
            return Ok(Arc::clone(list));
        }
        let mut keys = of.revoked.clone();
        keys.sort();
        let claims = RevocationClaims {
            iss: issuer.to_owned(),
            iat: issued_at(UnixMs::from_millis(minute * 60_000)).as_seconds(),
            exp: minute * 60 + LIFETIME_SECONDS,
            sessions: sessions.ended().read().marks().cloned().collect(),
            keys,
        };
        let said = format!("{} {claims:?}", of.kid);
        let etag = format!("W/\"{}\"", base64url(&sha256(said.as_bytes())[..12]));
        let list = Arc::new(RevocationList { text: key.sign(TYP, &claims)?, etag, of });
        *last = Some(Arc::clone(&list));
        Ok(list)
    }
}
