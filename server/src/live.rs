//! Live refusals on this node, for watching administrators.

use domain::UnixMs;
use domain::ban::Trigger;
use domain::identity::Identity;
use parking_lot::RwLock;
use store::bans::Ban;
use tokio::sync::broadcast::{self, Receiver, Sender};

/// Maximum backlog of a reader before it is dropped.
const BEHIND: usize = 256;
/// Maximum number of readers.
const READERS: usize = 32;

/// A refusal without names and without the client's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub at: UnixMs,
    pub identity: Identity,
    pub trigger: Trigger,
    /// The longest resulting ban.
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
    /// Publishes a refusal to all readers. Never waits.
    pub fn tell(&self, refusal: &Refusal) {
        if let Some(sender) = &*self.0.read()
            && sender.receiver_count() > 0
        {
            // Fails only if the last reader has just left.
            drop(sender.send(refusal.clone()));
        }
    }

    /// Subscribes a reader. `None`: there are too many readers, or the server is stopping.
    pub fn watch(&self) -> Option<Receiver<Refusal>> {
        let sender = self.0.read();
        sender.as_ref().filter(|sender| sender.receiver_count() < READERS).map(Sender::subscribe)
    }

    /// Ends all streams, because a stopping server waits for its answers.
    pub fn end(&self) {
        self.0.write().take();
    }
}
