//! An app's session cookie.
//!
//! `base64url(version | parent session 16 | issued 8 | MAC 16)`, opaque to clients. The MAC covers the app's origin
//! too, so that one app's cookie is invalid at another. Nothing is stored. It is valid as long as its parent session,
//! which every request checks.

use crate::UnixMs;
use crate::encoding::{base64url, from_base64url, hmac_is, hmac_sha256, sha256};
use crate::ids::SessionId;
use std::fmt;

const VERSION: u8 = 1;
const BODY: usize = 1 + 16 + 8;
const TEXT: usize = 55;

/// A cookie that this server issued. `Debug` hides the session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AppSession {
    session: [u8; 16],
    /// The time when it was made.
    pub issued_at: UnixMs,
}

impl AppSession {
    /// Builds a cookie. `session`: the parent's id; `None`: it is not a session id.
    pub fn of(session: &SessionId, issued_at: UnixMs) -> Option<Self> {
        let session = from_base64url(session.as_str())?.try_into().ok()?;
        Some(Self { session, issued_at })
    }

    /// Returns the parent's id.
    pub fn session(&self) -> SessionId {
        SessionId::of_bytes(&self.session)
    }

    /// Returns the cookie's value for the app with this origin.
    pub fn reveal(&self, key: &[u8; 32], origin: &str) -> String {
        let body = [[VERSION].as_slice(), &self.session, &self.issued_at.as_millis().to_be_bytes()].concat();
        let tag = hmac_sha256(key, &[&sha256(origin.as_bytes()), &body]);
        base64url(&[body.as_slice(), &tag[..16]].concat())
    }

    /// Verifies a cookie's value; `None` if this server did not issue it for this app.
    pub fn read(key: &[u8; 32], origin: &str, text: &str) -> Option<Self> {
        if text.len() != TEXT {
            return None;
        }
        let bytes = from_base64url(text)?;
        let (body, tag) = bytes.split_at_checked(BODY)?;
        if !hmac_is(key, &[&sha256(origin.as_bytes()), body], tag) {
            return None;
        }
        let (version, rest) = body.split_first()?;
        let (session, rest) = rest.split_first_chunk::<16>()?;
        let (issued, _) = rest.split_first_chunk::<8>()?;
        (*version == VERSION)
            .then_some(Self { session: *session, issued_at: UnixMs::from_millis(i64::from_be_bytes(*issued)) })
    }
}

impl fmt::Debug for AppSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppSession(issued {})", self.issued_at)
    }
}
