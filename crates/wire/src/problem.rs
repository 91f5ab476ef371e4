//! Errors on the wire: `application/problem+json` (RFC 9457) with a stable `code`.

use serde::{Deserialize, Serialize};

/// The media type of every error answer.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, stable across versions. A client branches on this, never on the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Name or password is wrong, or the account cannot sign in. Never says which. 401.
    WrongCredentials,
    /// The address is closed; `retry_after` says for how long, `incident` names the ban. 403.
    Banned,
    /// Too many tries on this account, from wherever: wait `retry_after`. 429.
    AccountDelayed,
    /// The `short_key` ran out: get a new challenge and seal again. 400.
    ShortKeyExpired,
    /// The `short_key` was made for another origin, cookie or envelope key: get a new one. 400.
    ShortKeyMismatch,
    /// The device cookie belongs to another account or key: it is forgotten, get a new challenge. 400.
    DeviceMismatch,
    /// The `short_key` was not made here. 403.
    ShortKeyForged,
    /// The `short_key` was used before. 403.
    ShortKeyReplayed,
    /// The same body arrived twice within seconds; the first one was taken. 409.
    AlreadyReceived,
    /// The envelope cannot be opened. All ways of being wrong look alike. 400.
    BadEnvelope,
    /// The DPoP proof (RFC 9449) is missing or wrong. 401.
    BadProof,
    /// The DPoP proof needs the nonce of the `DPoP-Nonce` header (RFC 9449, section 8). 401.
    UseDpopNonce,
    /// No session, or its access token has run out: refresh, else sign in. 401.
    NoSession,
    /// The refresh token cannot be used any more: sign in again. 401.
    SessionEnded,
    /// The session is bound to no key of the client: nothing can be sealed to it. 403.
    SessionUnbound,
    /// The version of the user's key is over or revoked. 410.
    KeyEnded,
    /// No service of this name is registered. 404.
    NoService,
    /// No app of this origin stands behind this site. 404.
    NoApp,
    /// The service or the app asks for a role that this account lacks. 403.
    RoleMissing,
    /// Only administrators may do this. 403.
    Forbidden,
    /// The ban would close the address that asks, this machine or a trusted proxy: ask with `force`. 409.
    WouldLockOut,
    /// The list has as many entries as it may. 409.
    Full,
    /// The request does not come from this site's own pages. 403.
    CrossSite,
    /// Nobody may sign up here, or the invitation is wrong or used. 403.
    SignupClosed,
    /// The one-time link was used, was replaced or has run out. 410.
    LinkUsedUp,
    /// Without this account nobody could administer the site. 409.
    LastAdministrator,
    /// The name is taken. 409.
    NameTaken,
    /// The name has characters or a length that names cannot have. 422.
    NameInvalid,
    /// The letters of the name come from several alphabets. 422.
    NameMixedScripts,
    /// The name looks like the name of another account. 409.
    NameConfusable,
    /// The password is shorter than this site asks for. 422.
    PasswordTooShort,
    /// The password is longer than 1,024 bytes. 422.
    PasswordTooLong,
    /// The password is among the first that are guessed. 422.
    PasswordCommon,
    /// The request is not of the form that this path takes. 400.
    BadRequest,
    /// Nothing is there. 404.
    NotFound,
    /// The path does not take this method. 405.
    MethodNotAllowed,
    /// The body is over the limit. 413.
    TooLarge,
    /// The request took too long to arrive. 408.
    Timeout,
    /// The server is full: wait `retry_after`. 503.
    Busy,
    /// Something broke here; nothing was changed. 500 or 503.
    Unavailable,
    /// A code of a newer version.
    #[serde(other)]
    Unknown,
}

/// The body of an error answer (RFC 9457, section 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status code.
    pub status: u16,
    /// What went wrong, for programs.
    pub code: Code,
    /// What went wrong, for people: one plain sentence.
    pub title: String,
    /// What exactly, where that helps: one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Seconds to wait, rounded up; the same as the `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The ban's short public name, to tell the person who runs the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
}
