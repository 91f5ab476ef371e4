//! The signals and the log of a program that runs until it is ended.

use super::log_format::{JsonLine, TextFields};
use super::{Failure, Outcome};
use crate::config::{LogFormat, LogSettings};
use crate::metrics::PANICS;
use net::LogRate;
use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::DefaultFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Signals that tell a program to end.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Installs the handlers. A signal that arrives earlier ends the program at once, so call this before anything says
    /// that the program listens.
    ///
    /// # Errors
    /// The system does not allow it.
    pub(super) fn install() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the first one.
    pub(super) async fn received(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Keeps the program running after SIGHUP, which otherwise ends it. Call this first: the signal may come at any time.
///
/// # Errors
/// The system does not allow it.
pub(super) fn survive_hangup() -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP changes nothing: settings are read at the start, new certificates without a signal");
        }
    });
    Ok(())
}

pub(super) fn start_log(log: &LogSettings) -> Outcome {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| format!("log.level: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // An error about an unwritable line (a full disk) would go to the same stream and end the request.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    // A client must not be able to fill the disk with log lines.
    let rate = LogRate::default();
    let started = match log.format {
        LogFormat::Text => {
            let builder = builder.with_target(false).fmt_fields(TextFields(DefaultFields::new()));
            builder.finish().with(rate.clone()).try_init()
        }
        LogFormat::Json => {
            let builder = builder.json().with_span_list(false).map_event_format(JsonLine);
            builder.finish().with(rate.clone()).try_init()
        }
    };
    started.map_err(|error| Failure::from(error.to_string()))?;
    rate.report()?;
    if std::env::var_os("RUST_LOG").is_some() {
        tracing::info!("RUST_LOG is not read: set log.level");
    }
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // The message may quote a secret; the location is enough to find the bug.
        tracing::error!(place, "panicked");
    }));
    Ok(())
}
