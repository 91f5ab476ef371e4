//! `POST /api/login`.

use crate::jwk::EcJwk;
use crate::session::SessionInfo;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The encrypted content of the envelope. `Debug` hides it; the memory is cleared on drop.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    pub username: String,
    pub password: String,
    /// A one-time code or a recovery code, for accounts with a second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Whether this browser is not asked for a code again for a while, if the operator permits that.
    #[serde(default, skip_serializing_if = "is_false")]
    pub remember: bool,
    /// Whether the second factor is asked for even if this browser is remembered: the person was sent here to prove it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub factor: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
pub(crate) fn is_false(flag: &bool) -> bool {
    !*flag
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// The body of `/api/login` and of `/api/signup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedRequest {
    /// The envelope: a compact JWE.
    pub encrypted_username_password: String,
    pub short_key: String,
    #[serde(default, skip_serializing_if = "Delivery::is_cookies")]
    pub delivery: Delivery,
}

/// The delivery of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// HTTP-only cookies, for browsers.
    #[default]
    Cookies,
    /// The answer's body, for programs.
    Body,
}

impl Delivery {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    fn is_cookies(&self) -> bool {
        *self == Self::Cookies
    }
}

/// The answer to a login, a sign-up and a refresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    pub session: SessionInfo,
    /// Only with `"delivery":"body"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<ProgramTokens>,
}

/// The body of `POST /api/login/terminal`, whose access token and proof name the signing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalSignIn {
    /// The public key to encrypt to for this session.
    pub receiving_key: EcJwk,
}

/// Tokens for programs. `Debug` hides them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramTokens {
    pub access_token: String,
    pub refresh_token: String,
    /// `Bearer`, or `DPoP` for a bound session.
    pub token_type: String,
    /// Lifetime of the access token in seconds.
    pub expires_in: u64,
}

impl fmt::Debug for ProgramTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}
