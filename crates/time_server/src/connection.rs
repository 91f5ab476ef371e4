//! The course of one connection, and the revocation check of all.

use crate::carrier::{Carrier, CarrierError, closing_message};
use crate::conversation::{SealedChannel, send};
use crate::server::TimeServer;
use crate::tickets::OpenedTicket;
use tokio::sync::watch;
use wire::time::{Answer, CloseReason};

/// Interval of requests to the auth server, which updates its list within a second.
const LOOK_EVERY_MS: i64 = 2_000;
impl TimeServer {
    /// Serves one connection until it ends.
    pub(crate) async fn serve_connection(&self, mut carrier: impl Carrier, stop: watch::Receiver<bool>) {
        // Boxed, because a hello needs much memory that a connection should not keep.
        let greeted = Box::pin(self.greet_or_stop(&mut carrier, stop.clone())).await;
        let (mut channel, opened) = match greeted {
            Ok(greeted) => greeted,
            Err(ended) => return refuse(carrier, ended).await,
        };
        let Err(CarrierError::Because(reason)) = self.converse(&mut carrier, &mut channel, opened, stop).await else {
            return;
        };
        tracing::debug!(?reason, "a connection ended");
        let said = send(&Answer::Closed { reason }, &mut carrier, &mut channel, &mut Vec::new()).await;
        if said.is_ok() {
            Box::pin(carrier.close(reason)).await;
        }
    }

    async fn greet_or_stop(
        &self,
        carrier: &mut impl Carrier,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(SealedChannel, OpenedTicket), CarrierError> {
        tokio::select! {
            greeted = self.greet(carrier) => greeted,
            _ = stop.wait_for(|stop| *stop) => Err(CloseReason::GoingAway.into()),
        }
    }

    /// Fetches the revocation list while there are connections, and ends those that it names. Never returns.
    pub(crate) async fn watch_revocations(&self) {
        let clock = &*self.environment.clock;
        let Some(revocations) = self.tickets.revocations() else { return std::future::pending().await };
        loop {
            clock.wait_until(clock.now() + LOOK_EVERY_MS).await;
            if !self.open_connections.is_empty() {
                revocations.refresh(clock.now()).await;
                self.open_connections.judge(revocations, clock.now());
            }
        }
    }
}

/// Ends a connection before it has keys.
pub(crate) async fn refuse(mut carrier: impl Carrier, ended: CarrierError) {
    let CarrierError::Because(reason) = ended else { return };
    tracing::debug!(?reason, "a connection was refused");
    if carrier.send(&closing_message(reason)).await.is_ok() {
        Box::pin(carrier.close(reason)).await;
    }
}
