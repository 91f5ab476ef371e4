//! Second factors: `/api/login/second-factor`, `/api/account/confirm` and `/api/account/totp`.

use crate::passkeys::AssertionCredential;
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
    /// As in [`crate::login::Credentials`].
    #[serde(default, skip_serializing_if = "crate::login::is_false")]
    pub remember: bool,
}

/// The encrypted content of `POST /api/account/confirm`. It is the password of an account without a second factor, a
/// code, or a passkey. `Debug` hides it.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfirmation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The passkey signs the SHA-256 of `webauthn` and the message's `short_key`.
    #[zeroize(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<AssertionCredential>,
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
    /// Number of passkeys.
    pub passkeys: u32,
    /// Whether a sign-in by password needs a passkey too.
    pub passkey_after_password: bool,
    /// Number of recovery codes that are not used yet.
    pub recovery_codes: u32,
    /// Until when this session's proof is fresh, in unix milliseconds. `None`: confirm again before a change.
    pub fresh_until: Option<i64>,
    /// The kinds of proof that make it fresh.
    pub proofs: Vec<String>,
}

/// The generator of one-time codes. Times are unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpInfo {
    pub created_at: i64,
    pub used_at: Option<i64>,
}

/// The body of `PATCH /api/account/second-factors`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactorChange {
    /// Whether a sign-in by password needs a passkey too.
    pub passkey_after_password: bool,
}

/// The answer to `GET /api/account/remembered-devices`, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedDevices {
    pub devices: Vec<RememberedDevice>,
}

/// A browser that is not asked for the second factor. Times are unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedDevice {
    pub id: String,
    /// The device's name, such as "Firefox on Fedora".
    pub name: String,
    /// The network of the sign-in that it was remembered in.
    pub address: String,
    pub created_at: i64,
    /// The last sign-in without the second factor.
    pub used_at: i64,
    pub expires_at: i64,
    /// Whether it is the browser of this session.
    pub current: bool,
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
