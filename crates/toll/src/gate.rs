//! Handles one request, from the socket to its answer.

use crate::caching;
use crate::caller::Caller;
use crate::checkout::{self, Admission};
use crate::cors::{Preflight, Verdict};
use crate::discovery::price_list;
use crate::environment::Environment;
use crate::gate_problem::GateProblem;
use crate::headers::{self, ForwardedClient};
use crate::page::{self, FORM_PATH, NEW_OFFER_PATH, STATIC_PATH};
use crate::page_routes;
use crate::payments::PaymentService;
use crate::request_host;
use crate::response::json;
use crate::route::{RequestPath, Route, RouteTable};
use axum::body::Body;
use domain::authority::Authority;
use domain::client_key::ClientKey;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use parking_lot::RwLock;
use std::net::IpAddr;
use std::sync::Arc;
use wire::toll::{PRICES, REDEEM};

/// The methods that the answer to a refused one names (RFC 9110, section 15.5.6).
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

#[derive(Debug, Clone)]
pub struct GateConfig {
    /// Whether clients use https, either here or at a proxy in front.
    pub https: bool,
    /// Number of leading bits that identify an IPv6 client.
    pub ipv6_prefix: u8,
}

#[derive(Debug)]
pub struct Gate {
    config: GateConfig,
    table: RwLock<Arc<RouteTable>>,
    environment: Environment,
    /// `None`: paid routes are closed.
    payments: Option<Arc<PaymentService>>,
}

/// A classified request.
struct RoutedRequest {
    route: Arc<Route>,
    host: String,
    client: IpAddr,
}

impl Gate {
    pub fn new(
        config: GateConfig,
        table: RouteTable,
        environment: Environment,
        payments: Option<Arc<PaymentService>>,
    ) -> Self {
        Self { config, table: RwLock::new(Arc::new(table)), environment, payments }
    }

    /// Replaces routes and prices; running requests keep the old ones.
    pub fn replace(&self, table: RouteTable) {
        *self.table.write() = Arc::new(table);
    }

    pub fn table(&self) -> Arc<RouteTable> {
        Arc::clone(&self.table.read())
    }

    /// Answers one request from this peer, in the gate's own version of HTTP: an upstream's version says nothing about
    /// the connection to the client (RFC 9110, section 6.2). On a connection of another version, hyper writes that.
    pub async fn answer(&self, peer: IpAddr, request: Request<Body>) -> Response<Body> {
        let mut response = self.respond(peer, request).await;
        *response.version_mut() = Version::HTTP_11;
        response
    }

    async fn respond(&self, peer: IpAddr, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let host = match request_host::host(&parts, self.config.https) {
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
        // An upstream's answer would show the headers that the gate adds for it (RFC 9110, section 9.3.8).
        if parts.method == Method::TRACE {
            let mut refused = GateProblem::method_not_allowed().answer();
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static(METHODS));
            return Err(refused);
        }
        match parts.uri.path() {
            REDEEM | FORM_PATH => self.redeem(peer, &host, &parts, body).await,
            STATIC_PATH if parts.method == Method::GET => self.static_page(peer, host, &parts).await,
            NEW_OFFER_PATH if parts.method == Method::POST => self.new_offer(peer, host, &parts, body).await,
            PRICES => Ok(self.prices(&host)),
            _ => self.forward(peer, host, parts, body).await,
        }
    }

    /// Decides which origins may read the answer to a request of this method. The paths of programs are readable for
    /// every origin that a route of the host names. Pages for people are readable for none.
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
            FORM_PATH | STATIC_PATH | NEW_OFFER_PATH => None,
            path => Verdict::of(&self.route(method, host, path).ok()?.cors, &parts.headers),
        }
    }

    /// Handles a payment that a program presents or a person pastes.
    async fn redeem(
        &self,
        peer: IpAddr,
        host: &Authority,
        parts: &Parts,
        body: Body,
    ) -> Result<Response<Body>, Response<Body>> {
        let payments = self.payments().map_err(GateProblem::answer)?;
        let (client, host) = (self.client(peer, parts).map_err(GateProblem::answer)?, host.to_string());
        let caller = self.caller(client, &host, parts);
        Ok(match parts.uri.path() {
            FORM_PATH if caller.is_elsewhere() => GateProblem::cross_site().answer(),
            FORM_PATH => page_routes::redeem_form(payments, &self.table(), &caller, body).await,
            _ => checkout::redeem(payments, &self.table(), &caller, body).await,
        })
    }

    /// Returns the non-refreshing page for the path in `back`.
    async fn static_page(
        &self,
        peer: IpAddr,
        host: Authority,
        parts: &Parts,
    ) -> Result<Response<Body>, Response<Body>> {
        let payments = self.payments().map_err(GateProblem::answer)?;
        let back = page::back(parts.uri.query().unwrap_or_default().as_bytes());
        let routed = self.page_route(peer, host, parts, &back).map_err(GateProblem::answer)?;
        let caller = Caller { target: &back, ..self.caller(routed.client, &routed.host, parts) };
        Ok(page_routes::static_page(payments, &self.table(), &routed.route, &caller).await)
    }

    async fn new_offer(
        &self,
        peer: IpAddr,
        host: Authority,
        parts: &Parts,
        body: Body,
    ) -> Result<Response<Body>, Response<Body>> {
        let payments = self.payments().map_err(GateProblem::answer)?;
        let unreadable = || GateProblem::bad_request("The form cannot be read.").answer();
        let back = page_routes::back(body).await.ok_or_else(unreadable)?;
        let routed = self.page_route(peer, host, parts, &back).map_err(GateProblem::answer)?;
        let caller = Caller { target: &back, ..self.caller(routed.client, &routed.host, parts) };
        if caller.is_elsewhere() {
            return Err(GateProblem::cross_site().answer());
        }
        Ok(page_routes::new_offer(payments, &self.table(), &routed.route, &caller).await)
    }

    /// Returns the payment service. Without one, its paths do not exist.
    fn payments(&self) -> Result<&PaymentService, GateProblem> {
        self.payments.as_deref().ok_or_else(GateProblem::no_route)
    }

    fn prices(&self, host: &Authority) -> Response<Body> {
        let Some(payments) = &self.payments else { return GateProblem::no_route().answer() };
        json(StatusCode::OK, "application/json", &price_list(&self.table(), host, payments.network()))
    }

    async fn forward(
        &self,
        peer: IpAddr,
        host: Authority,
        parts: Parts,
        body: Body,
    ) -> Result<Response<Body>, Response<Body>> {
        let routed = self.find(peer, host, &parts).map_err(GateProblem::answer)?;
        let mut response = self.through(&routed, parts, body).await.unwrap_or_else(|refused| refused);
        if routed.route.pricing.is_some() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            caching::restrict(response.headers_mut());
        }
        Ok(response)
    }

    /// Forwards a request through the gate, or returns the gate's own answer.
    async fn through(
        &self,
        routed: &RoutedRequest,
        parts: Parts,
        body: Body,
    ) -> Result<Response<Body>, Response<Body>> {
        let mut pass = self.pay(routed, &parts).await?;
        let mut request = Request::from_parts(parts, body);
        pass.attach(&mut request);
        let response = self.send(routed, request).await;
        let lease_ms = routed.route.pricing.as_ref().map_or(i64::MAX, |pricing| pricing.lease_ms);
        Ok(pass.settle(response, lease_ms, &self.environment))
    }

    fn find(&self, peer: IpAddr, host: Authority, parts: &Parts) -> Result<RoutedRequest, GateProblem> {
        let route = self.route(&parts.method, &host, parts.uri.path())?;
        Ok(RoutedRequest { route, host: host.to_string(), client: self.client(peer, parts)? })
    }

    /// Classifies a request for one of the gate's pages by the route in `back`.
    fn page_route(
        &self,
        peer: IpAddr,
        host: Authority,
        parts: &Parts,
        back: &str,
    ) -> Result<RoutedRequest, GateProblem> {
        let path = back.split(['?', '#']).next().unwrap_or_default();
        let route = self.route(&Method::GET, &host, path)?;
        Ok(RoutedRequest { route, host: host.to_string(), client: self.client(peer, parts)? })
    }

    fn route(&self, method: &Method, host: &Authority, path: &str) -> Result<Arc<Route>, GateProblem> {
        let path = RequestPath::read(path).map_err(|_| GateProblem::bad_request("The path is not clear."))?;
        self.table().find(method, host, &path).cloned().ok_or_else(GateProblem::no_route)
    }

    /// Admits the request to its route, or returns the answer that asks for payment.
    async fn pay(&self, routed: &RoutedRequest, parts: &Parts) -> Result<Admission, Response<Body>> {
        let Some(pricing) = &routed.route.pricing else { return Ok(Admission::free()) };
        let payments = self.payments.as_ref().ok_or_else(|| GateProblem::closed().answer())?;
        let caller = self.caller(routed.client, &routed.host, parts);
        checkout::admit(payments, &self.table(), &routed.route, pricing, &caller).await
    }

    async fn send(&self, routed: &RoutedRequest, mut request: Request<Body>) -> Response<Body> {
        let forwarded = ForwardedClient { client: routed.client, host: &routed.host, https: self.config.https };
        headers::rewrite(request.headers_mut(), forwarded, &routed.route.inject);
        routed.route.upstream.send(request, || (self.environment.now)()).await
    }

    /// Returns the client's address.
    ///
    /// # Errors
    /// A trusted proxy names a client that is no address. No other client may be counted in its place.
    fn client(&self, peer: IpAddr, parts: &Parts) -> Result<IpAddr, GateProblem> {
        let forwarded = (self.environment.client)(peer, &parts.headers);
        forwarded.map_err(|_| GateProblem::bad_request("The proxy in front sent an invalid client address."))
    }

    fn caller<'a>(&self, client: IpAddr, host: &'a str, parts: &'a Parts) -> Caller<'a> {
        let scheme = if self.config.https { "https" } else { "http" };
        Caller {
            client: ClientKey::of(client, self.config.ipv6_prefix),
            method: &parts.method,
            host,
            target: parts.uri.path_and_query().map_or("/", |target| target.as_str()),
            url: format!("{scheme}://{host}{}", parts.uri.path()),
            headers: &parts.headers,
            now: (self.environment.now)(),
        }
    }
}
