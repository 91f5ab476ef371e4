//! Limits the rate of log lines of one kind, so that a client cannot fill a disk with them.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Maximum number of lines of one kind in a second.
const LINES: u32 = 20;

/// The name of an event whose lines are all written: `tracing::warn!(name: net::KEPT, ...)`. Only for events that other
/// programs read from the log, or that leave no other trace, and that a client cannot repeat without a cost.
pub const KEPT: &str = "kept";

/// Limits the lines of each call site and counts the rest. `DEBUG` and `TRACE` are not limited, because they were
/// requested, and neither are events named [`KEPT`].
#[derive(Clone)]
pub struct LogRate(Arc<Inner>);

struct Inner {
    began: Instant,
    kinds: Mutex<HashMap<Identifier, Kind>>,
}

struct Kind {
    about: &'static Metadata<'static>,
    second: u64,
    lines: u32,
    suppressed: u64,
}

impl Default for LogRate {
    fn default() -> Self {
        Self(Arc::new(Inner { began: Instant::now(), kinds: Mutex::default() }))
    }
}

impl LogRate {
    /// Writes each second how many lines were suppressed, from a separate thread.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn report(&self) -> std::io::Result<()> {
        let rate = self.clone();
        let report = move || {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                for (kind, lines) in rate.take_suppressed() {
                    tracing::warn!(lines, kind, "suppressed lines of one kind");
                }
            }
        };
        std::thread::Builder::new().name("log".to_owned()).spawn(report).map(drop)
    }

    fn take_suppressed(&self) -> Vec<(String, u64)> {
        let mut kinds = self.0.kinds.lock();
        let suppressed = kinds.values_mut().filter(|kind| kind.suppressed > 0);
        suppressed
            .map(|kind| {
                let permit = format!("{}:{}", kind.about.target(), kind.about.line().unwrap_or_default());
                (permit, std::mem::take(&mut kind.suppressed))
            })
            .collect()
    }

    fn admits(&self, about: &'static Metadata<'static>, second: u64) -> bool {
        let mut kinds = self.0.kinds.lock();
        let kind = kinds.entry(about.callsite()).or_insert_with(|| Kind { about, second, lines: 0, suppressed: 0 });
        if kind.second != second {
            (kind.second, kind.lines) = (second, 0);
        }
        kind.lines += 1;
        let admitted = kind.lines <= LINES;
        kind.suppressed += u64::from(!admitted);
        admitted
    }
}

impl<S: Subscriber> Layer<S> for LogRate {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let about = event.metadata();
        *about.level() > Level::INFO || about.name() == KEPT || self.admits(about, self.0.began.elapsed().as_secs())
    }
}

impl fmt::Debug for LogRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogRate(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tracing_subscriber::layer::SubscriberExt;

    struct Count(Arc<AtomicUsize>);

    impl<S: Subscriber> Layer<S> for Count {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn lines_of_one_kind_are_bounded_and_counted() {
        let (rate, seen) = (LogRate::default(), Arc::new(AtomicUsize::new(0)));
        let subscriber = tracing_subscriber::registry().with(Count(Arc::clone(&seen))).with(rate.clone());
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..10_000 {
                tracing::error!("the same");
            }
            let most = LINES as usize * (1 + usize::try_from(rate.0.began.elapsed().as_secs()).expect("short"));
            let lines = seen.swap(0, Ordering::Relaxed);
            assert!((LINES as usize..=most).contains(&lines), "{lines}");
            tracing::error!("another");
            assert_eq!(seen.swap(0, Ordering::Relaxed), 1, "another kind has its own bound");
            let suppressed: u64 = rate.take_suppressed().iter().map(|(_, lines)| lines).sum();
            assert_eq!(suppressed, 10_000 - lines as u64);
            assert!(rate.take_suppressed().is_empty());
            for _ in 0..100 {
                tracing::debug!("asked for");
            }
            assert_eq!(seen.swap(0, Ordering::Relaxed), 100);
            for identity in 0..100 {
                tracing::warn!(name: KEPT, identity, "banned");
            }
            assert_eq!(seen.load(Ordering::Relaxed), 100, "each is another event");
            assert!(rate.take_suppressed().is_empty());
        });
    }
}
