//! All routes on one screen. [`crate::service`] has the checks before them.

use crate::http::{
    allowlist, app_tokens, apps, audit, bans, challenge, clients, consents, groups, invitations, live, login, logout,
    metadata, not_found, notices, oauth_answer, oauth_authorize, oauth_device, oauth_form_post, oauth_logout,
    oauth_registration, oauth_token, oauth_userinfo, openapi, pages, passkeys, password, profile, refresh, refusals,
    render, revocations, second_factors, server_keys, services, session, sessions, signup, tickets, toll, user_keys,
    users, verify,
};
use crate::service::PortalService;
use crate::state::AppState;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post};
use leptos_axum::{AxumRouteListing, LeptosRoutes, generate_route_list};
use tower_cookies::CookieManagerLayer;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use wire::paths;

/// Builds the whole service.
pub fn router(state: &AppState) -> PortalService {
    PortalService::new(state, routes(state))
}

/// Builds every path except those of files.
pub fn routes(state: &AppState) -> Router {
    // Routes whose answers set or delete cookies.
    let with_cookies = Router::new()
        .route(paths::CHALLENGE, get(challenge::challenge))
        .route(paths::LOGIN, post(login::login))
        .route(paths::PASSKEY_CHALLENGE, get(passkeys::challenge))
        .route(paths::PASSKEY_LOGIN, post(passkeys::login))
        .route(paths::AUTHENTICATE, post(login::authenticate))
        .route(paths::SECOND_FACTOR, post(login::second_factor))
        .route(paths::TERMINAL_LOGIN, post(login::terminal))
        .route(paths::SIGNUP, post(signup::signup))
        .route(paths::PASSWORD, post(password::change))
        .route(paths::RESET, post(password::reset))
        .route(paths::ACCOUNT_DELETE, post(password::delete))
        .route(paths::REFRESH, post(refresh::refresh))
        .route(paths::LOGOUT, post(logout::logout))
        .route(paths::APP_START, get(apps::start))
        .route(paths::APP_CALLBACK, get(apps::callback))
        .route(paths::APP_PLACE, get(apps::stored_url_page))
        .route(paths::APP_LOGOUT, get(apps::ask_to_sign_out).post(apps::sign_out))
        .route(paths::APP_RETURN, get(apps::continue_sign_in))
        .route(paths::OAUTH_SIGN_OUT, post(oauth_logout::sign_out))
        .route_layer(CookieManagerLayer::new());

    let session_api = Router::new()
        .route(paths::SESSION, get(session::session))
        .route(paths::SESSIONS, get(sessions::list).delete(sessions::end_others))
        .route("/api/sessions/{id}", delete(sessions::end))
        .route(paths::PASSKEYS, get(passkeys::list).post(passkeys::add))
        .route(paths::PASSKEY_OPTIONS, post(passkeys::begin))
        .route("/api/passkeys/{id}", patch(passkeys::rename).delete(passkeys::remove))
        .route(paths::NOTICES, get(notices::list))
        .route(paths::NOTICES_READ, post(notices::read))
        .route(paths::PROFILE, get(profile::show).patch(profile::change))
        .route(paths::FORGOTTEN_PASSWORD, post(password::forgotten))
        .route(paths::EMAIL_PROOF, post(profile::begin_proof))
        .route(paths::CONFIRM_EMAIL_PROOF, post(profile::confirm_proof))
        .route(paths::USER_KEYS, get(user_keys::list).post(user_keys::issue_key))
        .route("/api/keys/user/{version}", delete(user_keys::revoke))
        .route(paths::ROTATE_USER_KEY, post(user_keys::rotate))
        .route(paths::SECOND_FACTORS, get(second_factors::list).patch(second_factors::change))
        .route(paths::REMEMBERED_DEVICES, get(second_factors::remembered).delete(second_factors::forget_all))
        .route("/api/account/remembered-devices/{id}", delete(second_factors::forget))
        .route(paths::TOTP, post(second_factors::begin_totp).delete(second_factors::remove_totp))
        .route(paths::CONFIRM_TOTP, post(second_factors::confirm_totp))
        .route(paths::RECOVERY_CODES, post(second_factors::recovery_codes))
        .route(paths::CONFIRM, post(second_factors::confirm))
        .route(paths::TICKETS, post(tickets::issue))
        .route(paths::APP_TOKENS, post(app_tokens::issue))
        .route(paths::APP_ENTER, post(apps::enter))
        .route(paths::OAUTH_ENTER, post(oauth_authorize::enter))
        .route(paths::OAUTH_DEVICE_ANSWER, post(oauth_device::answer))
        .route(paths::CONSENTS, get(consents::list))
        .route("/api/consents/{id}", delete(consents::withdraw));

    let listed = generate_route_list(app::App);
    let with_slash = with_slash(listed.iter().map(AxumRouteListing::path));
    let page_routes = Router::new()
        .leptos_routes_with_context(state, listed, render::context(state), app::shell)
        // Safe to compress (BREACH): no page contains both its URL and a secret.
        // The default level of brotli, 4, makes the sign-in page 140 bytes longer.
        .route_layer(CompressionLayer::new().quality(CompressionLevel::Precise(5)))
        .route_layer(from_fn_with_state(state.clone(), pages::load))
        .route_layer(CookieManagerLayer::new());

    let metadata = Router::new()
        .route(paths::JWKS, get(metadata::jwks).options(oauth_answer::preflight))
        .route(paths::METADATA, get(metadata::postern))
        .route(paths::PASSKEY_ENDPOINTS, get(passkeys::endpoints))
        .route(paths::CHANGE_PASSWORD, get(password::change_page))
        .route(paths::REVOCATIONS, get(revocations::list))
        .route(paths::OPENAPI, get(openapi::document))
        .route(paths::OPENID_CONFIGURATION, get(metadata::openid).options(oauth_answer::preflight))
        .route(paths::OAUTH_SERVER, get(metadata::openid).options(oauth_answer::preflight))
        .route(paths::PROTECTED_RESOURCE, get(metadata::protected_resource).options(oauth_answer::preflight))
        .route(paths::PROTECTED_USERINFO, get(metadata::protected_userinfo).options(oauth_answer::preflight))
        .route(paths::WEBFINGER, get(metadata::webfinger).options(oauth_answer::preflight));

    Router::new()
        .merge(with_cookies)
        .merge(session_api)
        .merge(operators())
        .merge(page_routes)
        .merge(with_slash)
        .merge(metadata)
        .merge(oauth())
        .route("/", get(pages::home))
        .route(paths::AUDIT_FILE, get(audit::file))
        // For reverse proxies.
        .route(paths::VERIFY, get(verify::verify))
        .method_not_allowed_fallback(not_found::method_not_allowed)
        .fallback(not_found::not_found)
        .with_state(state.clone())
}

/// The same pages for people who type a slash after the path.
fn with_slash<'a>(listed: impl Iterator<Item = &'a str>) -> Router<AppState> {
    // A path with a catch-all matches the slash itself, and the router refuses anything after it.
    let is_plain = |path: &&str| !path.ends_with('/') && !path.contains("{*");
    let listed = listed.chain([paths::DEVICE_PAGE]).filter(is_plain);
    listed.fold(Router::new(), |router, path| router.route(&format!("{path}/"), get(pages::without_slash)))
}

/// The OpenID provider.
fn oauth() -> Router<AppState> {
    let preflight = oauth_answer::preflight;
    Router::new()
        .route(paths::OAUTH_AUTHORIZE, get(oauth_authorize::authorize).post(oauth_authorize::authorize))
        .route(paths::OAUTH_FORM_POST, get(oauth_form_post::form_post))
        .route(paths::OAUTH_LOGOUT, get(oauth_logout::logout).post(oauth_logout::logout))
        .route(paths::OAUTH_TOKEN, post(oauth_token::token).options(preflight))
        .route(paths::OAUTH_REVOKE, post(oauth_token::revoke).options(preflight))
        .route(paths::OAUTH_INTROSPECT, post(oauth_token::introspect))
        .route(paths::OAUTH_DEVICE, post(oauth_device::authorize).options(preflight))
        .route(paths::DEVICE_PAGE, get(oauth_device::page))
        .route(paths::OAUTH_REGISTER, post(oauth_registration::register).options(preflight))
        .route(
            "/oauth/register/{id}",
            get(oauth_registration::show)
                .put(oauth_registration::change)
                .delete(oauth_registration::remove)
                .options(preflight),
        )
        .route(paths::OAUTH_PAR, post(oauth_token::push).options(preflight))
        .route(paths::OAUTH_USERINFO, get(oauth_userinfo::userinfo).post(oauth_userinfo::userinfo).options(preflight))
}

/// For administrators; each handler checks that.
fn operators() -> Router<AppState> {
    Router::new()
        .route(paths::USERS, get(users::list))
        .route("/api/admin/users/{id}", patch(users::change).delete(users::delete))
        .route("/api/admin/users/{id}/second-factors", delete(users::remove_factors))
        .route("/api/admin/users/{id}/reset", post(users::reset))
        .route("/api/admin/users/{id}/key", post(users::new_key))
        .route(paths::GROUPS, get(groups::list).post(groups::add))
        .route("/api/admin/groups/{id}", get(groups::show).patch(groups::rename).delete(groups::remove))
        .route(paths::CLIENTS, get(clients::list).post(clients::add))
        .route("/api/admin/clients/{id}", patch(clients::change).delete(clients::remove))
        .route("/api/admin/clients/{id}/secret", post(clients::rotate))
        .route(paths::CLIENT_REQUESTS, get(clients::explain))
        .route(paths::REGISTRATION_TOKENS, get(clients::tokens))
        .route("/api/admin/registration-tokens/{id}", delete(clients::revoke_token))
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
