//! `/healthz`, `/readyz` and `/metrics` of the paid gate.

use super::health::{TIMEOUT, alive};
use super::metrics;
use crate::clock::{Clock, SystemClock};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use domain::UnixMs;
use http::StatusCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use store::Store;
use toll::PaymentService;

/// The payment service and its store. If all routes are free, none exists, and the gate is always ready.
#[derive(Clone)]
pub struct GateState {
    pub payments: Arc<PaymentService>,
    pub store: Arc<dyn Store>,
}

impl fmt::Debug for GateState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GateState(..)")
    }
}

/// The readiness of the gate, with the failing part for people.
#[derive(Debug, Serialize)]
struct Ready {
    status: &'static str,
    store: &'static str,
    chain: &'static str,
    verifier: &'static str,
}

pub fn router(payments: Option<GateState>) -> Router {
    let started = SystemClock.now();
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready).with_state(payments.clone()))
        .route("/metrics", get(metrics::text).with_state(registry(payments, started)))
}

/// Answers whether new payments can be taken. Requests that were paid for are served in any case.
async fn ready(State(payments): State<Option<GateState>>) -> (StatusCode, Json<Ready>) {
    let Some(GateState { payments, store }) = payments else {
        return (
            StatusCode::OK,
            Json(Ready { status: "ready", store: "not needed", chain: "not needed", verifier: "not needed" }),
        );
    };
    let answers = matches!(tokio::time::timeout(TIMEOUT, store.ping()).await, Ok(Ok(())));
    let away = payments.is_away();
    let code = if answers && !away { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let ready = Ready {
        status: if answers && !away { "ready" } else { "not ready" },
        store: if answers { "answers" } else { "does not answer" },
        chain: if payments.chain_is_away() { "away" } else { "seen" },
        verifier: if payments.verifier_is_away() { "does not answer" } else { "answers" },
    };
    (code, Json(ready))
}

fn registry(payments: Option<GateState>, started: UnixMs) -> Arc<Registry> {
    let mut all = Registry::default();
    let ours = all.sub_registry_with_prefix("postern");
    ours.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    all.register_collector(Box::new(Now { payments, started }));
    Arc::new(all)
}

/// The metrics that are read on request.
struct Now {
    payments: Option<GateState>,
    started: UnixMs,
}

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Now(..)")
    }
}

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauges =
            vec![("process_start_time_seconds", "When this process started", self.started.to_seconds().as_seconds())];
        if let Some(GateState { payments, .. }) = &self.payments {
            let away = i64::from(payments.chain_is_away());
            gauges.push((
                "postern_gate_chain_away",
                "1 while no payment can be found and nobody is asked for one",
                away,
            ));
            gauges.push((
                "postern_gate_verifier_away",
                "1 while the wallet that verifies payments does not answer",
                i64::from(payments.verifier_is_away()),
            ));
            if let Some((seen_at, height)) = payments.chain_seen() {
                let age = SystemClock.now().since(seen_at).div_euclid(1000);
                gauges.push(("postern_gate_chain_height", "Blocks of the chain when it was seen last", height));
                gauges.push(("postern_gate_chain_age_seconds", "Since the chain was seen last", age));
            }
        }
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
