//! Second factors: `/api/login/second-factor`, `/api/account/confirm` and `/api/account/totp`.

use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The encrypted content of `POST /api/login/second-factor`. `Debug` hides it.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct SecondFactor {
    /// From the problem `second_factor_required`.
    pub pending: String,
    /// A one-time code or a recovery code.
    pub code: String,
}

/// The encrypted content of `POST /api/account/confirm`: the password of an account without a second factor, or a code.
/// `Debug` hides it.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfirmation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The answer to `POST /api/account/totp`: a generator that waits for its first code. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTotp {
    pub id: String,
    /// The secret in Base32, for typing.
    pub secret: String,
    /// The `otpauth` URI that the picture contains.
    pub uri: String,
    /// The picture: SVG.
    pub qr: String,
    pub expires_at: i64,
}

/// The body of `POST /api/account/totp/confirm`. `Debug` hides it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstCode {
    pub id: String,
    pub code: String,
}

/// Recovery codes, which are shown once. Empty if the account has some already. `Debug` hides them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

/// The answer to `GET /api/account/second-factors`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactors {
    /// The generator of one-time codes, if there is one.
    pub totp: Option<TotpInfo>,
    /// Number of recovery codes that are not used yet.
    pub recovery_codes: u32,
    /// Until when this session's proof is fresh, in unix milliseconds. `None`: confirm again before a change.
    pub fresh_until: Option<i64>,
    /// The kinds of proof that make it fresh.
    pub proofs: Vec<String>,
}

/// Times are unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpInfo {
    pub created_at: i64,
    pub used_at: Option<i64>,
}

macro_rules! hidden {
    ($($type:ident),+) => {
        $(impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        })+
    };
}

hidden!(SecondFactor, IdentityConfirmation, NewTotp, FirstCode, RecoveryCodes);
