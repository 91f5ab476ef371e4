//! Background jobs of the gate.

use super::PaymentService;
use super::chain_state::Error;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// Interval of writing usage and the number of challenges to the store.
const WRITE_EVERY: Duration = Duration::from_secs(1);
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// Age of the last announcement after which a gate is deleted.
const SILENT_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

impl PaymentService {
    /// Runs until `stop` is set, then writes the remaining usage.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        tokio::join!(self.keep_writing(stop.clone()), self.keep_polling(stop));
        self.write_down().await;
    }

    async fn keep_writing(&self, mut stop: watch::Receiver<bool>) {
        let (mut tick, mut sweep) = (interval(WRITE_EVERY), interval(SWEEP_EVERY));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopped(&mut stop) => return,
                _ = tick.tick() => self.write_down().await,
                _ = sweep.tick() => self.sweep().await,
            }
        }
    }

    async fn keep_polling(&self, mut stop: watch::Receiver<bool>) {
        let mut tick = interval(self.settings.look_every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut could, mut could_verify) = (true, true);
        loop {
            tokio::select! {
                () = stopped(&mut stop) => return,
                _ = tick.tick() => {}
            }
            let checked = tokio::select! {
                () = stopped(&mut stop) => return,
                checked = self.check_verifier() => checked,
            };
            match &checked {
                Err(error) if could_verify => {
                    tracing::error!(cause = %error, "the verifier does not answer; nobody is asked to pay");
                }
                Ok(()) if !could_verify => tracing::info!("the verifier answers again"),
                _ => {}
            }
            could_verify = checked.is_ok();
            let looked = tokio::select! {
                () = stopped(&mut stop) => return,
                looked = self.poll_chain() => looked,
            };
            // Logged on a change, not at each check.
            match &looked {
                Err(error) if could => tracing::warn!(cause = %error, "watching the chain failed"),
                Ok(()) if !could => tracing::info!("watching the chain again"),
                _ => {}
            }
            could = looked.is_ok();
        }
    }

    /// Checks recent payments and assigned addresses.
    async fn poll_chain(&self) -> Result<(), Error> {
        self.look_at_chain().await?;
        self.follow().await
    }

    /// Deletes rows and forgets counters that are no longer of use.
    async fn sweep(&self) {
        let now = (self.environment.now)();
        self.assignments.sweep(now);
        self.presented.sweep(now);
        self.redemptions.sweep(now);
        self.proofs.sweep(now);
        self.used_up.retain(|_, until| now < *until);
        self.missing.retain(|_, until| now < *until);
        self.proven.retain(|_, (_, until)| now < *until);
        if let Err(error) = self.store.sweep_gates(now, now - SILENT_MS).await {
            tracing::warn!(cause = %error, "old rows were not deleted");
        }
    }

    /// Writes usage and the number of challenges to the store.
    pub async fn write_down(&self) {
        let challenges = std::mem::take(&mut *self.challenges.lock());
        let day = (self.environment.now)().as_millis() / DAY_MS;
        for (route, count) in challenges {
            if let Err(error) = self.store.count_challenges(day, &route, count).await {
                tracing::error!(cause = %error, "counting challenges failed");
            }
        }
        if let Err(error) = self.ledger.write_down().await {
            tracing::error!(cause = %error, "usage could not be stored yet");
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A dropped sender means stop, too.
    drop(stop.wait_for(|stop| *stop).await);
}
