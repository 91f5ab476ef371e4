//! `POST /api/logout`

use super::ApiError;
use crate::cookies::{self, Name};
use crate::flows;
use crate::guards::client::Client;
use crate::guards::signed_in::bearer;
use crate::state::AppState;
use axum::Extension;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use tower_cookies::Cookies;

/// Ends the session that the request belongs to, even if its access token has run out, and makes the
/// browser forget it. Without a session it has nothing to do and says so in the same way.
pub async fn logout(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let access = bearer(&headers).or_else(|| cookies::get(&headers, &state.config, Name::Access));
    let refresh = cookies::get(&headers, &state.config, Name::Refresh);
    flows::to_its_end(flows::logout::logout(state.clone(), client, access, refresh)).await?;
    cookies::clear(&cookies, &state.config, Name::Access);
    cookies::clear(&cookies, &state.config, Name::Refresh);
    Ok(StatusCode::NO_CONTENT)
}
