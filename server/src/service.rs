//! The middleware chain of every request: request id and log, client address and ban check, per-route checks, handler,
//! security headers.
//!
//! It is one future instead of a layer for each step, because a layer clones the inner service for every request.

use crate::guards::forwarded_request::is_page;
use crate::guards::route_guards::{self, RouteGuard};
use crate::guards::{client, headers::ResponseHeaders, log, own_bucket};
use crate::http::oauth_answer::{self, OAuthErrorResponse};
use crate::http::{ApiError, app_page, assets, not_found};
use crate::routes::Routes;
use crate::state::AppState;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{BoxError, Service};
use wire::paths;
use wire::problem::Code;

/// The whole service.
#[derive(Clone)]
pub struct PortalService(Arc<Inner>);

struct Inner {
    state: AppState,
    routes: Routes,
    headers: ResponseHeaders,
}

impl PortalService {
    /// `routes`: every path except those of files.
    pub fn new(state: &AppState, routes: Router) -> Self {
        let headers = ResponseHeaders::new(state.config.https);
        Self(Arc::new(Inner { state: state.clone(), routes: Routes(routes), headers }))
    }
}

impl Inner {
    async fn answer(&self, request: Request) -> Response {
        let gate = RouteGuard::of(request.uri().path());
        let dressed = is_for_people(gate, &request);
        let is_open = oauth_answer::is_open(gate, request.uri().path());
        // A panic in a handler ends its request only.
        let answered = match AssertUnwindSafe(self.admit(gate, request)).catch_unwind().await {
            Ok(Ok(answered)) => answered,
            Ok(Err(error)) if gate == RouteGuard::Client => OAuthErrorResponse::from(error).into_response(),
            Ok(Err(error)) => error.into_response(),
            Err(panic) => not_found::panicked(panic),
        };
        // Also those of the router: a method that the path does not take.
        let is_error = answered.status().is_client_error() || answered.status().is_server_error();
        let answered = if is_open && is_error { oauth_answer::open(answered) } else { answered };
        self.headers.complete(if dressed { app_page::page_for_problem(&self.state, answered) } else { answered })
    }

    async fn admit(&self, gate: RouteGuard, request: Request) -> Result<Response, ApiError> {
        let state = &self.state;
        // A banned address still gets the files for the page that explains the ban.
        let path = request.uri().path();
        if assets::is_asked(request.method(), path) {
            return Ok(assets::answer(state, path, request.headers()));
        }
        // Keys and metadata are the same for everybody, and verifiers need them.
        let is_public = matches!(gate, RouteGuard::Public | RouteGuard::Metadata) && path != paths::VERIFY;
        if state.sync.may_miss_bans(state.moment()) && !is_public {
            return Err(ApiError::wait(Code::Unavailable, 1000));
        }
        let mut client = client::of(state, &request)?;
        let request = own_bucket::find(state, &mut client, request).await?;
        state.defence.bans.look_up(&*state.store, [client.client_key, client.ban_key()], state.now()).await?;
        let spared = route_guards::is_metadata(state, gate, request.method());
        if let Some(refused) = client::refused(state, &client, &request, spared) {
            return Ok(refused);
        }
        route_guards::pass(gate, state, client, request, &self.routes).await
    }
}

/// Whether a person sees the answer: a page, or a request to an app's host, which the proxy asks about.
fn is_for_people(gate: RouteGuard, request: &Request) -> bool {
    let path = request.uri().path();
    (gate == RouteGuard::Page || path == paths::VERIFY || path.starts_with("/.postern/")) && is_page(request.headers())
}

impl<B> Service<http::Request<B>> for PortalService
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let request = request.map(Body::new);
            Ok(log::named(&inner.state, request, |request| inner.answer(request)).await)
        })
    }
}

impl std::fmt::Debug for PortalService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entrance(..)")
    }
}
