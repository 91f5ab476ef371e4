//! The routes in order; the first match applies.

use super::{Mismatch, PathPattern, RequestPath, Route};
use crate::upstream::{ForwardSettings, Upstream, UpstreamAddress};
use domain::authority::Authority;
use http::Method;
use std::collections::HashMap;
use std::sync::Arc;
use tpat::challenge::RouteId;

#[derive(Debug, Default)]
pub struct RouteTable {
    routes: Vec<Arc<Route>>,
    by_id: HashMap<RouteId, Arc<Route>>,
    /// Whether a route names origins.
    pub(crate) has_origins: bool,
}

impl RouteTable {
    pub fn new(routes: Vec<Route>) -> Self {
        let routes: Vec<_> = routes.into_iter().map(Arc::new).collect();
        let by_id = routes.iter().map(|route| (RouteId::of(&route.name), Arc::clone(route))).collect();
        let has_origins = routes.iter().any(|route| !route.cors.is_empty());
        Self { routes, by_id, has_origins }
    }

    /// Returns the route for a request's method, host and path: the first match for each reading of the path, with and
    /// without regard to case, and of those the most expensive. `None`: a reading has no route, so the request must not
    /// pass.
    pub fn find(&self, method: &Method, host: &Authority, path: &RequestPath) -> Option<&Arc<Route>> {
        let mut found = Vec::new();
        for reading in path.readings() {
            found.push(self.first(method, host, |pattern| pattern.matches(reading))?);
            found.extend(self.first(method, host, |pattern| pattern.matches_folded(reading)));
        }
        found.into_iter().max_by(|one, other| one.compare_price(other))
    }

    fn first(&self, method: &Method, host: &Authority, fits: impl Fn(&PathPattern) -> bool) -> Option<&Arc<Route>> {
        self.routes.iter().find(|route| route.mismatch_by(method, host, || fits(&route.path)).is_none())
    }

    /// Returns every route in order, with the reason why it does not match; `None`: it matches.
    pub fn explain<'a>(
        &'a self,
        method: &'a Method,
        host: &'a Authority,
        path: &'a RequestPath,
    ) -> impl Iterator<Item = (&'a Route, Option<Mismatch>)> {
        self.routes.iter().map(move |route| (&**route, route.mismatch(method, host, path)))
    }

    /// Returns the route of a challenge or token.
    pub fn by_id(&self, id: RouteId) -> Option<&Arc<Route>> {
        self.by_id.get(&id)
    }

    pub fn named(&self, name: &str) -> Option<&Arc<Route>> {
        self.routes.iter().find(|route| route.name == name)
    }

    /// Returns the existing upstream of this address, so that its connections and health survive reading the routes
    /// again.
    pub fn upstream(&self, address: &UpstreamAddress, forward: &ForwardSettings) -> Option<&Arc<Upstream>> {
        let mut all = self.routes.iter().map(|route| &route.upstream);
        all.find(|upstream| upstream.address == *address && upstream.forward == *forward)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.iter()
    }
}
