//! Checks per kind of route before its handler, the cheapest first. They read the database only for a ban.

use super::client::{self, Client};
use super::oauth_client::ProvenForm;
use super::{body, host, rate_limit, same_origin, sign_in};
use crate::api_error::ApiError;
use crate::config::Preset;
use crate::openapi;
use crate::rate_limiter::RequestClass;
use crate::routes::Routes;
use crate::state::{AppState, CoreState, DefenceState};
use axum::extract::Request;
use axum::response::Response;
use http::Method;
use wire::paths;
use wire::problem::Code;

/// The kind of a path's checks. A new path below `/api` gets the strict one until it is listed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteGuard {
    /// Challenge, login and sign-up.
    SignIn,
    /// Sign-in with a passkey, which wrong passwords do not block.
    PasskeySignIn,
    /// Everything else below `/api`.
    Api,
    /// Public resources, and requests of reverse proxies.
    Public,
    /// Public documents, the same for everybody: keys, revocations, discovery. The servers of apps read them.
    Metadata,
    /// Requests of OAuth clients. They use no cookies and come from any origin.
    Client,
    Page,
}

impl RouteGuard {
    /// Returns the checks of a path. `path`: as the router sees it, not decoded.
    pub fn of(path: &str) -> Self {
        match path {
            paths::CHALLENGE
            | paths::LOGIN
            | paths::AUTHENTICATE
            | paths::SECOND_FACTOR
            | paths::SIGNUP
            | paths::PASSWORD
            | paths::RESET
            | paths::FORGOTTEN_PASSWORD
            | paths::CONFIRM
            | paths::ACCOUNT_DELETE => Self::SignIn,
            paths::PASSKEY_CHALLENGE | paths::PASSKEY_LOGIN => Self::PasskeySignIn,
            paths::VERIFY | paths::OPENAPI => Self::Public,
            paths::OAUTH_TOKEN
            | paths::OAUTH_USERINFO
            | paths::OAUTH_REVOKE
            | paths::OAUTH_INTROSPECT
            | paths::OAUTH_DEVICE
            | paths::OAUTH_PAR
            | paths::OAUTH_REGISTER => Self::Client,
            _ if path.starts_with("/oauth/register/") => Self::Client,
            _ if path.starts_with("/api/") => Self::Api,
            _ if path.starts_with("/.well-known/") => Self::Metadata,
            _ if path.starts_with("/.postern/") => Self::Public,
            _ => Self::Page,
        }
    }
}

/// Checks the request and calls the handler.
///
/// # Errors
/// The refusal.
pub async fn pass(
    gate: RouteGuard,
    state: &AppState,
    client: Client,
    request: Request,
    routes: &Routes,
) -> Result<Response, ApiError> {
    match gate {
        RouteGuard::SignIn => sign_in_api(state, client, request, routes).await,
        RouteGuard::PasskeySignIn => {
            sign_in::check_passkey(&state.defence, &client)?;
            api(&state.defence, client, request, routes).await
        }
        RouteGuard::Api => api(&state.defence, client, request, routes).await,
        RouteGuard::Public => public(&state.defence, client, request, routes).await,
        RouteGuard::Metadata => metadata(&state.defence, client, request, routes).await,
        RouteGuard::Client => oauth_client(&state.defence, client, request, routes).await,
        RouteGuard::Page => page(&state.defence, client, request, routes).await,
    }
}

async fn sign_in_api(
    state: &AppState,
    client: Client,
    request: Request,
    routes: &Routes,
) -> Result<Response, ApiError> {
    same_origin(state, &request)?;
    sign_in::check(&state.defence, &client)?;
    let class = if *request.method() == Method::GET { RequestClass::Challenge } else { RequestClass::SignIn };
    let counted = rate_limit::enter(&state.defence, &client, class_of(state, &request, class)).await?;
    let request = body::read(request).await.inspect_err(|error| counted.answered(Some(error.code()), state))?;
    let response = routes.answer(client, request).await;
    counted.answered(response.extensions().get::<Code>().copied(), state);
    Ok(response)
}

async fn api(state: &DefenceState, client: Client, request: Request, routes: &Routes) -> Result<Response, ApiError> {
    same_origin(state, &request)?;
    let _counted = rate_limit::enter(state, &client, class_of(state, &request, RequestClass::Other)).await?;
    Ok(routes.answer(client, body::read(request).await?).await)
}

async fn public(state: &DefenceState, client: Client, request: Request, routes: &Routes) -> Result<Response, ApiError> {
    // A trusted proxy calls this once for each request to an app, and may limit those itself.
    let asked_by_proxy = request.uri().path() == paths::VERIFY && client::peer_is_proxy(state, &request);
    let _counted = if asked_by_proxy {
        rate_limit::RequestCount::default()
    } else {
        rate_limit::enter(state, &client, class_of(state, &request, RequestClass::Other)).await?
    };
    Ok(routes.answer(client, request).await)
}

/// Whether the request reads a public document. Automatic bans do not apply to these in the default preset. Otherwise
/// an attacker at the address of an app's server could shut out everybody who uses the app.
pub fn is_metadata(state: &CoreState, gate: RouteGuard, method: &Method) -> bool {
    gate == RouteGuard::Metadata
        && matches!(*method, Method::GET | Method::HEAD)
        && state.config.settings.ban.preset != Preset::Strict
}

async fn metadata(
    state: &DefenceState,
    client: Client,
    request: Request,
    routes: &Routes,
) -> Result<Response, ApiError> {
    let read = is_metadata(state, RouteGuard::Metadata, request.method());
    let class = if read { RequestClass::Metadata } else { RequestClass::Other };
    let _counted = rate_limit::enter(state, &client, class_of(state, &request, class)).await?;
    Ok(routes.answer(client, request).await)
}

async fn oauth_client(
    state: &DefenceState,
    client: Client,
    request: Request,
    routes: &Routes,
) -> Result<Response, ApiError> {
    let counted = rate_limit::enter(state, &client, class_of(state, &request, RequestClass::Other)).await?;
    let proves = needs_secret_or_token(&request);
    let is_read = request.extensions().get::<ProvenForm>().is_some();
    let request = if is_read { request } else { body::read(request).await? };
    let response = routes.answer(client, request).await;
    // A resource server may ask about every request of its own clients, and must not lock its address out.
    if proves && response.status().is_success() {
        counted.forgive();
    }
    Ok(response)
}

/// Whether a successful answer shows that the request had a right secret, code or token.
fn needs_secret_or_token(request: &Request) -> bool {
    let path = request.uri().path();
    request.method() != Method::OPTIONS
        && matches!(path, paths::OAUTH_TOKEN | paths::OAUTH_USERINFO | paths::OAUTH_INTROSPECT)
}

async fn page(state: &DefenceState, client: Client, request: Request, routes: &Routes) -> Result<Response, ApiError> {
    if let Some(redirect) = host::redirect_other_host(state, &request) {
        return Ok(redirect);
    }
    same_origin::page(&request)?;
    let _counted = rate_limit::enter(state, &client, class_of(state, &request, RequestClass::Other)).await?;
    Ok(routes.answer(client, request).await)
}

/// Refuses a request of another site. A method that a path does not take is passed on to the router, which answers 405
/// and runs no handler.
fn same_origin(state: &CoreState, request: &Request) -> Result<(), ApiError> {
    let taken = || openapi::takes(request.method(), request.uri().path());
    same_origin::api(state, request).or_else(|refused| if taken() { Err(refused) } else { Ok(()) })
}

fn class_of(state: &CoreState, request: &Request, own: RequestClass) -> RequestClass {
    if same_origin::may_be_elsewhere(state, request.method(), request.headers()) {
        RequestClass::Elsewhere
    } else {
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_path_has_its_guard() {
        for (path, gate) in [
            ("/api/login", RouteGuard::SignIn),
            ("/api/account/delete", RouteGuard::SignIn),
            ("/api/login/passkey", RouteGuard::PasskeySignIn),
            ("/api/passkeys/challenge", RouteGuard::PasskeySignIn),
            ("/api/passkeys", RouteGuard::Api),
            ("/api/login/", RouteGuard::Api),
            ("/api/session", RouteGuard::Api),
            ("/api/admin/users/7/reset", RouteGuard::Api),
            ("/api/not-yet-there", RouteGuard::Api),
            ("/api/verify", RouteGuard::Public),
            ("/api/openapi.json", RouteGuard::Public),
            ("/.well-known/jwks.json", RouteGuard::Metadata),
            ("/.postern/callback", RouteGuard::Public),
            ("/dashboard/audit.csv", RouteGuard::Page),
            ("/apps/return", RouteGuard::Page),
            ("/oauth/authorize", RouteGuard::Page),
            ("/oauth/logout", RouteGuard::Page),
            ("/oauth/token", RouteGuard::Client),
            ("/oauth/userinfo", RouteGuard::Client),
            ("/oauth/register", RouteGuard::Client),
            ("/oauth/register/7", RouteGuard::Client),
            ("/api/oauth/authorize", RouteGuard::Api),
            ("/", RouteGuard::Page),
        ] {
            assert_eq!(RouteGuard::of(path), gate, "{path}");
        }
    }
}
