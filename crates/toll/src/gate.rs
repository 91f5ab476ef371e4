//! Handles one request, from the socket to its answer.

use crate::answer::json;
use crate::booth::Booth;
use crate::caching;
use crate::caller::Caller;
use crate::checkout::{self, Pass};
use crate::cors::{Preflight, Verdict};
use crate::discovery::price_list;
use crate::headers::{self, Told};
use crate::page::{self, ANEW, PAID, STILL};
use crate::paid;
use crate::plausible;
use crate::refusal::Refusal;
use crate::route::{Path, Route, Table};
use crate::surroundings::Surroundings;
use axum::body::Body;
use domain::authority::Authority;
use domain::identity::Identity;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use parking_lot::RwLock;
use std::net::IpAddr;
use std::sync::Arc;
use wire::toll::{PRICES, REDEEM};

#[derive(Debug, Clone)]
pub struct Config {
    /// Whether clients use https, either here or at a proxy in front.
    pub https: bool,
    /// Number of leading bits that identify an IPv6 client.
    pub ipv6_prefix: u8,
}

#[derive(Debug)]
pub struct Gate {
    config: Config,
    table: RwLock<Arc<Table>>,
    surroundings: Surroundings,
    /// `None`: paid routes are closed.
    booth: Option<Arc<Booth>>,
}

/// A classified request.
struct Asked {
    route: Arc<Route>,
    host: String,
    client: IpAddr,
}

impl Gate {
    pub fn new(config: Config, table: Table, surroundings: Surroundings, booth: Option<Arc<Booth>>) -> Self {
        Self { config, table: RwLock::new(Arc::new(table)), surroundings, booth }
    }

    /// Replaces routes and prices; running requests keep the old ones.
    pub fn replace(&self, table: Table) {
        *self.table.write() = Arc::new(table);
    }

    pub fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read())
    }

    /// Answers one request from this peer.
    pub async fn answer(&self, peer: IpAddr, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let host = match plausible::host(&parts, self.config.https) {
            Ok(host) => host,
            Err(refusal) => return refusal.answer(),
        };
        if let Some(preflight) = Preflight::of(&parts)
            && let Some(verdict) = self.verdict(&preflight.method, &host, &parts)
            && verdict.origin.is_some()
        {
            return preflight.answer(&verdict, &parts.headers);
        }
        let verdict = self.verdict(&parts.method, &host, &parts);
        let mut response = self.answer_at(peer, host, parts, body).await.unwrap_or_else(|refused| refused);
        if let Some(verdict) = verdict
            && response.status() != StatusCode::SWITCHING_PROTOCOLS
        {
            verdict.write(response.headers_mut());
        }
        response
    }

    async fn answer_at(
        &self,
        peer: IpAddr,
        host: Authority,
        parts: Parts,
        body: Body,
    ) -> Result<Response<Body>, Response<Body>> {
        match parts.uri.path() {
            REDEEM | PAID => self.shown(peer, &host, &parts, body).await,
            STILL if parts.method == Method::GET => self.still(peer, host, &parts).await,
            ANEW if parts.method == Method::POST => self.anew(peer, host, &parts, body).await,
            PRICES => Ok(self.prices(&host)),
            _ => self.forward(peer, host, parts, body).await,
        }
    }

    /// Whose pages may read the answer to a request of this method. Paths of programs' own are for every origin that a
    /// route of the host names; pages of people are for none.
    fn verdict(&self, method: &Method, host: &Authority, parts: &Parts) -> Option<Verdict> {
        let table = self.table();
        if !table.has_origins {
            return None;
        }
        match parts.uri.path() {
            REDEEM | PRICES => {
                let routes = table.iter().filter(|route| route.is_on(host));
                Verdict::of(routes.flat_map(|route| &route.cors), &parts.headers)
            }
            PAID | STILL | ANEW => None,
            path => Verdict::of(&self.route(method, host, path).ok()?.cors, &parts.headers),
        }
    }

    /// Handles a payment that a program presents or a person pastes.
    async fn shown(
        &self,
        peer: IpAddr,
        host: &Authority,
        parts: &Parts,
        body: Body,
    ) -> Result<Response<Body>, Response<Body>> {
        let booth = self.booth().map_err(Refusal::answer)?;
        let (client, host) = (self.client(peer, parts).map_err(Refusal::answer)?, host.to_string());
        let caller = self.caller(client, &host, parts);
        Ok(match parts.uri.path() {
            PAID => paid::paid(booth, &self.table(), &caller, body).await,
            _ => checkout::redeem(booth, &self.table(), &caller, body).await,
        })
    }

    /// Returns the non-refreshing page for the path in `back`.
    async fn still(&self, peer: IpAddr, host: Authority, parts: &Parts) -> Result<Response<Body>, Response<Body>> {
        let booth = self.booth().map_err(Refusal::answer)?;
        let back = page::back(parts.uri.query().unwrap_or_default().as_bytes());
        let asked = self.leads_to(peer, host, parts, &back).map_err(Refusal::answer)?;
        let caller = Caller { target: &back, ..self.caller(asked.client, &asked.host, parts) };
        Ok(paid::still(booth, &self.table(), &asked.route, &caller).await)
    }

    async fn anew(
        &self,
        peer: IpAddr,
        host: Authority,
        parts: &Parts,
        body: Body,
    ) -> Result<Response<Body>, Response<Body>> {
        let booth = self.booth().map_err(Refusal::answer)?;
        let unreadable = || Refusal::bad_request("This is not the form of the page.").answer();
        let back = paid::back(body).await.ok_or_else(unreadable)?;
        let asked = self.leads_to(peer, host, parts, &back).map_err(Refusal::answer)?;
        let caller = Caller { target: &back, ..self.caller(asked.client, &asked.host, parts) };
        Ok(paid::anew(booth, &self.table(), &asked.route, &caller).await)
    }

    /// Returns the payment service. Without one, its paths do not exist.
    fn booth(&self) -> Result<&Booth, Refusal> {
        self.booth.as_deref().ok_or_else(Refusal::no_route)
    }

    fn prices(&self, host: &Authority) -> Response<Body> {
        let Some(booth) = &self.booth else { return Refusal::no_route().answer() };
        json(StatusCode::OK, "application/json", &price_list(&self.table(), host, booth.network()))
    }

    async fn forward(
        &self,
        peer: IpAddr,
        host: Authority,
        parts: Parts,
        body: Body,
    ) -> Result<Response<Body>, Response<Body>> {
        let asked = self.find(peer, host, &parts).map_err(Refusal::answer)?;
        let mut response = self.through(&asked, parts, body).await.unwrap_or_else(|refused| refused);
        if asked.route.terms.is_some() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            caching::restrict(response.headers_mut());
        }
        Ok(response)
    }

    /// Forwards a request through the gate, or returns the gate's own answer.
    async fn through(&self, asked: &Asked, parts: Parts, body: Body) -> Result<Response<Body>, Response<Body>> {
        let mut pass = self.pay(asked, &parts).await?;
        let mut request = Request::from_parts(parts, body);
        pass.tie(&mut request);
        let response = self.send(asked, request).await;
        let lease_ms = asked.route.terms.as_ref().map_or(i64::MAX, |terms| terms.lease_ms);
        Ok(pass.settle(response, lease_ms, &self.surroundings))
    }

    fn find(&self, peer: IpAddr, host: Authority, parts: &Parts) -> Result<Asked, Refusal> {
        let route = self.route(&parts.method, &host, parts.uri.path())?;
        Ok(Asked { route, host: host.to_string(), client: self.client(peer, parts)? })
    }

    /// Classifies a request for one of the gate's pages by the route in `back`.
    fn leads_to(&self, peer: IpAddr, host: Authority, parts: &Parts, back: &str) -> Result<Asked, Refusal> {
        let path = back.split(['?', '#']).next().unwrap_or_default();
        let route = self.route(&Method::GET, &host, path)?;
        Ok(Asked { route, host: host.to_string(), client: self.client(peer, parts)? })
    }

    fn route(&self, method: &Method, host: &Authority, path: &str) -> Result<Arc<Route>, Refusal> {
        let path = Path::read(path).map_err(|_| Refusal::bad_request("The path is not clear."))?;
        self.table().find(method, host, &path).cloned().ok_or_else(Refusal::no_route)
    }

    /// Admits the request to its route, or returns the answer that asks for payment.
    async fn pay(&self, asked: &Asked, parts: &Parts) -> Result<Pass, Response<Body>> {
        let Some(terms) = &asked.route.terms else { return Ok(Pass::free()) };
        let booth = self.booth.as_ref().ok_or_else(|| Refusal::closed().answer())?;
        let caller = self.caller(asked.client, &asked.host, parts);
        checkout::pass(booth, &self.table(), &asked.route, terms, &caller).await
    }

    async fn send(&self, asked: &Asked, mut request: Request<Body>) -> Response<Body> {
        let told = Told { client: asked.client, host: &asked.host, https: self.config.https };
        headers::rewrite(request.headers_mut(), told, &asked.route.inject);
        asked.route.upstream.send(request, || (self.surroundings.now)()).await
    }

    /// # Errors
    /// A trusted proxy names a client that is no address: nobody else may be counted in its place.
    fn client(&self, peer: IpAddr, parts: &Parts) -> Result<IpAddr, Refusal> {
        let told = (self.surroundings.client)(peer, &parts.headers);
        told.map_err(|_| Refusal::bad_request("The proxy in front names a client that is no address."))
    }

    fn caller<'a>(&self, client: IpAddr, host: &'a str, parts: &'a Parts) -> Caller<'a> {
        let scheme = if self.config.https { "https" } else { "http" };
        Caller {
            client: Identity::of(client, self.config.ipv6_prefix),
            method: &parts.method,
            host,
            target: parts.uri.path_and_query().map_or("/", |target| target.as_str()),
            url: format!("{scheme}://{host}{}", parts.uri.path()),
            headers: &parts.headers,
            now: (self.surroundings.now)(),
        }
    }
}
