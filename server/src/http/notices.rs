//! `POST /api/notices/read`

use super::{ApiError, request};
use crate::flows;
use crate::guards::signed_in::SignedIn;
use crate::state::AppState;
use axum::body::Bytes;
use axum::extract::State;
use http::StatusCode;
use wire::account::NoticesRead;
use wire::problem::Code;

/// The largest number that every JSON reader keeps exactly (RFC 8259, section 6).
const NEWEST: i64 = (1 << 53) - 1;

/// Dismisses the person's notices up to a time, on all devices.
pub(crate) async fn read(
    State(state): State<AppState>,
    signed_in: SignedIn,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let shown: NoticesRead = request::body(&body)?;
    if !(0..=NEWEST).contains(&shown.until) {
        return Err(ApiError::new(Code::BadRequest));
    }
    flows::notices::dismiss(&state, &signed_in.claims.sub, shown.until).await?;
    Ok(StatusCode::NO_CONTENT)
}
