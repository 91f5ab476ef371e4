//! `/api/profile`: a person's own profile, and the proof of its e-mail address.

use super::{ApiError, request};
use crate::client::Client;
use crate::flows;
use crate::flows::mail::{self, MailError};
use crate::flows::profiles::{self, ProfileEdit};
use crate::guards::recent_factor;
use crate::guards::signed_in::SignedIn;
use crate::state::{CoreState, KeyState, SessionState};
use axum::body::Bytes;
use axum::extract::State;
use axum::{Extension, Json};
use domain::mail::until_next_hour;
use http::StatusCode;
use std::sync::Arc;
use wire::account::{EmailProof, Profile, ProfileChange};
use wire::problem::Code;

pub(crate) async fn show(State(state): State<Arc<CoreState>>, signed_in: SignedIn) -> Result<Json<Profile>, ApiError> {
    Ok(Json(profiles::of_user(&*state.store, &signed_in.claims.sub).await?))
}

/// Changes the display name or the e-mail address, which is unproved then. Another address needs a fresh proof of the person.
pub(crate) async fn change(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    signed_in: SignedIn,
    body: Bytes,
) -> Result<Json<Profile>, ApiError> {
    let request: ProfileChange = request::body(&body)?;
    flows::run_to_completion(async move {
        let (user, session) = (&signed_in.claims.sub, &signed_in.claims.sid);
        let display_name = request.display_name.as_deref();
        let mut edit = ProfileEdit { display_name, email: request.email.as_deref(), groups: None };
        if profiles::changes_address(&state, user, &edit).await? {
            recent_factor::check(&state, &signed_in).await?;
        } else {
            // The page sends the present address too.
            edit.email = None;
        }
        profiles::set_own(&state, &client, user, session, &edit).await?;
        Ok(Json(profiles::of_user(&*state.store, user).await?))
    })
    .await
}

/// Mails a link that proves the address.
pub(crate) async fn begin_proof(
    State(state): State<Arc<KeyState>>,
    signed_in: SignedIn,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    request::nothing(&body)?;
    match mail::begin_proof(&state, &signed_in.claims.sub).await {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(MailError::OverLimit) => Err(ApiError::wait(Code::Busy, until_next_hour(state.now()))),
        Err(error) => Err(error.into()),
    }
}

/// Proves the address with the code of the link. From then on a link for a new password can be mailed to it.
pub(crate) async fn confirm_proof(
    State(state): State<Arc<SessionState>>,
    Extension(client): Extension<Client>,
    signed_in: SignedIn,
    body: Bytes,
) -> Result<Json<Profile>, ApiError> {
    let proof: EmailProof = request::body(&body)?;
    recent_factor::check(&state, &signed_in).await?;
    flows::run_to_completion(async move {
        let (user, session) = (&signed_in.claims.sub, &signed_in.claims.sid);
        mail::prove(&state, &client, user, session, &proof.code).await?;
        Ok(Json(profiles::of_user(&*state.store, user).await?))
    })
    .await
}

impl From<MailError> for ApiError {
    fn from(error: MailError) -> Self {
        match error {
            // Without mail these paths have nothing.
            MailError::Off | MailError::NothingToProve => Self::new(Code::NotFound),
            MailError::Address(_) | MailError::NoAddress => Self::explained(Code::BadRequest, format!("{error}.")),
            MailError::OverLimit => Self::new(Code::Busy),
            MailError::UsedUp => Self::new(Code::LinkUsedUp),
            MailError::EmailTaken => Self::new(Code::EmailTaken),
            MailError::Key(error) => error.into(),
            MailError::Store(error) => error.into(),
        }
    }
}
