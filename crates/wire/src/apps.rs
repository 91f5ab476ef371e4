//! Apps behind Postern: `POST /api/tokens` for programs, and `POST /api/apps/enter` for browsers.

use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The app's origin, as in the server's settings: `https://wiki.example`.
    pub audience: String,
}

/// The parameters of entering an app, as `/.postern/start` on the app's host puts them into a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnterRequest {
    /// The app's origin.
    pub app: String,
    /// Hash of the state cookie of the browser that asked.
    pub state: String,
    /// The page in the app to return to.
    pub next: String,
    /// Whether this is the second attempt.
    #[serde(default)]
    pub again: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterAnswer {
    /// The URL to open: the app's host with a one-time code.
    pub location: String,
}

/// A token that only this app accepts. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppToken {
    /// JWT in the profile of RFC 9068, `aud` is the app's origin.
    pub access_token: String,
    pub token_type: TokenType,
    /// Expiry in unix milliseconds.
    pub expires_at: i64,
}

/// The scheme of a token in `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// RFC 6750.
    Bearer,
    /// RFC 9449: with a proof of the session's key.
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
