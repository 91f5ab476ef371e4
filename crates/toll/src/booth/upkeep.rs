//! What runs beside the requests.

use super::Booth;
use super::watch::Error;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// What was used, and how often a price was asked for, is written down so often.
const WRITE_EVERY: Duration = Duration::from_secs(1);
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// Gates that were not heard for so long are gone.
const SILENT_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

impl Booth {
    /// Runs until `stop` says so, and writes down what is left to write.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        tokio::join!(self.keep_writing(stop.clone()), self.keep_looking(stop));
        self.write_down().await;
    }

    async fn keep_writing(&self, mut stop: watch::Receiver<bool>) {
        let (mut tick, mut sweep) = (interval(WRITE_EVERY), interval(SWEEP_EVERY));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = told(&mut stop) => return,
                _ = tick.tick() => self.write_down().await,
                _ = sweep.tick() => self.sweep().await,
            }
        }
    }

    async fn keep_looking(&self, mut stop: watch::Receiver<bool>) {
        let mut tick = interval(self.settings.look_every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut could = true;
        loop {
            tokio::select! {
                () = told(&mut stop) => return,
                _ = tick.tick() => {}
            }
            let looked = tokio::select! {
                () = told(&mut stop) => return,
                looked = self.look_around() => looked,
            };
            // Said once, not with every look.
            match &looked {
                Err(error) if could => tracing::warn!(cause = %error, "the chain cannot be watched"),
                Ok(()) if !could => tracing::info!("the chain is watched again"),
                _ => {}
            }
            could = looked.is_ok();
        }
    }

    /// Where young payments are, and whether there are new ones at lent addresses.
    async fn look_around(&self) -> Result<(), Error> {
        self.look_at_chain().await?;
        self.follow().await
    }

    /// Deletes what is of no use any more.
    async fn sweep(&self) {
        let now = (self.surroundings.now)();
        if let Err(error) = self.store.sweep_gates(now, now.saturating_sub(SILENT_MS)).await {
            tracing::warn!(cause = %error, "old rows were not deleted");
        }
    }

    /// Writes down what was used and asked for.
    pub async fn write_down(&self) {
        let challenges = std::mem::take(&mut *self.challenges.lock());
        let day = (self.surroundings.now)() / DAY_MS;
        for (route, count) in challenges {
            if let Err(error) = self.store.count_challenges(day, &route, count).await {
                tracing::error!(cause = %error, "challenges were not counted");
            }
        }
        if let Err(error) = self.ledger.write_down().await {
            tracing::error!(cause = %error, "what was used is not written down yet");
        }
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone: that says it too.
    drop(stop.wait_for(|stop| *stop).await);
}
