//! Counters of events. Labels have fixed values, never a client's text.

use domain::UnixMs;
use domain::ban::Trigger;
use http::Method;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::atomic::AtomicU64;
use wire::paths;
use wire::problem::Code;

/// Panics of this process, counted by its panic hook.
pub(crate) static PANICS: AtomicU64 = AtomicU64::new(0);

/// Metrics that are counted as events happen. The others are read on request.
#[derive(Debug, Clone)]
pub struct Metrics {
    logins: Family<ByOutcome, Counter>,
    refreshes: Family<ByOutcome, Counter>,
    refusals: Family<ByCode, Counter>,
    bans: Family<ByTrigger, Counter>,
    app_checks: Family<ByVerdict, Counter>,
    mails: Family<ByMailOutcome, Counter>,
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

/// The label of an outcome: `ok`, or the code of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Outcome(Option<Code>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByVerdict {
    verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByMailOutcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByTrigger {
    trigger: &'static str,
}

impl Metrics {
    /// Creates the counters. Every trigger is initialised, so that it is 0 instead of missing.
    pub fn new(now: UnixMs) -> Self {
        let bans = Family::default();
        for trigger in Trigger::ALL {
            drop(bans.get_or_create(&ByTrigger { trigger: trigger.as_str() }));
        }
        let (logins, refreshes) = <(Family<ByOutcome, Counter>, Family<_, _>)>::default();
        for family in [&logins, &refreshes] {
            drop(family.get_or_create(&ByOutcome { outcome: Outcome(None) }));
        }
        let mails = Family::default();
        for outcome in ["sent", "deferred", "given_up", "dropped"] {
            drop(mails.get_or_create(&ByMailOutcome { outcome }));
        }
        let app_checks = Family::default();
        Self { logins, refreshes, refusals: Family::default(), bans, app_checks, mails, started: now }
    }

    /// Counts one answer; `code` is its error code, if any.
    pub fn answered(&self, method: &Method, path: &str, code: Option<Code>) {
        let outcome = ByOutcome { outcome: Outcome(code) };
        match path {
            paths::LOGIN
            | paths::AUTHENTICATE
            | paths::SECOND_FACTOR
            | paths::PASSKEY_LOGIN
            | paths::TERMINAL_LOGIN
            | paths::SIGNUP
                if method == Method::POST =>
            {
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

    /// Counts one request to an app by its decision.
    pub fn checked(&self, verdict: &'static str) {
        self.app_checks.get_or_create(&ByVerdict { verdict }).inc();
    }

    /// Counts one attempt to send a message: `sent`, `deferred` or `given_up`; or one that
    /// was not made: `dropped`.
    pub fn mailed(&self, outcome: &'static str) {
        self.mails.get_or_create(&ByMailOutcome { outcome }).inc();
    }

    /// Counts messages whose time was over before an attempt succeeded.
    pub fn mails_given_up(&self, count: u64) {
        self.mails.get_or_create(&ByMailOutcome { outcome: "given_up" }).inc_by(count);
    }

    /// Counts a ban.
    pub fn banned(&self, trigger: Trigger) {
        self.bans.get_or_create(&ByTrigger { trigger: trigger.as_str() }).inc();
    }

    /// Adds the counters to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("logins", "Sign-ins by outcome", self.logins.clone());
        registry.register("refreshes", "Refreshes by outcome", self.refreshes.clone());
        registry.register(
            "refusals",
            "Refused requests by code, sign-ins and refreshes among them",
            self.refusals.clone(),
        );
        registry.register("bans", "Bans that this process made, by trigger", self.bans.clone());
        registry.register("mails", "Attempts to send a message, by outcome", self.mails.clone());
        registry.register("app_checks", "Requests to apps, by verdict", self.app_checks.clone());
    }

    /// Returns when this process started.
    pub fn started(&self) -> UnixMs {
        self.started
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let word = match self.0 {
            None => "ok".to_owned(),
            // The same text as in the answer.
            Some(code) => serde_json::to_value(code).map_err(|_| fmt::Error)?.as_str().unwrap_or_default().to_owned(),
        };
        EncodeLabelValue::encode(&word.as_str(), encoder)
    }
}
