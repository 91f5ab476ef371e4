//! `/.well-known/402`: a host's price list for programs.

use crate::pricing::{Bundle, Pricing, TokenBinding};
use crate::route::{Route, RouteTable};
use domain::authority::Authority;
use wire::toll::{Network, Piconero, PriceList, PricedBundle, PricedRoute, REDEEM, VERSION};

const DAY_MS: i64 = 86_400_000;

/// Lists a host's paid routes in the order in which they are tried.
pub(crate) fn price_list(table: &RouteTable, host: &Authority, network: Network) -> PriceList {
    let mut free = Vec::new();
    let mut routes = Vec::new();
    for route in table.iter().filter(|route| route.is_on(host)) {
        match &route.pricing {
            Some(pricing) => routes.push(priced(route, pricing, host, &free)),
            // A free route that comes first takes requests from the paid routes after it.
            None => free.push(route.path.to_string()),
        }
    }
    PriceList { v: VERSION, network, redeem: REDEEM.to_owned(), routes }
}

fn priced(route: &Route, pricing: &Pricing, host: &Authority, free: &[String]) -> PricedRoute {
    let bundles = pricing.bundles.iter().enumerate();
    PricedRoute {
        name: route.name.clone(),
        host: (!route.hosts.is_empty()).then(|| host.to_string()),
        methods: route.methods.iter().map(ToString::to_string).collect(),
        path: route.path.to_string(),
        free: pricing.allowance.map_or(0, |allowance| per_day(allowance.requests, allowance.window_ms)),
        free_paths: free.to_vec(),
        bound: pricing.binding == TokenBinding::Key,
        compat: pricing.tpat0,
        bundles: bundles.map(|(at, bundle)| priced_bundle(at + 1, bundle, pricing)).collect(),
    }
}

/// Numbers bundles as the 402 answer does.
fn priced_bundle(number: usize, bundle: &Bundle, pricing: &Pricing) -> PricedBundle {
    PricedBundle {
        name: number.to_string(),
        min_amt: Piconero(bundle.price),
        ttl_s: u64::try_from(bundle.ttl_ms / 1000).unwrap_or_default(),
        quota: bundle.quota.into(),
        conf: pricing.need(bundle.price).into(),
    }
}

fn per_day(requests: u32, window_ms: i64) -> u64 {
    let days = i64::from(requests).saturating_mul(DAY_MS) / window_ms.max(1);
    u64::try_from(days).unwrap_or_default()
}
