//! Second factors: generators of one-time codes, recovery codes, and sign-ins that wait for one.

use crate::Result;
use crate::attempts::Attempt;
use crate::audit::AuditEntry;
use crate::given_codes::{GivenCode, UsedCode};
use crate::passkeys::UsedPasskey;
use crate::user::PasswordHash;
use crate::user_keys::SealedKey;
use async_trait::async_trait;
use domain::UnixMs;
use domain::account_delay::FailureStreak;
use domain::authentication::{Authentication, Method};
use domain::ids::{SessionId, UserId};
use domain::second_factor::Factors;
use domain::thumbprint::Thumbprint;

/// A generator of one-time codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totp {
    pub id: String,
    pub user: UserId,
    /// The encrypted secret.
    pub secret: SealedKey,
    /// The step of the last accepted code: only a greater one is accepted.
    pub last_step: i64,
    /// The drift of the generator's clock in steps, by `domain::totp`.
    pub drift: i64,
    pub created_at: UnixMs,
    /// `None`: it waits for its first code.
    pub confirmed_at: Option<UnixMs>,
    pub used_at: Option<UnixMs>,
}

/// The first code of a generator.
#[derive(Debug, Clone)]
pub struct ConfirmTotp {
    pub code: UsedCode,
    /// Generators from before this time are too old.
    pub since: UnixMs,
    /// Hashes of recovery codes, if the account has none yet.
    pub recovery_codes: Vec<String>,
    pub audit: AuditEntry,
}

/// A change of whether a sign-in by password needs a passkey too.
#[derive(Debug, Clone)]
pub struct PasskeyAfterPassword {
    pub user: UserId,
    /// The host of a passkey that the account must have; `None`: the password alone is sufficient again.
    pub wanted: Option<String>,
    /// Hashes of recovery codes, if the account has none yet.
    pub recovery_codes: Vec<String>,
    pub audit: AuditEntry,
    pub now: UnixMs,
}

/// A sign-in that waits for its second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingSignIn {
    /// Hash of the client's secret.
    pub id: String,
    pub user: UserId,
    /// The password hash that was checked.
    pub judged_by: PasswordHash,
    /// Thumbprint of the client's key.
    pub jkt: Option<Thumbprint>,
    pub expires_at: UnixMs,
}

/// A new pending sign-in. It ends its attempt.
#[derive(Debug, Clone)]
pub struct NewPendingSignIn {
    pub attempt: Attempt,
    pub pending: PendingSignIn,
    pub audit: AuditEntry,
}

/// A fresh proof of a live session's person.
#[derive(Debug, Clone)]
pub struct ConfirmIdentity {
    pub attempt: Attempt,
    pub session: SessionId,
    pub proven: Method,
    /// The code that was given, which is used up in the same write.
    pub code: Option<GivenCode>,
    /// The passkey that was used.
    pub passkey: Option<UsedPasskey>,
    /// The proof, and changes of the passkey that its owner should know of.
    pub audit: Vec<AuditEntry>,
    pub now: UnixMs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfirmOutcome {
    /// The session's authentication is fresh, and the attempt has ended.
    Confirmed(Authentication),
    /// Another request has used the code, or the passkey was removed.
    ProofGone,
    SessionOver,
}

/// An administrator and the second factors of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdministratorFactors {
    pub user: UserId,
    pub name: String,
    pub factors: Factors,
}

#[async_trait]
pub trait SecondFactors {
    /// Returns the factors of an account. Passkeys count if they were made for this host; `None`: none does.
    async fn factors(&self, user: &UserId, relying_party: Option<&str>) -> Result<Factors>;
    /// Returns the confirmed generator, or the newest one that waits for its first code.
    async fn totp(&self, user: &UserId, confirmed: bool) -> Result<Option<Totp>>;
    /// Adds a generator that waits for its first code. Earlier ones that wait are deleted.
    async fn begin_totp(&self, user: &UserId, id: &str, secret: &SealedKey, now: UnixMs) -> Result<()>;
    /// Puts a generator into use, in place of an earlier one. `false`: it is unknown, in use or too old.
    async fn confirm_totp(&self, confirm: &ConfirmTotp) -> Result<bool>;
    /// Deletes the generator, and the recovery codes with the last factor of any host. `false`: the account has no generator.
    async fn remove_totp(&self, user: &UserId, audit: &AuditEntry) -> Result<bool>;
    /// Changes whether a sign-in by password needs a passkey too. `false`: nothing changed, or the account has no
    /// passkey of the host.
    async fn set_passkey_after_password(&self, request: &PasskeyAfterPassword) -> Result<bool>;
    /// Deletes every second factor of an account. This includes one that waits for its first code, recovery codes,
    /// pending sign-ins and remembered devices. `false`: it has no factor.
    async fn remove_factors(&self, user: &UserId, audit: &AuditEntry) -> Result<bool>;
    /// Replaces all recovery codes.
    async fn set_recovery_codes(&self, user: &UserId, hashes: &[String], audit: &AuditEntry, now: UnixMs)
    -> Result<()>;
    /// Whether the account has this code and has not used it.
    async fn has_recovery_code(&self, user: &UserId, code_hash: &str) -> Result<bool>;
    /// Stores a pending sign-in and releases its attempt.
    async fn add_pending(&self, new: &NewPendingSignIn) -> Result<()>;
    /// Counts one more try before a code is checked. `None`: it has expired, is finished, or was tried too often.
    async fn try_pending(&self, id: &str, now: UnixMs) -> Result<Option<PendingSignIn>>;
    /// Adds a method to a live session whose person was authenticated again, and returns the result. `None`: the session is
    /// over.
    async fn renew_authentication(
        &self,
        session: &SessionId,
        proven: Method,
        now: UnixMs,
    ) -> Result<Option<Authentication>>;
    /// Returns how many proofs a live session has given since its last right one. `None`: it has ended.
    async fn given_proofs(&self, session: &SessionId, now: UnixMs) -> Result<Option<FailureStreak>>;
    /// Counts a proof before it is checked. `false`: the session has given another number than `before`, or has ended.
    async fn count_proof(&self, session: &SessionId, before: u32, now: UnixMs) -> Result<bool>;
    /// Makes a session's authentication fresh by a proof, which is used up in the same transaction. The attempt ends with
    /// [`ConfirmOutcome::Confirmed`] only, and no code is used up otherwise.
    async fn confirm_identity(&self, confirm: &ConfirmIdentity) -> Result<ConfirmOutcome>;
    /// Returns the enabled administrators by name. Passkeys count as in [`Self::factors`].
    async fn administrators(&self, relying_party: Option<&str>) -> Result<Vec<AdministratorFactors>>;
    /// Deletes pending sign-ins and remembered devices that ended, and generators without a first code from before `old`.
    async fn sweep_second_factors(&self, now: UnixMs, old: UnixMs) -> Result<u64>;
}
