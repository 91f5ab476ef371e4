//! One attempt to sign in: begun, then either refused or accepted, each in one transaction.
//!
//! Attempts of one identity are serialised by a reservation row, on any number of processes: what
//! one attempt did to the bans is seen by the next before it is judged.

use crate::Result;
use crate::audit::Entry;
use crate::bans::{Ban, Sentence};
use crate::sessions::NewSession;
use crate::user::User;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account_delay::Failures;
use domain::ban::Trigger;
use domain::identity::Identity;

/// A reservation outlives its attempt by no more than this: after a crash the identity waits so long.
pub const RESERVATION_MS: i64 = 10_000;
/// A browser re-sends on a dead connection within this time.
pub const RESEND_MS: i64 = 10_000;
/// The most burnt `short_keys` kept; past it an attempt is answered [`Begun::Full`]. They are counted
/// every few seconds and not at each attempt, so several processes may go a little past it.
pub const SHORT_KEY_CAP: i64 = 1_000_000;

/// The holder of an identity's reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Unique to this attempt.
    pub id: String,
    pub identity: Identity,
}

impl Attempt {
    /// What failures in a row are counted by: the account's digest, or for a known device the device itself.
    #[must_use]
    pub fn failures_of(identity: Identity, account: &str) -> String {
        match identity {
            Identity::Device(_) => identity.to_string(),
            _ => account.to_owned(),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Begin {
    pub attempt: Attempt,
    /// The `short_key`'s id.
    pub short_key: String,
    pub short_key_expires_at: UnixMs,
    /// SHA-256 of the whole body, base64url: tells a re-send from a replay.
    pub body: String,
    /// The address is on the allowlist: bans do not close it.
    pub exempt: bool,
    pub now: UnixMs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The `short_key` is burnt and the identity reserved: judge.
    Reserved,
    /// Another attempt of this identity is being judged. Nothing was spent: try again.
    Busy,
    /// The identity is closed (another process may have banned it). Nothing was spent.
    Banned(Box<Ban>),
    /// The same body from the same identity within [`RESEND_MS`] of its first arrival, once.
    Resent,
    /// The `short_key` was used before.
    Replayed,
    /// Too many burnt `short_keys` at once. Nothing was spent.
    Full,
}

/// Why an attempt is refused, as far as bans count it.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub attempt: Attempt,
    /// What the strike counts against. Not the attempt's identity where that is a bucket of its own whose key was not
    /// proved.
    pub offender: Identity,
    pub trigger: Trigger,
    /// Digest of the name that was sent; its ladder and its failures are kept apart.
    /// `None` for an envelope that did not open.
    pub account: Option<String>,
    /// Whether this counts as one more failure in a row (wrong passwords do): of the account, or of the known device
    /// that is judged ([`Attempt::failures_of`]).
    pub counts_as_failure: bool,
    /// What an operator reads as evidence; no secret and no text of the client's.
    pub evidence: String,
    pub audit: Entry,
    pub sentence: Sentence,
}

#[derive(Debug, Clone)]
pub struct Acceptance {
    pub attempt: Attempt,
    pub account: String,
    /// The user must exist, not be disabled, and have the password that was judged.
    pub session: NewSession,
    /// What [`Standing::forgivable`] said: without it nothing is looked for.
    pub forgive: bool,
    pub audit: Entry,
    pub now: UnixMs,
}

/// What an attempt is judged against.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Who has the name, if anybody does.
    pub user: Option<User>,
    /// Failures in a row ([`Attempt::failures_of`]).
    pub failures: Failures,
    /// Whether a success has something to forgive: failures in a row, or this identity's own.
    pub forgivable: bool,
    /// Whether the user has a session from this place.
    pub known_place: bool,
}

/// Whose standing is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The name's key ([`domain::account::name_key`]); empty where it cannot be one.
    pub name_key: &'a str,
    /// The account digest that failures are counted by.
    pub account: &'a str,
    pub identity: Identity,
    /// As sessions keep it ([`Identity::place`]).
    pub place: &'a str,
}

#[async_trait]
pub trait Attempts {
    /// Reserves the identity and burns the `short_key`: one transaction, conditional writes.
    ///
    /// In this order: reservation (`Busy`), active sign-in or everything ban of the identity
    /// (`Banned`), cap (`Full`), burn (`Resent`/`Replayed`). Only `Reserved` leaves a reservation.
    async fn begin(&self, begin: &Begin) -> Result<Begun>;

    /// Ends the attempt without a verdict (a typed error that is nobody's fault): releases the
    /// reservation; the `short_key` stays burnt.
    async fn release(&self, attempt: &Attempt) -> Result<()>;

    /// Ends the attempt as refused: releases the reservation, counts the strike, climbs the ladders,
    /// writes the ban (and a spray ban if that many different accounts failed within its window),
    /// counts the account's failure, writes the audit row. Returns the bans that were made.
    ///
    /// Ladders are kept per (identity, trigger, account) for `InvalidCredentials` and per
    /// (identity, trigger) for every other trigger.
    async fn refuse(&self, refusal: &Refusal) -> Result<Vec<Ban>>;

    /// Ends the attempt as accepted: releases the reservation, forgives (where asked to) the account's
    /// strikes and ladder from this identity and its failures in a row, inserts session and audit row.
    /// `false`: the user is gone, disabled, or has another password by now; then nothing but the release
    /// is written.
    async fn accept(&self, acceptance: &Acceptance) -> Result<bool>;

    /// Reads all that an attempt is judged against at once.
    async fn standing(&self, asked: Asked<'_>) -> Result<Standing>;

    /// Deletes what has run out: burnt `short_keys`, reservations, strikes, quiet ladders and
    /// account failures older than 30 days. Returns how many rows went.
    async fn sweep_attempts(&self, now: UnixMs) -> Result<u64>;
}
