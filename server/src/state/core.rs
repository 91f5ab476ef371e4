//! The part that nearly every request needs.

use crate::clock::Clock;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::oauth::clients::Clients;
use crate::outbound::Outbound;
use domain::UnixMs;
use domain::following::Moment;
use std::sync::Arc;
use store::Store;

/// The settings with the registered clients, and the ways to the outside: clock, randomness, store, requests to other
/// servers, and counters.
pub struct CoreState {
    pub config: Config,
    pub clients: Clients,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub store: Arc<dyn Store>,
    pub outbound: Arc<Outbound>,
    pub metrics: Metrics,
}

impl CoreState {
    pub(super) fn new(
        config: Config,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Arc<Self> {
        Arc::new(Self {
            clients: Clients::new(&config),
            outbound: Arc::new(Outbound::new(&config)),
            metrics: Metrics::new(clock.now()),
            config,
            clock,
            entropy,
            store,
        })
    }

    pub fn now(&self) -> UnixMs {
        self.clock.now()
    }

    /// Returns the time by which the age of knowledge of other nodes is measured.
    pub fn moment(&self) -> Moment {
        self.clock.moment()
    }

    /// Returns a new ULID.
    pub fn ulid(&self) -> String {
        self.entropy.ulid(self.now())
    }

    /// Says that this installation sends mail, if this node does. Another node may have other settings.
    ///
    /// # Errors
    /// The store fails.
    pub async fn renew_mail_limit(&self) -> store::Result<()> {
        match self.config.settings.mail.limit() {
            Some(per_hour) => self.store.renew_mail_limit(per_hour, self.now()).await,
            None => Ok(()),
        }
    }
}
