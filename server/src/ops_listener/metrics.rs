//! `/metrics`: counters in the `OpenMetrics` text format for Prometheus.
//!
//! Labels have fixed values, never a client's text.

use crate::flows::verify::ForwardAuthVerdict;
use crate::state::AppState;
use axum::extract::State;
use domain::UnixMs;
use domain::ban::Trigger;
use http::{Method, StatusCode, header};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder, text,
};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wire::paths;
use wire::problem::Code;

/// Panics of this process, counted by its panic hook.
pub static PANICS: AtomicU64 = AtomicU64::new(0);

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Metrics that are counted as events happen. The others are read on request.
#[derive(Debug, Clone)]
pub struct Metrics {
    logins: Family<ByOutcome, Counter>,
    refreshes: Family<ByOutcome, Counter>,
    refusals: Family<ByCode, Counter>,
    bans: Family<ByTrigger, Counter>,
    app_checks: Family<ByVerdict, Counter>,
    started: UnixMs,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCode {
    code: Outcome,
}

/// `ok`, or the code of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Outcome(Option<Code>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByVerdict {
    verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByTrigger {
    trigger: &'static str,
}

impl Metrics {
    /// Initialises every trigger, so that it is 0 instead of missing.
    pub fn new(now: UnixMs) -> Self {
        let bans = Family::default();
        for trigger in Trigger::ALL {
            drop(bans.get_or_create(&ByTrigger { trigger: trigger.as_str() }));
        }
        let (logins, refreshes) = <(Family<ByOutcome, Counter>, Family<_, _>)>::default();
        for family in [&logins, &refreshes] {
            drop(family.get_or_create(&ByOutcome { outcome: Outcome(None) }));
        }
        let app_checks = Family::default();
        Self { logins, refreshes, refusals: Family::default(), bans, app_checks, started: now }
    }

    /// Counts one answer; `code` is its error code, if any.
    pub fn answered(&self, method: &Method, path: &str, code: Option<Code>) {
        let outcome = ByOutcome { outcome: Outcome(code) };
        match path {
            paths::LOGIN | paths::AUTHENTICATE if method == Method::POST => {
                self.logins.get_or_create(&outcome).inc();
            }
            paths::REFRESH if method == Method::POST => {
                self.refreshes.get_or_create(&outcome).inc();
            }
            _ => {}
        }
        if code.is_some() {
            self.refusals.get_or_create(&ByCode { code: Outcome(code) }).inc();
        }
    }

    /// Counts one request to an app.
    pub fn checked(&self, verdict: &ForwardAuthVerdict) {
        let verdict = match verdict {
            ForwardAuthVerdict::Pass { identity: Some(_), .. } => "pass",
            ForwardAuthVerdict::Pass { identity: None, .. } => "public",
            ForwardAuthVerdict::SignIn => "sign_in",
            ForwardAuthVerdict::Denied => "denied",
        };
        self.app_checks.get_or_create(&ByVerdict { verdict }).inc();
    }

    pub fn banned(&self, trigger: Trigger) {
        self.bans.get_or_create(&ByTrigger { trigger: trigger.as_str() }).inc();
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let word = match self.0 {
            None => "ok".to_owned(),
            // As in the answer.
            Some(code) => serde_json::to_value(code).map_err(|_| fmt::Error)?.as_str().unwrap_or_default().to_owned(),
        };
        EncodeLabelValue::encode(&word.as_str(), encoder)
    }
}

/// Builds the registry with all metrics.
pub fn registry(state: &AppState) -> Arc<Registry> {
    let metrics = &state.metrics;
    let mut all = Registry::default();
    let ours = all.sub_registry_with_prefix("postern");
    ours.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    ours.register("logins", "Sign-ins by outcome", metrics.logins.clone());
    ours.register("refreshes", "Refreshes by outcome", metrics.refreshes.clone());
    ours.register("refusals", "Refused requests by code, sign-ins and refreshes among them", metrics.refusals.clone());
    ours.register("bans", "Bans that this process made, by trigger", metrics.bans.clone());
    ours.register("app_checks", "Requests to apps, by what became of them", metrics.app_checks.clone());
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

/// Hits and misses of a cache.
#[derive(Debug, Clone, Default)]
pub struct CacheCounts {
    pub hits: Counter,
    pub misses: Counter,
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
            ("process_start_time_seconds", "When this process started", state.metrics.started.div_euclid(1000)),
            ("postern_bans_held", "Addresses that are closed now", number(state.bans.len())),
            ("postern_hash_places", "Sign-ins that there is room for, hashing or waiting", number(queue.places)),
            ("postern_hash_places_taken", "Sign-ins that hash or wait", number(queue.taken)),
            ("postern_hash_threads", "Sign-ins that can hash at once", number(queue.threads)),
            (
                "postern_database_connections",
                "Connections for reading, and on PostgreSQL for writing",
                connections.open.into(),
            ),
            ("postern_database_connections_idle", "Those of them that do nothing", connections.idle.into()),
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
