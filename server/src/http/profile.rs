//! `/api/profile`: a person's own profile.

use super::{ApiError, request};
use crate::client::Client;
use crate::flows;
use crate::flows::profiles::{self, ProfileWish};
use crate::guards::signed_in::SignedIn;
use crate::state::AppState;
use axum::body::Bytes;
use axum::extract::State;
use axum::{Extension, Json};
use wire::account::{Profile, ProfileChange};

pub async fn show(State(state): State<AppState>, signed_in: SignedIn) -> Result<Json<Profile>, ApiError> {
    Ok(Json(profiles::own(&*state.store, &signed_in.claims.sub).await?))
}

/// Changes the display name or the e-mail address, which is unproved then.
pub async fn change(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    signed_in: SignedIn,
    body: Bytes,
) -> Result<Json<Profile>, ApiError> {
    let wish: ProfileChange = request::body(&body)?;
    flows::run_to_completion(async move {
        let (user, session) = (&signed_in.claims.sub, &signed_in.claims.sid);
        let display_name = wish.display_name.as_deref();
        let wish = ProfileWish { display_name, email: wish.email.as_deref(), groups: None };
        profiles::set_own(&state, &client, user, session, &wish).await?;
        Ok(Json(profiles::own(&*state.store, user).await?))
    })
    .await
}
