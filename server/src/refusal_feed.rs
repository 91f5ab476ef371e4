//! Live refusals on this node, for watching administrators.

use domain::UnixMs;
use domain::ban::Trigger;
use domain::client_key::ClientKey;
use parking_lot::RwLock;
use store::bans::Ban;
use tokio::sync::broadcast::{self, Receiver, Sender};

/// Maximum backlog of a reader before it is dropped.
const BEHIND: usize = 256;
/// Maximum number of readers.
const READERS: usize = 32;

/// A refusal without names and without the client's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalEvent {
    pub at: UnixMs,
    pub client_key: ClientKey,
    pub trigger: Trigger,
    /// The longest resulting ban.
    pub ban: Option<Ban>,
}

impl RefusalEvent {
    pub fn new(client_key: ClientKey, trigger: Trigger, bans: &[Ban], now: UnixMs) -> Self {
        let ban = bans.iter().max_by_key(|ban| ban.until).cloned();
        Self { at: now, client_key, trigger: ban.as_ref().map_or(trigger, |ban| ban.trigger), ban }
    }
}

#[derive(Debug)]
pub struct RefusalFeed(RwLock<Option<Sender<RefusalEvent>>>);

impl Default for RefusalFeed {
    fn default() -> Self {
        Self(RwLock::new(Some(broadcast::channel(BEHIND).0)))
    }
}

impl RefusalFeed {
    /// Publishes a refusal to all readers. Never waits.
    pub fn publish(&self, refusal: &RefusalEvent) {
        if let Some(sender) = &*self.0.read()
            && sender.receiver_count() > 0
        {
            // Fails only if the last reader has just left.
            drop(sender.send(refusal.clone()));
        }
    }

    /// Subscribes a reader. `None`: there are too many readers, or the server is stopping.
    pub fn watch(&self) -> Option<Receiver<RefusalEvent>> {
        let sender = self.0.read();
        sender.as_ref().filter(|sender| sender.receiver_count() < READERS).map(Sender::subscribe)
    }

    /// Ends all streams, because a stopping server waits for its answers.
    pub fn end(&self) {
        self.0.write().take();
    }
}
