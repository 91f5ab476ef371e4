//! Every route on one screen, and what each passes first.

use crate::guards::{client, gates, headers, log};
use crate::http::{
    administration, allowlist, app_tokens, apps, assets, audit, bans, challenge, invitations, live, login, logout,
    metadata, not_found, openapi, pages, password, refresh, refusals, render, revocations, server_keys, services,
    session, sessions, signup, tickets, toll, user_keys, users, verify,
};
use crate::state::AppState;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post};
use leptos_axum::{LeptosRoutes, generate_route_list};
use tower::ServiceBuilder;
use tower::util::MapResponseLayer;
use tower_cookies::CookieManagerLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use wire::paths;

/// The whole service. Layers run from the first of a `ServiceBuilder` to its last.
pub fn router(state: &AppState) -> Router {
    let https = state.config.https;
    // Around the router and not around each of its routes: a layer copies what is inside it for every
    // request, and a router is one pointer.
    let guarded = ServiceBuilder::new()
        .layer(from_fn_with_state(state.clone(), client::guard))
        .layer(CookieManagerLayer::new())
        .service(routes(state));

    // A closed address still gets the files of the page that tells it so.
    let files = Router::new()
        .route("/pkg/{*path}", get(assets::asset))
        .route("/favicon.svg", get(assets::asset))
        .route("/robots.txt", get(assets::asset))
        .with_state(state.clone());

    let answered = ServiceBuilder::new()
        .layer(MapResponseLayer::new(move |response| headers::complete(response, https)))
        .layer(from_fn_with_state(state.clone(), log::guard))
        .layer(CatchPanicLayer::custom(not_found::panicked))
        .service(files.fallback_service(guarded));
    Router::new().fallback_service(answered)
}

/// Every path but those of files.
pub fn routes(state: &AppState) -> Router {
    let with = state.clone();

    let sign_in_api = Router::new()
        .route(paths::CHALLENGE, get(challenge::challenge))
        .route(paths::LOGIN, post(login::login))
        .route(paths::AUTHENTICATE, post(login::authenticate))
        .route(paths::SIGNUP, post(signup::signup))
        .route(paths::PASSWORD, post(password::change))
        .route(paths::RESET, post(password::reset))
        .route(paths::ACCOUNT_DELETE, post(password::delete))
        .method_not_allowed_fallback(not_found::method_not_allowed)
        .route_layer(from_fn_with_state(with.clone(), gates::sign_in_api));

    let session_api = Router::new()
        .route(paths::REFRESH, post(refresh::refresh))
        .route(paths::LOGOUT, post(logout::logout))
        .route(paths::SESSION, get(session::session))
        .route(paths::SESSIONS, get(sessions::list).delete(sessions::end_others))
        .route("/api/sessions/{id}", delete(sessions::end))
        .route(paths::USER_KEYS, get(user_keys::list).post(user_keys::hand_out))
        .route("/api/keys/user/{version}", delete(user_keys::revoke))
        .route(paths::ROTATE_USER_KEY, post(user_keys::rotate))
        .route(paths::TICKETS, post(tickets::issue))
        .route(paths::APP_TOKENS, post(app_tokens::issue))
        .merge(operators())
        .method_not_allowed_fallback(not_found::method_not_allowed)
        .route_layer(from_fn_with_state(with.clone(), gates::api));

    let page_routes = Router::new()
        .leptos_routes_with_context(state, generate_route_list(app::App), render::context(state), app::shell)
        .method_not_allowed_fallback(not_found::method_not_allowed)
        // Safe to compress (BREACH): no page repeats its address beside a secret.
        .route_layer(CompressionLayer::new())
        .route_layer(from_fn_with_state(with.clone(), pages::load))
        .route_layer(from_fn_with_state(with.clone(), gates::page));

    let files_of_pages = Router::new()
        .route(paths::AUDIT_FILE, get(administration::trail_file))
        .route(paths::APP_RETURN, get(apps::go_on))
        .method_not_allowed_fallback(not_found::method_not_allowed)
        .route_layer(from_fn_with_state(with.clone(), gates::page));

    // On the hosts of apps, as reverse proxies see to it, and for those proxies themselves.
    let of_apps = Router::new()
        .route(paths::VERIFY, get(verify::verify))
        .route(paths::APP_START, get(apps::start))
        .route(paths::APP_CALLBACK, get(apps::callback))
        .route(paths::APP_LOGOUT, get(apps::ask_to_sign_out).post(apps::sign_out))
        .method_not_allowed_fallback(not_found::method_not_allowed)
        .route_layer(from_fn_with_state(with.clone(), gates::public));

    let metadata = Router::new()
        .route(paths::JWKS, get(metadata::jwks))
        .route(paths::METADATA, get(metadata::postern))
        .route(paths::REVOCATIONS, get(revocations::list))
        .route(paths::OPENAPI, get(openapi::document))
        .route_layer(from_fn_with_state(with.clone(), gates::public));

    Router::new()
        .merge(sign_in_api)
        .merge(session_api)
        .merge(page_routes)
        .merge(files_of_pages)
        .merge(of_apps)
        .merge(metadata)
        .route("/", get(pages::home))
        .fallback(not_found::not_found)
        .with_state(state.clone())
}

/// For administrators: each handler asks for one.
fn operators() -> Router<AppState> {
    Router::new()
        .route(paths::USERS, get(users::list))
        .route("/api/admin/users/{id}", patch(users::change).delete(users::delete))
        .route("/api/admin/users/{id}/reset", post(users::reset))
        .route("/api/admin/users/{id}/key", post(users::new_key))
        .route(paths::SERVICES, get(services::list).post(services::set))
        .route("/api/admin/services/{name}", delete(services::remove))
        .route(paths::INVITATIONS, get(invitations::list).post(invitations::invite))
        .route("/api/admin/invitations/{id}", delete(invitations::revoke))
        .route(paths::BANS, get(bans::list).post(bans::make))
        .route(paths::EXPLAIN, get(bans::explain))
        .route("/api/admin/bans/{id}", delete(bans::lift))
        .route(paths::ALLOWLIST, get(allowlist::list).post(allowlist::add))
        .route("/api/admin/allow/{id}", delete(allowlist::remove))
        .route(paths::SERVER_KEYS, get(server_keys::list))
        .route(paths::ROTATE_SERVER_KEY, post(server_keys::rotate))
        .route("/api/admin/keys/{kid}", delete(server_keys::revoke))
        .route(paths::TOLL_ROUTES, get(toll::routes))
        .route(paths::TOLL_PAYMENTS, get(toll::payments))
        .route(paths::TOLL_TOKENS, get(toll::tokens))
        .route("/api/admin/toll/tokens/{id}", delete(toll::revoke))
        .route("/api/admin/toll/tokens/{id}/suspend", post(toll::suspend))
        .route("/api/admin/toll/tokens/{id}/resume", post(toll::resume))
        .route(paths::TOLL_DAYS, get(toll::days))
        .route(paths::AUDIT, get(audit::list))
        .route(paths::REFUSALS, get(refusals::hours))
        .route(paths::LIVE, get(live::live))
}
