//! Tokens in use, in memory: a paid request waits for no disk. What was used is written down every second;
//! until then it is lost when the program is killed, in the client's favour.

mod entry;

pub use entry::{Entry, Refused, Unit};

use domain::UnixMs;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use store::toll::Token;
use store::{Result, Store};

pub struct Ledger {
    store: Arc<dyn Store>,
    entries: Mutex<HashMap<String, Arc<Entry>>>,
}

impl Ledger {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, entries: Mutex::default() }
    }

    /// The token of this id; `None`: there is none.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn find(&self, id: &str) -> Result<Option<Arc<Entry>>> {
        if let Some(entry) = self.entries.lock().get(id) {
            return Ok(Some(Arc::clone(entry)));
        }
        let Some(token) = self.store.toll_token(id).await? else { return Ok(None) };
        let mut entries = self.entries.lock();
        Ok(Some(Arc::clone(entries.entry(id.to_owned()).or_insert_with(|| Arc::new(Entry::new(token))))))
    }

    /// Takes over what the store has just said of a token. How many requests it has left.
    pub fn learn(&self, token: Token, now: UnixMs) -> i64 {
        let entry = self.entries.lock().get(&token.id).cloned();
        match entry {
            Some(entry) => {
                entry.learn(token);
                entry.left(now)
            }
            None => Entry::new(token).left(now),
        }
    }

    /// Reads a token again, if it is in use.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn hear(&self, id: &str) -> Result<()> {
        let entry = self.entries.lock().get(id).cloned();
        if let Some(entry) = entry
            && let Some(token) = self.store.toll_token(id).await?
        {
            entry.learn(token);
        }
        Ok(())
    }

    /// Writes down what was used, hears what became of those tokens elsewhere, and forgets those that nobody
    /// uses.
    ///
    /// # Errors
    /// The store does not answer; what was used is kept.
    pub async fn write_down(&self) -> Result<()> {
        let entries: Vec<_> = self.entries.lock().values().cloned().collect();
        for entry in entries {
            let used = entry.begin_write();
            if used > 0 {
                let written = self.store.use_token(entry.id(), used).await;
                entry.end_write(written.as_ref().ok().and_then(Option::as_ref), used);
                written?;
            } else if Arc::strong_count(&entry) > 2 {
                // Held by something that goes on: the map and this have one each.
                self.hear(entry.id()).await?;
            }
        }
        // Whoever holds an entry has it from here, under this lock.
        self.entries.lock().retain(|_, entry| Arc::strong_count(entry) > 1 || !entry.is_idle());
        Ok(())
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger(..)")
    }
}
