//! Refusals as they happen on this node, for administrators who watch.

use domain::UnixMs;
use domain::ban::Trigger;
use domain::identity::Identity;
use parking_lot::RwLock;
use store::bans::Ban;
use tokio::sync::broadcast::{self, Receiver, Sender};

/// How far a reader may fall behind before it is dropped.
const BEHIND: usize = 256;
/// The most readers at once.
const READERS: usize = 32;

/// Who was refused, and why. No name and nothing that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub at: UnixMs,
    pub identity: Identity,
    pub trigger: Trigger,
    /// The longest ban that came of it.
    pub ban: Option<Ban>,
}

impl Refusal {
    pub fn new(identity: Identity, trigger: Trigger, bans: &[Ban], now: UnixMs) -> Self {
        let ban = bans.iter().max_by_key(|ban| ban.until).cloned();
        Self { at: now, identity, trigger: ban.as_ref().map_or(trigger, |ban| ban.trigger), ban }
    }
}

#[derive(Debug)]
pub struct Live(RwLock<Option<Sender<Refusal>>>);

impl Default for Live {
    fn default() -> Self {
        Self(RwLock::new(Some(broadcast::channel(BEHIND).0)))
    }
}

impl Live {
    /// Tells whoever watches. Never waits.
    pub fn tell(&self, refusal: &Refusal) {
        if let Some(sender) = &*self.0.read()
            && sender.receiver_count() > 0
        {
            // Fails only if the last reader has just gone.
            drop(sender.send(refusal.clone()));
        }
    }

    /// `None`: there are enough readers, or the server stops.
    pub fn watch(&self) -> Option<Receiver<Refusal>> {
        let sender = self.0.read();
        sender.as_ref().filter(|sender| sender.receiver_count() < READERS).map(Sender::subscribe)
    }

    /// Ends every reader's stream: a server that stops waits for its answers.
    pub fn end(&self) {
        self.0.write().take();
    }
}
