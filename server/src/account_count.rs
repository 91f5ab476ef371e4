//! The number of accounts, as pages show it.

use domain::UnixMs;
use std::sync::{Mutex, PoisonError};
use store::Store;

/// The number from which on it is counted once a minute only. Counting a million rows takes a tenth of a second.
const MANY: u64 = 10_000;
/// Validity of a large number.
const VALID_MS: i64 = 60_000;

/// The last large number of accounts.
#[derive(Debug, Default)]
pub struct AccountCount(Mutex<Option<(UnixMs, u64)>>);

impl AccountCount {
    /// Returns the number of accounts. From 10,000 accounts on, it may be a minute old.
    ///
    /// # Errors
    /// The store fails.
    pub async fn count(&self, store: &dyn Store, now: UnixMs) -> store::Result<u64> {
        if let Some(count) = self.known(now) {
            return Ok(count);
        }
        let count = store.user_count().await?;
        self.keep(count, now);
        Ok(count)
    }

    fn known(&self, now: UnixMs) -> Option<u64> {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.filter(|(at, _)| (0..VALID_MS).contains(&(now - *at))).map(|(_, count)| count)
    }

    fn keep(&self, count: u64, now: UnixMs) {
        let known = (count >= MANY).then_some((now, count));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_number_is_kept_for_a_minute_and_a_small_one_is_not() {
        let count = AccountCount::default();
        count.keep(MANY - 1, UnixMs::EPOCH);
        assert_eq!(count.known(UnixMs::EPOCH), None);
        count.keep(MANY, UnixMs::EPOCH);
        assert_eq!(
            (count.known(UnixMs::EPOCH), count.known(UnixMs::from_millis(VALID_MS - 1))),
            (Some(MANY), Some(MANY))
        );
        assert_eq!(
            (count.known(UnixMs::from_millis(VALID_MS)), count.known(UnixMs::from_millis(-1))),
            (None, None),
            "also after a clock was set back"
        );
    }
}
