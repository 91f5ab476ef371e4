//! `/.well-known/402`: a host's price list for programs.

use crate::route::{Route, Table};
use crate::terms::{Bind, Bundle, Terms};
use domain::authority::Authority;
use wire::toll::{Bundle as Priced, Network, Piconero, PriceList, PricedRoute, REDEEM, VERSION};

const DAY_MS: i64 = 86_400_000;

/// Lists a host's paid routes in the order in which they are tried.
pub fn price_list(table: &Table, host: &Authority, network: Network) -> PriceList {
    let mut free = Vec::new();
    let mut routes = Vec::new();
    for route in table.iter().filter(|route| route.is_on(host)) {
        match &route.terms {
            Some(terms) => routes.push(priced(route, terms, host, &free)),
            // A free route that comes first takes the requests of the paid routes after it.
            None => free.push(route.path.to_string()),
        }
    }
    PriceList { v: VERSION, network, redeem: REDEEM.to_owned(), routes }
}

fn priced(route: &Route, terms: &Terms, host: &Authority, free: &[String]) -> PricedRoute {
    let bundles = terms.bundles.iter().enumerate();
    PricedRoute {
        name: route.name.clone(),
        host: (!route.hosts.is_empty()).then(|| host.to_string()),
        methods: route.methods.iter().map(ToString::to_string).collect(),
        path: route.path.to_string(),
        free: terms.allowance.map_or(0, |allowance| per_day(allowance.requests, allowance.window_ms)),
        free_paths: free.to_vec(),
        bound: terms.bind == Bind::Key,
        compat: terms.tpat0,
        bundles: bundles.map(|(at, bundle)| sold(at + 1, bundle, terms)).collect(),
    }
}

/// Numbers bundles as the 402 answer does.
fn sold(number: usize, bundle: &Bundle, terms: &Terms) -> Priced {
    Priced {
        name: number.to_string(),
        min_amt: Piconero(bundle.price),
        ttl_s: u64::try_from(bundle.ttl_ms / 1000).unwrap_or_default(),
        quota: bundle.quota.into(),
        conf: terms.need(bundle.price).into(),
    }
}

fn per_day(requests: u32, window_ms: i64) -> u64 {
    let days = i64::from(requests).saturating_mul(DAY_MS) / window_ms.max(1);
    u64::try_from(days).unwrap_or_default()
}
