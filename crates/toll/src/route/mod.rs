//! Routes: the requests that each takes, its upstream and its price.

mod path;
mod pattern;
mod table;

pub use path::{AmbiguousPath, PathReading, RequestPath};
pub use pattern::{InvalidPattern, PathPattern};
pub use table::RouteTable;

use crate::cors::Allowed;
use crate::pricing::Pricing;
use crate::upstream::Upstream;
use domain::authority::Authority;
use http::{HeaderName, HeaderValue, Method};
use std::cmp::Ordering;
use std::sync::Arc;

/// One entry of the routing table.
#[derive(Debug, Clone)]
pub struct Route {
    /// Unique; appears in challenges, lists and logs.
    pub name: String,
    /// Host names without port, as [`Authority::host`] has them; `*.example.com` is any name below. Empty: every host.
    pub hosts: Vec<String>,
    /// The methods of the route; empty: every method. A route for `GET` also matches `HEAD`.
    pub methods: Vec<Method>,
    pub path: PathPattern,
    /// The price; `None`: the route is free.
    pub pricing: Option<Pricing>,
    pub upstream: Arc<Upstream>,
    /// Headers added to each request, replacing the client's.
    pub inject: Vec<(HeaderName, HeaderValue)>,
    /// Origins whose pages may call it from a browser.
    pub cors: Vec<Allowed>,
}

impl Route {
    /// Returns the reason why the route does not match a request, in any reading of its path and regardless of case;
    /// `None`: it matches.
    pub(crate) fn mismatch(&self, method: &Method, host: &Authority, path: &RequestPath) -> Option<Mismatch> {
        let mut mismatch = Some(Mismatch::Path);
        for reading in path.readings() {
            mismatch = self.mismatch_by(method, host, || self.path.matches_folded(reading));
            if mismatch.is_none() {
                break;
            }
        }
        mismatch
    }

    /// Returns the same for one reading, whose path `is_below` compares with the pattern.
    fn mismatch_by(&self, method: &Method, host: &Authority, is_below: impl Fn() -> bool) -> Option<Mismatch> {
        if !self.is_on(host) {
            return Some(Mismatch::Host);
        }
        let as_get = *method == Method::HEAD && self.methods.contains(&Method::GET);
        if !self.methods.is_empty() && !as_get && !self.methods.contains(method) {
            return Some(Mismatch::Method);
        }
        (!is_below()).then_some(Mismatch::Path)
    }

    /// Whether it is a route of this host.
    pub(crate) fn is_on(&self, host: &Authority) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|own| is_host(own, host.host()))
    }

    /// Compares the price of one request, by the first bundle.
    fn compare_price(&self, other: &Self) -> Ordering {
        let first = |route: &Self| route.pricing.as_ref().and_then(|pricing| pricing.bundles.first()).cloned();
        match (first(self), first(other)) {
            (Some(own), Some(other)) => {
                let (own_price, other_price) = (u128::from(own.price), u128::from(other.price));
                (own_price * u128::from(other.quota)).cmp(&(other_price * u128::from(own.quota)))
            }
            (own, other) => own.is_some().cmp(&other.is_some()),
        }
    }
}

/// The part of a request that does not match a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    Host,
    Method,
    Path,
}

impl Mismatch {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "another host",
            Self::Method => "another method",
            Self::Path => "another path",
        }
    }
}

/// Compares a host name with a pattern. Both are in the form of [`Authority::host`].
fn is_host(own: &str, name: &str) -> bool {
    match own.strip_prefix('*') {
        Some(below) => name.len() > below.len() && name.ends_with(below),
        None => name == own,
    }
}
