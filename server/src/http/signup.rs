//! `POST /api/signup`

use super::{ApiError, delivery};
use crate::client::Client;
use crate::flows;
use crate::flows::sealed::SealedMessage;
use crate::state::AppState;
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use http::HeaderMap;
use tower_cookies::Cookies;
use wire::login::SignedIn;
use wire::paths;

pub(crate) async fn signup(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<SignedIn>, ApiError> {
    let sealed = SealedMessage::read(&state, paths::SIGNUP, &headers, body)?;
    let delivery = sealed.request.delivery;
    let issued = flows::run_to_completion(flows::signup::signup(state.clone(), client, sealed)).await?;
    Ok(delivery::deliver(&state, &headers, &cookies, delivery, issued))
}
