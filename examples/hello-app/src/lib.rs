//! An app that greets a person with a valid token. All code about Postern is in [`router`].

use axum::routing::get;
use axum::{Extension, Json, Router};
use postern_verify::{AccessToken, Guard};

/// Returns the app behind its guard: no handler runs without a valid token.
pub fn router(guard: &Guard) -> Router {
    Router::new().route("/", get(hello)).route("/me", get(me)).layer(guard.layer())
}

async fn hello(Extension(token): Extension<AccessToken>) -> String {
    format!("Hello, {}! Your session is {}, and you are here as {}.\n", token.name(), token.sid, token.roles.join(", "))
}

async fn me(Extension(token): Extension<AccessToken>) -> Json<AccessToken> {
    Json(token)
}
