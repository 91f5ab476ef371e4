//! Errors on the wire: `application/problem+json` (RFC 9457) with a stable `code`.

use serde::{Deserialize, Serialize};

/// The media type of every error answer.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The kind of an error, stable across versions. Clients use this, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Name or password is wrong, or the account cannot sign in. Never says which. 401.
    WrongCredentials,
    /// The password is right, and a second factor is missing: `proofs` has the possible kinds, `pending` the value for
    /// `/api/login/second-factor`. 401.
    SecondFactorRequired,
    /// The one-time code or recovery code is wrong, or was used before. 401.
    WrongCode,
    /// The pending sign-in has ended: begin again with the password. 401.
    SignInExpired,
    /// The proof of the person is too old, or lacks a factor (RFC 9470): confirm with one of `proofs`, and repeat. 401.
    InsufficientUserAuthentication,
    /// The passkey is unknown or was not verified, or its account cannot sign in. Never says which. 401.
    PasskeyRefused,
    /// The address is banned; `retry_after` says for how long, `incident` identifies the ban. 403.
    Banned,
    /// Too many failures on this account, from any address: wait `retry_after`. 429.
    AccountDelayed,
    /// The `short_key` has expired: get a new challenge and encrypt again. 400.
    ShortKeyExpired,
    /// The `short_key` is for another origin, cookie or envelope key: get a new one. 400.
    ShortKeyMismatch,
    /// The device cookie is for another account or key. It is deleted; get a new challenge. 400.
    DeviceMismatch,
    /// This server did not issue the `short_key`. 403.
    ShortKeyForged,
    /// The `short_key` was used before. 403.
    ShortKeyReplayed,
    /// The same body arrived twice within seconds; the first one was accepted. 409.
    AlreadyReceived,
    /// The envelope cannot be decrypted. All causes look alike. 400.
    BadEnvelope,
    /// The DPoP proof (RFC 9449) is missing or invalid. 401.
    BadProof,
    /// The DPoP proof needs the nonce of the `DPoP-Nonce` header (RFC 9449, section 8). 401.
    UseDpopNonce,
    /// No session, or its access token has expired: refresh, or else sign in. 401.
    NoSession,
    /// The refresh token is no longer usable: sign in again. 401.
    SessionEnded,
    /// The session is not bound to a key, so nothing can be encrypted to it. 403.
    SessionUnbound,
    /// The version of the user key has ended or is revoked. 410.
    KeyEnded,
    /// No service of this name is registered. 404.
    NoService,
    /// No app with this origin is configured. 404.
    NoApp,
    /// The service or app requires a role that this account lacks. 403.
    RoleMissing,
    /// Only administrators may do this. 403.
    Forbidden,
    /// The ban would apply to the requesting address, this machine or a trusted proxy: use `force`. 409.
    WouldLockOut,
    /// The allowlist contains the address, so the ban would have no effect: use `force`. 409.
    BanWithoutEffect,
    /// The list is full. 409.
    Full,
    /// The request does not come from this site's own pages. 403.
    CrossSite,
    /// The page was rendered for another account than the one that is signed in now. 409.
    OtherAccount,
    /// Sign-up is closed, or the invitation is invalid or used. 403.
    SignupClosed,
    /// The one-time link was used or replaced, or has expired. 410.
    LinkUsedUp,
    /// Without this account no administrator would be left. 409.
    LastAdministrator,
    /// The name is taken. 409.
    NameTaken,
    /// The settings require a second factor of the group, so it keeps its name. 409.
    GroupRequired,
    /// Another account has this e-mail address, proved or vouched for. 409.
    EmailTaken,
    /// The name has invalid characters or an invalid length. 422.
    NameInvalid,
    /// The letters of the name come from several alphabets. 422.
    NameMixedScripts,
    /// The name looks like the name of another account. 409.
    NameConfusable,
    /// The password is too short for this site. 422.
    PasswordTooShort,
    /// The password is longer than 1,024 bytes. 422.
    PasswordTooLong,
    /// The password is too easy to guess. 422.
    PasswordCommon,
    /// The request has the wrong form for this path. 400.
    BadRequest,
    /// Not found. 404.
    NotFound,
    /// The path does not support this method. 405.
    MethodNotAllowed,
    /// The body is over the limit. 413.
    TooLarge,
    /// The request took too long to arrive. 408.
    Timeout,
    /// The server is full: wait `retry_after`. 503.
    Busy,
    /// The server failed; nothing was changed. 500 or 503.
    Unavailable,
    /// A code from a newer version.
    #[serde(other)]
    Unknown,
}

/// The body of an error answer (RFC 9457, section 3). `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status code.
    pub status: u16,
    /// The error, for programs.
    pub code: Code,
    /// The error, for people: one sentence.
    pub title: String,
    /// Details, if they help: one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Seconds to wait, rounded up; the same as the `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The ban's short public id, for telling the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// The secret of a sign-in that waits for its second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
    /// The kinds of proof that are possible: `password`, `totp`, `passkey`, `recovery_code`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<String>,
}

impl std::fmt::Debug for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Problem")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("title", &self.title)
            .field("detail", &self.detail)
            .field("retry_after", &self.retry_after)
            .field("incident", &self.incident)
            .field("proofs", &self.proofs)
            .finish_non_exhaustive()
    }
}
