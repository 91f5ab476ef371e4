//! `/metrics`: counters in the `OpenMetrics` text format for Prometheus.
//!
//! Labels have fixed values, never a client's text.

use crate::metrics::PANICS;
use crate::state::AppState;
use axum::extract::State;
use http::{StatusCode, header};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Builds the registry with all metrics.
pub fn registry(state: &AppState) -> Arc<Registry> {
    let mut all = Registry::default();
    let ours = all.sub_registry_with_prefix("postern");
    ours.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    state.metrics.register(ours);
    ours.register("app_cache_hits", "Checks for apps that signed nothing", state.identity_headers.cache().hits.clone());
    ours.register(
        "app_cache_misses",
        "Checks for apps that signed a token",
        state.identity_headers.cache().misses.clone(),
    );
    ours.register("hash_seconds", "How long one password took to hash", state.passwords.seconds());
    ours.register("hashes", "Password hashes computed, by the parameters of argon2id", state.passwords.hashes());
    ours.register("token_cache_hits", "Access tokens whose signature was known", state.tokens.cache().hits.clone());
    ours.register(
        "token_cache_misses",
        "Access tokens whose signature was checked",
        state.tokens.cache().misses.clone(),
    );
    let recent = state.recent_tokens.cache();
    ours.register("client_token_cache_hits", "Tokens of clients whose grant was in memory", recent.hits.clone());
    ours.register("client_token_cache_misses", "Tokens of clients whose grant was read", recent.misses.clone());
    ours.register("session_cache_hits", "Sessions found in memory", state.sessions.cache().hits.clone());
    ours.register("session_cache_misses", "Sessions asked of the store", state.sessions.cache().misses.clone());
    all.register_collector(Box::new(Now(state.clone())));
    Arc::new(all)
}

pub async fn text(
    State(registry): State<Arc<Registry>>,
) -> Result<([(header::HeaderName, &'static str); 1], String), StatusCode> {
    let mut body = String::new();
    // Writing to a string cannot fail, and labels are fixed words.
    text::encode(&mut body, &registry).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], body))
}

/// Metrics that are read on request.
#[derive(Debug)]
struct Now(AppState);

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let state = &self.0;
        let (queue, connections) = (state.passwords.load(), state.store.connections());
        let age = state.sync.age(state.now());
        let gauges = [
            (
                "process_start_time_seconds",
                "When this process started",
                state.metrics.started().to_seconds().as_seconds(),
            ),
            ("postern_bans_held", "Addresses that are closed now", number(state.defence.bans.len())),
            ("postern_hash_places", "Sign-ins that there is room for, hashing or waiting", number(queue.places)),
            ("postern_hash_places_taken", "Sign-ins that hash or wait", number(queue.taken)),
            ("postern_hash_threads", "Sign-ins that can hash at once", number(queue.threads)),
            (
                "postern_database_connections",
                "Connections for reading, and on PostgreSQL for writing",
                connections.open.into(),
            ),
            ("postern_database_connections_idle", "Those of them that do nothing", connections.idle.into()),
            (
                "postern_clock_ahead_milliseconds",
                "How far this clock is ahead of the database's",
                state.sync.clock_ahead(),
            ),
            ("postern_sync_age_seconds", "Since the store was last heard of changes", age.div_euclid(1000)),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let panics = ConstCounter::new(PANICS.load(Ordering::Relaxed));
        let help = "Requests and jobs that ended in a panic: a bug, worth a report";
        panics.encode(encoder.encode_descriptor("postern_panics", help, None, panics.metric_type())?)
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
