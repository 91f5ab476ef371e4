//! Every route on one screen, and what each passes first.

use crate::guards::{body, client, floods, headers, host, log, same_origin, sign_in};
use crate::http::{
    assets, challenge, login, logout, metadata, not_found, pages, refresh, render, session, sessions, signup,
};
use crate::state::AppState;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use leptos_axum::{LeptosRoutes, generate_route_list};
use tower_cookies::CookieManagerLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use wire::paths;

/// The whole service. Layers run from the last added to the first.
pub fn router(state: &AppState) -> Router {
    let with = state.clone();

    let sign_in_api = Router::new()
        .route(paths::CHALLENGE, get(challenge::challenge))
        .route(paths::LOGIN, post(login::login))
        .route(paths::SIGNUP, post(signup::signup))
        .method_not_allowed_fallback(not_found::method_not_allowed)
        .route_layer(from_fn(body::guard))
        .route_layer(from_fn_with_state(with.clone(), floods::sign_in))
        .route_layer(from_fn_with_state(with.clone(), sign_in::guard))
        .route_layer(from_fn_with_state(with.clone(), same_origin::api));

    let session_api = Router::new()
        .route(paths::REFRESH, post(refresh::refresh))
        .route(paths::LOGOUT, post(logout::logout))
        .route(paths::SESSION, get(session::session))
        .route(paths::SESSIONS, get(sessions::list).delete(sessions::end_others))
        .route("/api/sessions/{id}", delete(sessions::end))
        .method_not_allowed_fallback(not_found::method_not_allowed)
        .route_layer(from_fn(body::guard))
        .route_layer(from_fn_with_state(with.clone(), floods::other))
        .route_layer(from_fn_with_state(with.clone(), same_origin::api));

    let page_routes = Router::new()
        .leptos_routes_with_context(state, generate_route_list(app::App), render::context(state), app::shell)
        .method_not_allowed_fallback(not_found::method_not_allowed)
        // Safe to compress (BREACH): no page repeats its address beside a secret.
        .route_layer(CompressionLayer::new())
        .route_layer(from_fn_with_state(with.clone(), pages::load))
        .route_layer(from_fn_with_state(with.clone(), floods::other))
        .route_layer(from_fn(same_origin::page))
        .route_layer(from_fn_with_state(with.clone(), host::guard));

    let metadata = Router::new()
        .route(paths::JWKS, get(metadata::jwks))
        .route(paths::METADATA, get(metadata::postern))
        .route_layer(from_fn_with_state(with.clone(), floods::other));

    let guarded = Router::new()
        .merge(sign_in_api)
        .merge(session_api)
        .merge(page_routes)
        .merge(metadata)
        .route("/", get(pages::home))
        .fallback(not_found::not_found)
        .layer(CookieManagerLayer::new())
        .layer(from_fn_with_state(with.clone(), client::guard));

    // A closed address still gets the files of the page that tells it so.
    let files = Router::new()
        .route("/pkg/{*path}", get(assets::asset))
        .route("/favicon.svg", get(assets::asset))
        .route("/robots.txt", get(assets::asset));

    guarded
        .merge(files)
        .layer(CatchPanicLayer::custom(not_found::panicked))
        .layer(from_fn(log::guard))
        .layer(from_fn_with_state(with, headers::guard))
        .with_state(state.clone())
}
