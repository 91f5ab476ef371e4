//! All routes in order: the first that takes a request has it.

use super::{Objection, Path, Route};
use crate::upstream::{Address, Forward, Upstream};
use domain::authority::Authority;
use http::Method;
use std::collections::HashMap;
use std::sync::Arc;
use tpat::challenge::RouteId;

#[derive(Debug, Default)]
pub struct Table {
    routes: Vec<Arc<Route>>,
    by_id: HashMap<RouteId, Arc<Route>>,
    /// Whether a route names origins.
    pub(crate) has_origins: bool,
}

impl Table {
    pub fn new(routes: Vec<Route>) -> Self {
        let routes: Vec<_> = routes.into_iter().map(Arc::new).collect();
        let by_id = routes.iter().map(|route| (RouteId::of(&route.name), Arc::clone(route))).collect();
        let has_origins = routes.iter().any(|route| !route.cors.is_empty());
        Self { routes, by_id, has_origins }
    }

    /// The route that has a request of this method, host and path: for each reading of the path the first one that
    /// takes it, and of those the dearest. `None`: a reading leads nowhere, and what it names is not for anybody.
    pub fn find(&self, method: &Method, host: &Authority, path: &Path) -> Option<&Arc<Route>> {
        let takes = |reading| self.routes.iter().find(|route| route.objection_to(method, host, reading).is_none());
        let found: Vec<_> = path.readings().iter().map(takes).collect::<Option<_>>()?;
        found.into_iter().max_by(|one, other| one.compare_price(other))
    }

    /// Every route, in order, and why it does not take the request; `None`: it would.
    pub fn explain<'a>(
        &'a self,
        method: &'a Method,
        host: &'a Authority,
        path: &'a Path,
    ) -> impl Iterator<Item = (&'a Route, Option<Objection>)> {
        self.routes.iter().map(move |route| (&**route, route.objection(method, host, path)))
    }

    /// The route that a challenge or a token names.
    pub fn by_id(&self, id: RouteId) -> Option<&Arc<Route>> {
        self.by_id.get(&id)
    }

    pub fn named(&self, name: &str) -> Option<&Arc<Route>> {
        self.routes.iter().find(|route| route.name == name)
    }

    /// The upstream of this address, if a route has it already: its connections and its health are kept when
    /// routes are read again.
    pub fn upstream(&self, address: &Address, forward: &Forward) -> Option<&Arc<Upstream>> {
        let mut all = self.routes.iter().map(|route| &route.upstream);
        all.find(|upstream| upstream.address == *address && upstream.forward == *forward)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.iter()
    }
}
