//! One token in use.

use domain::UnixMs;
use parking_lot::Mutex;
use std::sync::Arc;
use store::toll::TollToken;
use tpat::payment::Early;

/// The reason why a token does not admit requests now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefusal {
    /// Every request was used.
    Spent,
    /// The token has expired.
    Over,
    /// The payment is unconfirmed, and its provisional quota is used up.
    Early,
    /// The payment has disappeared.
    Asleep,
    Suspended,
    Revoked,
}

impl TokenRefusal {
    /// Returns the reason why a token admits nothing, independent of its quota.
    pub fn of(token: &TollToken) -> Option<Self> {
        let because = |at: Option<UnixMs>, refused| at.map(|_| refused);
        because(token.revoked_at, Self::Revoked)
            .or(because(token.suspended_at, Self::Suspended))
            .or(because(token.asleep_at, Self::Asleep))
    }
}

#[derive(Debug)]
pub struct LedgerEntry {
    id: String,
    state: Mutex<EntryState>,
}

#[derive(Debug)]
struct EntryState {
    /// The row as last read from the store.
    token: TollToken,
    /// Requests used and not yet written.
    unwritten: i64,
    /// Requests being written; the store may or may not have them.
    in_writing: i64,
    /// Requests in progress.
    held: i64,
}

impl LedgerEntry {
    pub fn new(token: TollToken) -> Self {
        let id = token.id.clone();
        Self { id, state: Mutex::new(EntryState { token, unwritten: 0, in_writing: 0, held: 0 }) }
    }

    /// Returns the token as last read from the store.
    pub fn token(&self) -> TollToken {
        self.state.lock().token.clone()
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Reserves one request.
    ///
    /// # Errors
    /// [`TokenRefusal`].
    pub fn take(self: &Arc<Self>, now: UnixMs) -> Result<HeldRequest, TokenRefusal> {
        let mut state = self.state.lock();
        if let Some(refused) = TokenRefusal::of(&state.token) {
            return Err(refused);
        }
        let whole = state.token.quota - state.used();
        if now >= state.token.expires_at || whole <= 0 {
            return Err(if whole <= 0 { TokenRefusal::Spent } else { TokenRefusal::Over });
        }
        if state.remaining(now) <= 0 {
            return Err(TokenRefusal::Early);
        }
        state.held += 1;
        Ok(HeldRequest { entry: Arc::clone(self), charged: false })
    }

    /// Whether a running stream may continue, independent of the quota for others.
    pub fn is_open(&self, now: UnixMs) -> bool {
        let state = self.state.lock();
        TokenRefusal::of(&state.token).is_none() && now < state.token.expires_at
    }

    /// Returns the number of requests left.
    pub fn remaining(&self, now: UnixMs) -> i64 {
        self.state.lock().remaining(now)
    }

    pub fn refresh(&self, token: TollToken) {
        let mut state = self.state.lock();
        // The row may have been read before the last write.
        let used = token.used.max(state.token.used);
        state.token = TollToken { used, ..token };
    }

    /// Begins a write and returns the number of requests to write.
    pub(crate) fn begin_write(&self) -> i64 {
        let mut state = self.state.lock();
        state.in_writing = std::mem::take(&mut state.unwritten);
        state.in_writing
    }

    /// Ends a write. `token`: the row including them; `None`: the write failed.
    pub(crate) fn end_write(&self, token: Option<&TollToken>, used: i64) {
        let mut state = self.state.lock();
        state.in_writing = 0;
        match token {
            Some(token) => state.token = token.clone(),
            None => state.unwritten += used,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        let state = self.state.lock();
        state.unwritten == 0 && state.in_writing == 0 && state.held == 0
    }
}

impl EntryState {
    fn used(&self) -> i64 {
        self.token.used + self.unwritten + self.in_writing + self.held
    }

    fn remaining(&self, now: UnixMs) -> i64 {
        let TollToken { quota, minted_at, expires_at, provisional, .. } = self.token;
        if !provisional {
            return if now < expires_at { (quota - self.used()).max(0) } else { 0 };
        }
        let early = Early::default();
        let quota = quota.min(i64::try_from(early.quota).unwrap_or(i64::MAX));
        let expires_at = expires_at.min(minted_at + i64::from(early.ttl_s) * 1000);
        if now < expires_at { (quota - self.used()).max(0) } else { 0 }
    }
}

/// One request of a token. It returns to the token unless it is charged.
#[derive(Debug)]
pub struct HeldRequest {
    entry: Arc<LedgerEntry>,
    charged: bool,
}

/// The rest of a token after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remaining {
    pub requests: i64,
    pub expires_at: UnixMs,
}

impl HeldRequest {
    /// Returns its token.
    pub fn entry(&self) -> Arc<LedgerEntry> {
        Arc::clone(&self.entry)
    }

    pub(crate) fn charge(mut self, now: UnixMs) -> Remaining {
        self.charged = true;
        let mut state = self.entry.state.lock();
        state.held -= 1;
        state.unwritten += 1;
        Remaining { requests: state.remaining(now), expires_at: state.token.expires_at }
    }
}

impl Drop for HeldRequest {
    fn drop(&mut self) {
        if !self.charged {
            self.entry.state.lock().held -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TokenRefusal::{Asleep, Early, Over, Revoked, Spent, Suspended};

    const NOW: UnixMs = UnixMs::from_millis(1_000_000);

    fn token(quota: i64, provisional: bool) -> TollToken {
        TollToken {
            id: "t".to_owned(),
            route: "price".to_owned(),
            jkt: None,
            quota,
            used: 0,
            remainder: 0,
            minted_at: NOW,
            expires_at: NOW + 3_600_000,
            provisional,
            asleep_at: None,
            suspended_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn a_held_request_is_taken_and_returned() {
        let entry = Arc::new(LedgerEntry::new(token(2, false)));
        let first = entry.take(NOW).expect("one");
        let second = entry.take(NOW).expect("two");
        assert_eq!(entry.take(NOW).expect_err("no third"), Spent);
        drop(second);
        assert_eq!(first.charge(NOW).requests, 1);
        assert_eq!(entry.take(NOW).expect("the one that came back").charge(NOW).requests, 0);
        assert_eq!(entry.take(NOW).expect_err("used up"), Spent);
    }

    #[test]
    fn nothing_is_counted_twice_or_lost_while_it_is_written() {
        let entry = Arc::new(LedgerEntry::new(token(10, false)));
        for _ in 0..3 {
            entry.take(NOW).expect("one").charge(NOW);
        }
        assert_eq!(entry.begin_write(), 3);
        entry.take(NOW).expect("one").charge(NOW);
        assert_eq!(entry.remaining(NOW), 6, "meanwhile");
        entry.end_write(None, 3);
        assert_eq!((entry.remaining(NOW), entry.is_idle()), (6, false));
        let used = entry.begin_write();
        entry.end_write(Some(&TollToken { used, ..token(10, false) }), used);
        assert_eq!((entry.remaining(NOW), entry.is_idle()), (6, true));
    }

    #[test]
    fn each_reason_is_its_own() {
        let at = Some(NOW);
        for (token, later, expected) in [
            (TollToken { asleep_at: at, ..token(5, false) }, 0, Asleep),
            (TollToken { suspended_at: at, asleep_at: at, ..token(5, false) }, 0, Suspended),
            (TollToken { revoked_at: at, suspended_at: at, ..token(5, false) }, 0, Revoked),
            (token(5, false), 3_600_000, Over),
            (TollToken { used: 5, ..token(5, true) }, 0, Spent),
            (TollToken { used: 20, ..token(100, true) }, 0, Early),
            (token(100, true), 1_800_000, Early),
        ] {
            assert_eq!(Arc::new(LedgerEntry::new(token)).take(NOW + later).expect_err("refused"), expected);
        }
        assert_eq!(LedgerEntry::new(token(100, true)).remaining(NOW), 20, "until a block has it");
    }
}
