//! `/api/admin/bans` and below.

use super::{ApiError, request};
use crate::client::Client;
use crate::flows::actor::Actor;
use crate::flows::bans::{self, BanError};
use crate::guards::administrator::Administrator;
use crate::state::{CoreState, DefenceState};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::UnixMs;
use domain::ban::Trigger;
use domain::ids::BanId;
use http::{StatusCode, Uri};
use serde::Deserialize;
use std::sync::Arc;
use store::bans::BanSearch;
use wire::bans::{Ban, Bans, Explanation, LiftRequest, NewBan};
use wire::problem::Code;

/// Number of bans in one answer.
pub(crate) const PAGE: u32 = 50;

/// A search; empty: any.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct BanQuery {
    pub word: String,
    pub trigger: String,
    pub state: String,
    pub before: String,
}

impl BanQuery {
    /// Builds the search.
    ///
    /// # Errors
    /// An unknown trigger or state.
    pub(crate) fn search(&self, v6_prefix: u8, now: UnixMs) -> Result<BanSearch, ApiError> {
        let wrong = || ApiError::new(Code::BadRequest);
        let trigger = Some(&self.trigger).filter(|text| !text.is_empty());
        Ok(BanSearch {
            word: bans::search_word(&self.word, v6_prefix),
            trigger: trigger.map(|text| Trigger::parse(text).ok_or_else(wrong)).transpose()?,
            in_force: match self.state.as_str() {
                "" => None,
                "active" => Some(true),
                "over" => Some(false),
                _ => return Err(wrong()),
            },
            before: Some(self.before.clone()).filter(|id| !id.is_empty()).map(Into::into),
            limit: PAGE,
            now,
        })
    }
}

pub(crate) async fn list(
    State(state): State<Arc<CoreState>>,
    _: Administrator,
    uri: Uri,
) -> Result<Json<Bans>, ApiError> {
    let search = request::query::<BanQuery>(&uri)?.search(state.config.settings.ipv6_prefix, state.now())?;
    Ok(Json(bans::list(&*state.store, &search).await?))
}

/// Bans an address.
pub(crate) async fn make(
    State(state): State<Arc<DefenceState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    body: Bytes,
) -> Result<(StatusCode, Json<Ban>), ApiError> {
    let wanted: NewBan = request::body(&body)?;
    let actor = Actor::administrator(&state, &client, &administrator);
    let ban = bans::make(&actor, &wanted).await?;
    crate::offences::announce(&state, &ban);
    let shown = bans::shown(ban, administrator.user.name, None, state.now());
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Lifts the bans on the address of a ban.
pub(crate) async fn lift(
    State(state): State<Arc<DefenceState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    Path(id): Path<BanId>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let lift: LiftRequest = request::body(&body)?;
    let ban = state.store.ban_by_id(&id).await?.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let actor = Actor::administrator(&state, &client, &administrator);
    let lifted = bans::lift(&actor, ban.client_key, &lift.reason).await?;
    state.bans.apply(&lifted);
    if lifted.is_empty() { Err(ApiError::new(Code::NotFound)) } else { Ok(StatusCode::NO_CONTENT) }
}

#[derive(Debug, Deserialize)]
struct Explain {
    address: String,
}

/// Explains the bans on an address, and what would ban it.
pub(crate) async fn explain(
    State(state): State<Arc<CoreState>>,
    Extension(client): Extension<Client>,
    administrator: Administrator,
    uri: Uri,
) -> Result<Json<Explanation>, ApiError> {
    let asked: Explain = request::query(&uri)?;
    let actor = Actor::administrator(&state, &client, &administrator);
    Ok(Json(bans::explain(&actor, &asked.address).await?))
}

impl From<BanError> for ApiError {
    fn from(error: BanError) -> Self {
        match error {
            BanError::Unfit(unfit) => unfit.into(),
            BanError::Scope => Self::explained(Code::BadRequest, error),
            BanError::WouldLockOut => Self::new(Code::WouldLockOut),
            BanError::Allowed(..) => Self::explained(Code::BanWithoutEffect, error),
            BanError::Store(error) => error.into(),
        }
    }
}
