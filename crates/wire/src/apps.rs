//! Apps behind Postern: `POST /api/tokens`, a program's access token, and `POST /api/apps/enter`, a browser's way in.

use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The app's origin, as in the server's settings: `https://wiki.example`.
    pub audience: String,
}

/// A browser's way into an app, as `/.postern/start` on the app's host has written it into an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnterRequest {
    /// The app's origin.
    pub app: String,
    /// Hash of the state cookie of the browser that asked.
    pub state: String,
    /// Where to go on in the app.
    pub next: String,
    /// Whether it is the second try.
    #[serde(default)]
    pub again: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterAnswer {
    /// Where the browser goes: the app's own host, with a code that is good once.
    pub location: String,
}

/// A token that this app takes and nobody else. `Debug` says nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppToken {
    /// JWT in the profile of RFC 9068, `aud` is the app's origin.
    pub access_token: String,
    pub token_type: TokenType,
    /// When it runs out, unix milliseconds.
    pub expires_at: i64,
}

/// How a token is presented, as the scheme in `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// RFC 6750.
    Bearer,
    /// RFC 9449: with a proof of the key that the session is bound to.
    #[serde(rename = "DPoP")]
    DPoP,
}

impl TokenType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::DPoP => "DPoP",
        }
    }
}

impl fmt::Debug for AppToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppToken(..)")
    }
}
