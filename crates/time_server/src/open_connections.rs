//! Open connections, and their end when the auth server has ended their session or revoked their key.

use crate::tickets::OpenedTicket;
use domain::UnixMs;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;
use verify::Revocations;
use wire::time::CloseReason;

/// Period that a connection may outlive its ticket or the last list while no list is available.
pub(crate) const WITHOUT_LIST_MS: i64 = 60_000;

/// The open connections.
#[derive(Debug, Default)]
pub(crate) struct OpenConnections(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Open>,
}

#[derive(Debug)]
struct Open {
    sid: String,
    kid: String,
    /// The newest ticket's expiry.
    expires_at: UnixMs,
    end: Arc<EndSignal>,
}

/// A signal that ends a connection.
#[derive(Debug, Default)]
pub(crate) struct EndSignal {
    reason: OnceLock<CloseReason>,
    signalled: Notify,
}

/// One connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionGuard<'a> {
    id: u64,
    open_connections: &'a OpenConnections,
    end: Arc<EndSignal>,
}

impl OpenConnections {
    pub(crate) fn enter(&self, opened: &OpenedTicket) -> ConnectionGuard<'_> {
        let end = Arc::new(EndSignal::default());
        let mut table = self.0.lock();
        let id = table.next;
        table.next += 1;
        let open = Open {
            sid: opened.holder.sid.clone(),
            kid: opened.kid.clone(),
            expires_at: opened.expires_at,
            end: Arc::clone(&end),
        };
        table.open.insert(id, open);
        ConnectionGuard { id, open_connections: self, end }
    }

    /// Ends every connection that must not continue.
    pub(crate) fn judge(&self, revocations: &Revocations, now: UnixMs) {
        let answered_at = revocations.answered_at();
        for open in self.0.lock().open.values() {
            let last = answered_at.map_or(open.expires_at, |answered_at| answered_at.max(open.expires_at));
            if revocations.is_named(&open.kid, &open.sid) {
                open.end.signal(CloseReason::KeyEnded);
            } else if now >= last + WITHOUT_LIST_MS {
                open.end.signal(CloseReason::Unavailable);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().open.is_empty()
    }
}

impl EndSignal {
    fn signal(&self, reason: CloseReason) {
        if self.reason.set(reason).is_ok() {
            self.signalled.notify_one();
        }
    }
}

impl ConnectionGuard<'_> {
    /// Waits until the connection must end.
    pub(crate) async fn ended(&self) -> CloseReason {
        loop {
            if let Some(reason) = self.reason() {
                return reason;
            }
            self.end.signalled.notified().await;
        }
    }

    /// Returns the reason why the connection must end, if it must.
    pub(crate) fn reason(&self) -> Option<CloseReason> {
        self.end.reason.get().copied()
    }

    /// Applies a newer ticket.
    pub(crate) fn renew(&self, opened: &OpenedTicket) {
        if let Some(open) = self.open_connections.0.lock().open.get_mut(&self.id) {
            open.kid.clone_from(&opened.kid);
            open.expires_at = opened.expires_at;
        }
    }
}

impl Drop for ConnectionGuard<'_> {
    fn drop(&mut self) {
        self.open_connections.0.lock().open.remove(&self.id);
    }
}
