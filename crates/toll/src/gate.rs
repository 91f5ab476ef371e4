//! One request, from the socket to its answer.

use crate::headers::{self, Told};
use crate::plausible;
use crate::refusal::Refusal;
use crate::route::{Path, Route, Table};
use crate::surroundings::Surroundings;
use axum::body::Body;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use parking_lot::RwLock;
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct Config {
    /// Whether clients come by https, here or at a proxy in front.
    pub https: bool,
}

#[derive(Debug)]
pub struct Gate {
    config: Config,
    table: RwLock<Arc<Table>>,
    surroundings: Surroundings,
}

/// What a request was found to be.
struct Asked {
    route: Arc<Route>,
    host: String,
    client: IpAddr,
}

impl Gate {
    pub fn new(config: Config, table: Table, surroundings: Surroundings) -> Self {
        Self { config, table: RwLock::new(Arc::new(table)), surroundings }
    }

    /// Other routes and prices from now on; requests that have begun keep theirs.
    pub fn replace(&self, table: Table) {
        *self.table.write() = Arc::new(table);
    }

    pub fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read())
    }

    /// Answers one request of this peer.
    pub async fn answer(&self, peer: IpAddr, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        match self.find(peer, &parts) {
            Ok(asked) => self.forward(&asked, Request::from_parts(parts, Body::new(body))).await,
            Err(refusal) => refusal.answer(),
        }
    }

    fn find(&self, peer: IpAddr, parts: &Parts) -> Result<Asked, Refusal> {
        let host = plausible::host(parts)?;
        let path = Path::read(parts.uri.path()).map_err(|_| Refusal::bad_request("The path is not clear."))?;
        let table = self.table();
        let route = table.find(&parts.method, &host, &path).ok_or_else(Refusal::no_route)?;
        let client = (self.surroundings.client)(peer, &parts.headers);
        Ok(Asked { route: Arc::clone(route), host, client })
    }

    async fn forward(&self, asked: &Asked, mut request: Request<Body>) -> Response<Body> {
        let told = Told { client: asked.client, host: &asked.host, https: self.config.https };
        headers::rewrite(request.headers_mut(), told, &asked.route.inject);
        let response = asked.route.upstream.send(request, || (self.surroundings.now)()).await;
        match response.status() {
            // Written by the proxy library, before anything was sent.
            StatusCode::PAYLOAD_TOO_LARGE if response.headers().is_empty() => Refusal::too_large().answer(),
            _ => response,
        }
    }
}
