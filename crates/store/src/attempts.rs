//! Sign-in attempts: begun, then refused or accepted, each in one transaction.
//!
//! A reservation row serialises the attempts of one client key across processes. Each attempt is therefore decided
//! after the bans of the attempts before it are imposed.

use crate::Result;
use crate::audit::AuditEntry;
use crate::bans::{Ban, BanContext};
use crate::given_codes::GivenCode;
use crate::remembered_devices::DeviceMemory;
use crate::sessions::NewSession;
use crate::user::User;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account_delay::FailureStreak;
use domain::ban::Trigger;
use domain::client_key::ClientKey;
use domain::second_factor::Factors;

/// Lifetime of a reservation. After a crash the client key waits at most this long.
pub const RESERVATION_MS: i64 = 10_000;
/// Time within which a browser sends a request again after a broken connection.
pub const RESEND_MS: i64 = 10_000;
/// Maximum number of burnt `short_keys`; beyond it an attempt is answered [`BeginOutcome::Full`]. They are counted
/// every few seconds, so several processes may exceed it slightly.
pub(crate) const SHORT_KEY_CAP: i64 = 1_000_000;

/// The holder of a client key's reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Unique to this attempt.
    pub id: String,
    pub client_key: ClientKey,
}

impl Attempt {
    /// Returns the key that failures in a row are counted by: the account's digest, or a known device itself.
    #[must_use]
    pub(crate) fn failures_of(client_key: ClientKey, account: &str) -> String {
        match client_key {
            ClientKey::Device(_) => client_key.to_string(),
            _ => account.to_owned(),
        }
    }
}

#[derive(Debug, Clone)]
pub struct BeginAttempt {
    pub attempt: Attempt,
    /// The `short_key`'s id.
    pub short_key: String,
    pub short_key_expires_at: UnixMs,
    /// SHA-256 of the whole body, base64url. It distinguishes a repeated request from a replay.
    pub body: String,
    /// Whether the address is on the allowlist, so that bans do not apply.
    pub exempt: bool,
    pub now: UnixMs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BeginOutcome {
    /// The `short_key` is burnt and the client key reserved. The attempt may continue.
    Reserved,
    /// Another attempt of this client key is in progress. Nothing was consumed; try again.
    Busy,
    /// The client key is banned, perhaps by another process. Nothing was consumed.
    Banned(Box<Ban>),
    /// The same body from the same client key within [`RESEND_MS`] of its first arrival, once.
    Resent,
    /// The `short_key` was used before.
    Replayed,
    /// Too many burnt `short_keys`. Nothing was consumed.
    Full,
}

/// A refused attempt, as it counts for bans.
#[derive(Debug, Clone)]
pub struct AttemptRefusal {
    pub attempt: Attempt,
    /// The client key that the offence counts against. This differs from the attempt's client key if that is a device
    /// or session whose key was not proven.
    pub offender: ClientKey,
    pub trigger: Trigger,
    /// Digest of the name that was sent, with its own ladder and failures. `None` for an envelope that did not open.
    pub account: Option<String>,
    /// Whether this counts as a failure in a row, like a wrong password. It counts for the account, or for the known
    /// device ([`Attempt::failures_of`]).
    pub counts_as_failure: bool,
    /// Evidence for operators, without secrets and without the client's text.
    pub evidence: String,
    pub audit: AuditEntry,
    pub ban_context: BanContext,
}

#[derive(Debug, Clone)]
pub struct Acceptance {
    pub attempt: Attempt,
    pub account: String,
    /// The user must exist, not be disabled, and have the password that was checked.
    pub session: NewSession,
    /// From [`LoginContext::forgivable`]; if `false`, nothing is deleted.
    pub forgive: bool,
    /// The pending sign-in that this finishes, by its id.
    pub pending: Option<String>,
    pub memory: DeviceMemory,
    /// The code that was given, if one was. It is used up with the acceptance only.
    pub code: Option<GivenCode>,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

/// The stored state on which the result of an attempt depends.
#[derive(Debug, Clone)]
pub struct LoginContext {
    /// The owner of the name, if any.
    pub user: Option<User>,
    /// Failures in a row ([`Attempt::failures_of`]).
    pub failures: FailureStreak,
    /// Whether a success resets anything: failures in a row, or this client key's own.
    pub forgivable: bool,
    /// Whether the user has a session from this network.
    pub known_network: bool,
    /// The second factors of the user.
    pub factors: Factors,
}

/// The key of a look-up.
#[derive(Debug, Clone, Copy)]
pub struct LoginLookup<'a> {
    /// The name's key ([`domain::account::name_key`]); empty if the name is invalid.
    pub name_key: &'a str,
    /// The account digest that failures are counted by.
    pub account: &'a str,
    pub client_key: ClientKey,
    /// The network, as sessions store it ([`ClientKey::network_label`]).
    pub place: &'a str,
    /// The site's host, whose passkeys count as factors; `None`: none does.
    pub relying_party: Option<&'a str>,
}

#[async_trait]
pub trait Attempts {
    /// Reserves the client key and burns the `short_key`, in one transaction of conditional writes.
    ///
    /// The order is: reservation (`Busy`), an active ban of the client key on sign-in or everything (`Banned`), maximum
    /// (`Full`), burn (`Resent`/`Replayed`). Only `Reserved` leaves a reservation.
    async fn begin(&self, begin: &BeginAttempt) -> Result<BeginOutcome>;

    /// Ends the attempt without a decision, after an error that is not the client's fault. Releases the reservation;
    /// the `short_key` stays burnt.
    async fn release(&self, attempt: &Attempt) -> Result<()>;

    /// Ends the attempt as refused and returns the new bans. Releases the reservation, counts the offence, climbs the
    /// ladders, writes the ban (and a spray ban if enough accounts failed within its window), counts the account's
    /// failure, writes the audit row.
    ///
    /// Ladders are kept per (client key, trigger, account) for `InvalidCredentials` and `WrongSecondFactor`, and per
    /// (client key, trigger) for all other triggers.
    async fn refuse(&self, refusal: &AttemptRefusal) -> Result<Vec<Ban>>;

    /// Ends the attempt as accepted. Releases the reservation, deletes (if requested) the account's offences and ladder
    /// from this client key and its failures in a row, inserts session and audit row. `false`: the user is deleted,
    /// disabled, or has another password now, the pending sign-in has ended, the code was used, or the device is not
    /// remembered any more; then no session begins.
    async fn accept(&self, acceptance: &Acceptance) -> Result<bool>;

    /// Reads the whole state that the result of an attempt depends on.
    async fn login_context(&self, lookup: LoginLookup<'_>) -> Result<LoginContext>;

    /// Deletes expired rows: burnt `short_keys`, reservations, offences, quiet ladders and account failures older than
    /// 30 days. Returns the number of deleted rows.
    async fn sweep_attempts(&self, now: UnixMs) -> Result<u64>;
}
