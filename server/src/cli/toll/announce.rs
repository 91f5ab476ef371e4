//! Announcements of a running gate for the portal's dashboard, which runs in another process and may have read other
//! settings.

use crate::clock::{Clock, SystemClock};
use crate::entropy::{Entropy, SystemEntropy};
use crate::flows::toll::{described, with_reachability};
use domain::UnixMs;
use domain::encoding::base64url;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::{Notify, watch};
use toll::{Gate, PaymentService};
use wire::toll_admin::{ChainState, TollRoute};

/// Interval of announcements, shorter than the time after which the dashboard considers a gate stopped.
const EVERY: Duration = Duration::from_secs(5);
/// Number of announcements after which the upstreams are tried again: they see a connection every half minute.
const TRY_UPSTREAMS: u32 = 6;

pub(super) struct Announcer {
    gate: Arc<Gate>,
    payments: Arc<PaymentService>,
    store: Arc<dyn Store>,
    id: String,
    started_at: UnixMs,
    /// Notified when the routes change.
    pub changed: Arc<Notify>,
}

impl Announcer {
    pub(super) fn new(gate: Arc<Gate>, payments: Arc<PaymentService>, store: Arc<dyn Store>) -> Self {
        let entropy: &dyn Entropy = &SystemEntropy;
        let id = base64url(&entropy.bytes::<16>());
        Self { gate, payments, store, id, started_at: SystemClock.now(), changed: Arc::default() }
    }

    /// Announces the gate until `stop` is set, and withdraws the announcement at the end.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let (mut could, mut routes, mut count) = (true, Vec::new(), 0);
        loop {
            if count == 0 {
                routes = with_reachability(described(&self.gate.table())).await;
            }
            let announced = self.announce(&routes).await;
            match &announced {
                // Logged once, not every few seconds.
                Err(error) if could => tracing::warn!(cause = %error, "this gate could not be announced"),
                _ => {}
            }
            could = announced.is_ok();
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = self.changed.notified() => count = 0,
                () = tokio::time::sleep(EVERY) => count = (count + 1) % TRY_UPSTREAMS,
            }
        }
        if let Err(error) = self.store.end_gate(&self.id).await {
            tracing::warn!(cause = %error, "the dashboard shows this gate as running for up to 30 seconds");
        }
    }

    async fn announce(&self, routes: &[TollRoute]) -> store::Result<()> {
        let chain = if self.payments.is_away() { ChainState::Away } else { ChainState::Seen };
        let gate = store::gates::Gate {
            id: self.id.clone(),
            started_at: self.started_at,
            heard_at: SystemClock.now(),
            // Names, numbers and lists of them can always be serialized.
            routes: serde_json::to_string(routes).unwrap_or_default(),
            chain: chain.as_str().to_owned(),
        };
        self.store.announce_gate(&gate).await
    }
}
