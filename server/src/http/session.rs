//! `GET /api/session`

use crate::guards::signed_in::SignedIn;
use axum::Json;
use wire::session::SessionInfo;

/// Returns the current session, without the database once the token is cached.
pub(crate) async fn session(signed_in: SignedIn) -> Json<SessionInfo> {
    Json(signed_in.session())
}
