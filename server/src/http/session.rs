//! `GET /api/session`

use crate::guards::signed_in::SignedIn;
use axum::Json;
use wire::session::Session;

/// Who am I. Asks no database once the token is known.
pub async fn session(signed_in: SignedIn) -> Json<Session> {
    Json(signed_in.session())
}
