//! Tokens in use, in memory, so that a paid request waits for no disk. Usage is written every second. If the program is
//! killed, up to a second of it is lost, in the client's favour.

mod entry;

pub(crate) use entry::{HeldRequest, LedgerEntry, TokenRefusal};

use domain::UnixMs;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use store::toll::TollToken;
use store::{Result, Store};

pub(crate) struct Ledger {
    store: Arc<dyn Store>,
    entries: Mutex<HashMap<String, Arc<LedgerEntry>>>,
}

impl Ledger {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, entries: Mutex::default() }
    }

    /// Returns the token with this id; `None` if it does not exist.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<LedgerEntry>>> {
        if let Some(entry) = self.entries.lock().get(id) {
            return Ok(Some(Arc::clone(entry)));
        }
        let Some(token) = self.store.toll_token(id).await? else { return Ok(None) };
        let mut entries = self.entries.lock();
        Ok(Some(Arc::clone(entries.entry(id.to_owned()).or_insert_with(|| Arc::new(LedgerEntry::new(token))))))
    }

    /// Stores the latest row of a token and returns how many requests are left.
    pub(crate) fn refresh(&self, token: TollToken, now: UnixMs) -> i64 {
        let entry = self.entries.lock().get(&token.id).cloned();
        match entry {
            Some(entry) => {
                entry.refresh(token);
                entry.remaining(now)
            }
            None => LedgerEntry::new(token).remaining(now),
        }
    }

    /// Reads a token again, if it is in use.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn reload(&self, id: &str) -> Result<()> {
        let entry = self.entries.lock().get(id).cloned();
        if let Some(entry) = entry
            && let Some(token) = self.store.toll_token(id).await?
        {
            entry.refresh(token);
        }
        Ok(())
    }

    /// Writes usage, reads those tokens again, and removes unused ones from memory.
    ///
    /// # Errors
    /// The store fails; the usage is kept for the next attempt.
    pub(crate) async fn write_down(&self) -> Result<()> {
        let entries: Vec<_> = self.entries.lock().values().cloned().collect();
        for entry in entries {
            let used = entry.begin_write();
            if used > 0 {
                let written = self.store.use_token(entry.id(), used).await;
                entry.end_write(written.as_ref().ok().and_then(Option::as_ref), used);
                written?;
            } else if Arc::strong_count(&entry) > 2 {
                // In use by a running stream: the map and this function hold one reference each.
                self.reload(entry.id()).await?;
            }
        }
        // New references are only taken under this lock, so a count of one means unused.
        self.entries.lock().retain(|_, entry| Arc::strong_count(entry) > 1 || !entry.is_idle());
        Ok(())
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger(..)")
    }
}
