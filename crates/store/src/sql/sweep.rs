//! Deletes expired rows in small steps, so that other writes do not wait long.

use super::backend::{Backend, Value};
use super::oauth_logouts::POSTPONE;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::Tx;
use super::write::Write;
use crate::Result;
use domain::{CLOCK_TOLERANCE_MS, UnixMs};
use std::time::{Duration, Instant};

/// Maximum number of rows in one transaction.
const CHUNK: i64 = 500;
/// Number of rows in the first transaction of a statement, which finds the speed of the disk.
const FIRST: i64 = 100;
/// Their minimum on a slow disk.
const LEAST: i64 = 20;
/// Time that one transaction should take at most. Other writes wait for it.
const AIM: Duration = Duration::from_millis(20);
/// Additional retention of burnt `short_keys` after their expiry. They are accepted for [`CLOCK_TOLERANCE_MS`] more,
/// and a node whose clock is fast must not delete one that a node with a slow clock would accept again.
const SKEW_MS: i64 = 4 * CLOCK_TOLERANCE_MS;
const FAILURES_KEPT_MS: i64 = 30 * 24 * 3_600_000;
/// Retention of sign-ins, at least as long as usual windows for spraying.
const SIGN_INS_KEPT_MS: i64 = 24 * 3_600_000;
/// Retention of counts of refusals, longer than any chart shows.
const REFUSALS_KEPT_MS: i64 = 8 * 24 * 3_600_000;

/// Retention of expired entries of the allowlist.
const ALLOWED_KEPT_MS: i64 = 30 * 24 * 3_600_000;
/// Retention of the rows of named locks. Each paid challenge has one.
const LOCKS_KEPT_MS: i64 = 24 * 3_600_000;

/// The end of a session, in the words of its index.
macro_rules! session_end {
    () => {
        "COALESCE(revoked_at, CASE WHEN idle_at < ends_at THEN idle_at ELSE ends_at END)"
    };
}

sql! {
    COUNT_SHORT_KEYS = "SELECT COUNT(*) AS n FROM short_keys";
    // The condition occurs twice, because PostgreSQL does not evaluate the inner one again after waiting for a locked
    // row.
    SHORT_KEYS = "DELETE FROM short_keys WHERE expires_at <= $1
        AND id IN (SELECT id FROM short_keys WHERE expires_at <= $1 LIMIT $2)";
    RESERVATIONS = "DELETE FROM reservations WHERE until <= $1
        AND identity IN (SELECT identity FROM reservations WHERE until <= $1 LIMIT $2)";
    STRIKES = "DELETE FROM strikes WHERE expires_at <= $1
        AND id IN (SELECT id FROM strikes WHERE expires_at <= $1 LIMIT $2)";
    LADDERS = "DELETE FROM ladders WHERE expires_at <= $1 AND (identity, cause, account) IN
        (SELECT identity, cause, account FROM ladders WHERE expires_at <= $1 LIMIT $2)";
    INVITATIONS = "DELETE FROM invitations WHERE expires_at <= $1
        AND id IN (SELECT id FROM invitations WHERE expires_at <= $1 LIMIT $2)";
    APP_CODES = "DELETE FROM app_codes WHERE expires_at <= $1
        AND code_hash IN (SELECT code_hash FROM app_codes WHERE expires_at <= $1 LIMIT $2)";
    OAUTH_CODES = "DELETE FROM oauth_codes WHERE expires_at <= $1
        AND code_hash IN (SELECT code_hash FROM oauth_codes WHERE expires_at <= $1 LIMIT $2)";
    OAUTH_REQUESTS = "DELETE FROM oauth_requests WHERE expires_at <= $1 AND id_hash IN (SELECT id_hash
        FROM oauth_requests WHERE expires_at <= $1 AND (kept_until IS NULL OR kept_until <= $1) LIMIT $2)";
    OAUTH_DEVICES = "DELETE FROM oauth_devices WHERE expires_at <= $1
        AND device_hash IN (SELECT device_hash FROM oauth_devices WHERE expires_at <= $1 LIMIT $2)";
    OAUTH_GRANTS = "DELETE FROM oauth_grants WHERE ends_at <= $1
        AND id IN (SELECT id FROM oauth_grants WHERE ends_at <= $1 LIMIT $2)";
    // A disabled document stays, or its client would be back when somebody opens its link.
    OAUTH_DOCUMENTS = "DELETE FROM oauth_documents WHERE expires_at <= $1 AND disabled_at IS NULL
        AND id IN (SELECT id FROM oauth_documents WHERE expires_at <= $1 AND disabled_at IS NULL LIMIT $2)";
    OAUTH_TOKENS = "DELETE FROM oauth_initial_tokens WHERE expires_at <= $1
        AND token_hash IN (SELECT token_hash FROM oauth_initial_tokens WHERE expires_at <= $1 LIMIT $2)";
    PROOFS = "DELETE FROM used_proofs WHERE expires_at <= $1
        AND id IN (SELECT id FROM used_proofs WHERE expires_at <= $1 LIMIT $2)";
    RESETS = "DELETE FROM resets WHERE expires_at <= $1
        AND code_hash IN (SELECT code_hash FROM resets WHERE expires_at <= $1 LIMIT $2)";
    PENDING = "DELETE FROM pending_sign_ins WHERE expires_at <= $1
        AND id IN (SELECT id FROM pending_sign_ins WHERE expires_at <= $1 LIMIT $2)";
    WAITING_TOTP = "DELETE FROM totp WHERE created_at <= $1 AND confirmed_at IS NULL
        AND id IN (SELECT id FROM totp WHERE created_at <= $1 AND confirmed_at IS NULL LIMIT $2)";
    REMEMBERED = "DELETE FROM remembered_devices WHERE expires_at <= $1
        AND id IN (SELECT id FROM remembered_devices WHERE expires_at <= $1 LIMIT $2)";
    ENDED_USER_KEYS = "UPDATE user_keys SET sealed = '' WHERE ends_at <= $1 AND sealed <> '' AND (user_id, version) IN
        (SELECT user_id, version FROM user_keys WHERE ends_at <= $1 AND sealed <> '' LIMIT $2)";
    OLD_USER_KEYS = "DELETE FROM user_keys WHERE ends_at < $1 AND (user_id, version) IN
        (SELECT user_id, version FROM user_keys WHERE ends_at < $1 LIMIT $2)";
    DELETED = "DELETE FROM users WHERE deleted_at < $1 AND id IN
        (SELECT id FROM users WHERE deleted_at < $1
            AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.user_id = users.id) LIMIT $2)";
    FAILURES = "DELETE FROM account_failures WHERE last_at <= $1
        AND account IN (SELECT account FROM account_failures WHERE last_at <= $1 LIMIT $2)";
    SIGN_INS = "DELETE FROM sign_ins WHERE at <= $1
        AND (identity, account) IN (SELECT identity, account FROM sign_ins WHERE at <= $1 LIMIT $2)";
    REFUSALS = "DELETE FROM refusals WHERE hour <= $1
        AND (hour, cause) IN (SELECT hour, cause FROM refusals WHERE hour <= $1 LIMIT $2)";
    ALLOWED = "DELETE FROM allowlist WHERE expires_at <= $1
        AND id IN (SELECT id FROM allowlist WHERE expires_at <= $1 LIMIT $2)";
    // A lock that is held has a newer time when its transaction ends, and then stays.
    NAMED_LOCKS = "DELETE FROM turns WHERE taken_at <= $1
        AND name IN (SELECT name FROM turns WHERE taken_at <= $1 LIMIT $2)";
    AUDIT = "DELETE FROM audit WHERE at < $1 AND id IN (SELECT id FROM audit WHERE at < $1 LIMIT $2)";
    NOTICES_READ = "DELETE FROM notices_read WHERE read_at <= $1 AND (user_id, device) IN
        (SELECT user_id, device FROM notices_read WHERE read_at <= $1 LIMIT $2)";
    // Two statements, because each of them reads one index, and none of the bans that are in force.
    BANS_EXPIRED = "DELETE FROM bans WHERE until < $1
        AND id IN (SELECT id FROM bans WHERE until < $1 LIMIT $2)";
    BANS_LIFTED = "DELETE FROM bans WHERE lifted_at < $1
        AND id IN (SELECT id FROM bans WHERE lifted_at < $1 LIMIT $2)";
    SESSIONS = concat!("DELETE FROM sessions WHERE ", session_end!(), " < $1
        AND id IN (SELECT id FROM sessions WHERE ", session_end!(), " < $1 LIMIT $2)");
}

struct SweepRows {
    sql: &'static str,
    before: i64,
    limit: i64,
}

impl Write for SweepRows {
    /// The number of changed rows, and the time that it took without waiting for other writes.
    type Output = (u64, Duration);

    const ONE_STATEMENT: bool = true;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Self::Output> {
        let began = Instant::now();
        let rows = tx.execute(self.sql, &[Value::Int(self.before), Value::Int(self.limit)]).await?;
        Ok((rows, began.elapsed()))
    }
}

/// Returns the number of rows for the next transaction, so that it takes about [`AIM`].
fn next_limit(limit: i64, took: Duration) -> i64 {
    let scaled = match took {
        took if took > AIM => limit / 2,
        took if took < AIM / 4 => limit * 2,
        _ => limit,
    };
    scaled.clamp(LEAST, CHUNK)
}

impl<DB: Backend> SqlStore<DB> {
    pub(super) async fn sweep_run_out(&self, now: UnixMs) -> Result<u64> {
        let mut gone = 0;
        for (sql, before) in [
            (SHORT_KEYS, now - SKEW_MS),
            (RESERVATIONS, now),
            (STRIKES, now),
            (LADDERS, now),
            (FAILURES, now - FAILURES_KEPT_MS),
            (SIGN_INS, now - SIGN_INS_KEPT_MS),
            (REFUSALS, now - REFUSALS_KEPT_MS),
        ] {
            gone += self.sweep(sql, before).await?;
        }
        self.sweep(NAMED_LOCKS, now - LOCKS_KEPT_MS).await?;
        self.sweep(ALLOWED, now - ALLOWED_KEPT_MS).await?;
        self.burnt.forget();
        Ok(gone)
    }

    pub(super) async fn sweep_audit_before(&self, before: UnixMs) -> Result<u64> {
        self.sweep(AUDIT, before).await
    }

    pub(super) async fn sweep_notices_before(&self, before: UnixMs) -> Result<u64> {
        self.sweep(NOTICES_READ, before).await
    }

    pub(super) async fn sweep_bans_before(&self, before: UnixMs) -> Result<u64> {
        Ok(self.sweep(BANS_EXPIRED, before).await? + self.sweep(BANS_LIFTED, before).await?)
    }

    pub(super) async fn sweep_invitations_before(&self, before: UnixMs) -> Result<u64> {
        self.sweep(INVITATIONS, before).await
    }

    pub(super) async fn sweep_app_codes_before(&self, before: UnixMs) -> Result<u64> {
        self.sweep(APP_CODES, before).await
    }

    pub(super) async fn sweep_pending_before(&self, now: UnixMs, old: UnixMs) -> Result<u64> {
        let pending = self.sweep(PENDING, now).await? + self.sweep(WAITING_TOTP, old).await?;
        Ok(pending + self.sweep(REMEMBERED, now).await?)
    }

    pub(super) async fn sweep_oauth_before(&self, before: UnixMs) -> Result<u64> {
        let mut gone = 0;
        self.sweep(POSTPONE, before).await?;
        for sql in [OAUTH_CODES, OAUTH_REQUESTS, OAUTH_DEVICES, OAUTH_GRANTS, OAUTH_DOCUMENTS, OAUTH_TOKENS] {
            gone += self.sweep(sql, before).await?;
        }
        Ok(gone)
    }

    pub(super) async fn sweep_proofs_before(&self, before: UnixMs) -> Result<u64> {
        self.sweep(PROOFS, before).await
    }

    pub(super) async fn sweep_resets_before(&self, before: UnixMs) -> Result<u64> {
        self.sweep(RESETS, before).await
    }

    pub(super) async fn sweep_ended_user_keys(&self, before: UnixMs) -> Result<u64> {
        self.sweep(ENDED_USER_KEYS, before).await
    }

    pub(super) async fn sweep_old_user_keys(&self, before: UnixMs) -> Result<u64> {
        self.sweep(OLD_USER_KEYS, before).await
    }

    pub(super) async fn sweep_deleted(&self, before: UnixMs) -> Result<u64> {
        self.sweep(DELETED, before).await
    }

    pub(super) async fn sweep_over(&self, before: UnixMs) -> Result<u64> {
        self.sweep(SESSIONS, before).await
    }

    /// Runs a statement with a limit of rows again and again until it changes fewer.
    ///
    /// On SQLite one transaction at a time writes. Without a pause, a write that waited for one part would share the
    /// next one's transaction, and be answered only after it.
    pub(super) async fn sweep(&self, sql: &'static str, before: UnixMs) -> Result<u64> {
        self.sweep_below(sql, before.as_millis()).await
    }

    /// Deletes as [`Self::sweep`] does, below another number than a time in milliseconds.
    pub(super) async fn sweep_below(&self, sql: &'static str, before: i64) -> Result<u64> {
        let (mut gone, mut limit) = (0, FIRST);
        loop {
            let (now_gone, took) = self.write(SweepRows { sql, before, limit }).await?;
            gone += now_gone;
            if now_gone < limit.unsigned_abs() {
                return Ok(gone);
            }
            limit = next_limit(limit, took);
            tokio::time::sleep(took).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_transaction_is_followed_by_smaller_ones_until_they_are_quick() {
        let slow = AIM + Duration::from_millis(1);
        assert_eq!(next_limit(CHUNK, slow), CHUNK / 2);
        assert_eq!(next_limit(LEAST, slow), LEAST);
        assert_eq!(next_limit(CHUNK / 2, AIM), CHUNK / 2);
        assert_eq!(next_limit(CHUNK / 2, Duration::ZERO), CHUNK);
        assert_eq!(next_limit(CHUNK, Duration::ZERO), CHUNK);
    }
}
