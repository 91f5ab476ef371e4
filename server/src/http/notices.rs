//! `GET /api/notices` and `POST /api/notices/read`

use super::{ApiError, request};
use crate::flows;
use crate::guards::signed_in::SignedIn;
use crate::state::CoreState;
use app::text::activity::sentence;
use app::view::Activity;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use domain::UnixMs;
use http::StatusCode;
use std::sync::Arc;
use wire::account::{Notice, Notices, NoticesRead};
use wire::problem::Code;

/// The largest number that every JSON reader keeps exactly (RFC 8259, section 6).
const NEWEST: i64 = (1 << 53) - 1;

/// Lists the person's notices that were not dismissed on this device, newest first.
pub(crate) async fn list(State(state): State<Arc<CoreState>>, signed_in: SignedIn) -> Result<Json<Notices>, ApiError> {
    let notices = flows::notices::unread(&state, &signed_in).await?;
    let shown = |line: Activity| Notice {
        at: line.at,
        text: sentence(&line),
        address: line.address,
        device: line.device,
        count: line.count,
    };
    Ok(Json(Notices { notices: notices.into_iter().map(shown).collect() }))
}

/// Dismisses the person's notices up to a time, on this device.
pub(crate) async fn read(
    State(state): State<Arc<CoreState>>,
    signed_in: SignedIn,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let shown: NoticesRead = request::body(&body)?;
    if !(0..=NEWEST).contains(&shown.until) {
        return Err(ApiError::new(Code::BadRequest));
    }
    flows::notices::dismiss(&state, &signed_in, UnixMs::from_millis(shown.until)).await?;
    Ok(StatusCode::NO_CONTENT)
}
