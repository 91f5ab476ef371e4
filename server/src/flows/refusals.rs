//! Counts of recent refusals.

use domain::UnixMs;
use domain::ban::Trigger;
use store::Store;
use store::refusals::HOUR_MS;
use wire::refusals::{ByTrigger, RefusalCounts};

const HOURS: usize = 24;

/// Returns the last 24 hours, including the current one, for every trigger that refuses.
///
/// # Errors
/// The store fails.
pub async fn hours(store: &dyn Store, now: UnixMs) -> store::Result<RefusalCounts> {
    let since = now - now.as_millis().rem_euclid(HOUR_MS) - (HOUR_MS * 23);
    let rows = store.refused(since).await?;
    let of = |trigger: &Trigger| {
        let mut hours = vec![0; HOURS];
        for row in rows.iter().filter(|row| row.trigger == *trigger) {
            let place = usize::try_from((row.hour - since) / HOUR_MS).ok();
            if let Some(hour) = place.and_then(|place| hours.get_mut(place)) {
                *hour += row.count;
            }
        }
        ByTrigger { trigger: trigger.to_string(), total: hours.iter().sum(), hours }
    };
    // A spray consists of wrong credentials, and a manual ban refuses nothing itself.
    let refused = Trigger::ALL.iter().filter(|trigger| !matches!(trigger, Trigger::Spray | Trigger::Manual));
    Ok(RefusalCounts { since: since.as_millis(), triggers: refused.map(of).collect() })
}
