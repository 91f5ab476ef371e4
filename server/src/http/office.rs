//! The pages of operators, and the trail as a file.

use super::pages::door;
use super::{ApiError, audit, bans, render, request};
use crate::flows;
use crate::flows::operator::Operator;
use crate::flows::trail::{self, Filter};
use crate::guards::administrator::Administrator;
use crate::guards::client::Client;
use crate::guards::signed_in::SignedIn;
use crate::state::AppState;
use app::view::{AuditFilter, AuditView, BansDone, BansView, View, Viewer};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ban::Trigger;
use http::Uri;
use serde::Deserialize;
use store::audit::Event;
use wire::paths;

/// What the address of the page of bans may say besides its filter.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    explain: String,
    done: String,
}

pub async fn view(
    state: &AppState,
    client: &Client,
    uri: &Uri,
    viewer: Viewer,
    administrator: &Administrator,
) -> Result<View, ApiError> {
    if uri.path() == paths::AUDIT_PAGE {
        return Ok(View::Audit(Box::new(trail_view(state, uri, viewer).await?)));
    }
    let operator = Operator::administrator(state, client, administrator);
    Ok(View::Bans(Box::new(bans_view(&operator, uri, viewer).await?)))
}

async fn bans_view(operator: &Operator<'_>, uri: &Uri, viewer: Viewer) -> Result<BansView, ApiError> {
    let (store, now) = (operator.store, operator.now);
    let mut filter: bans::Filter = request::query(uri).unwrap_or_default();
    let asked: Asked = request::query(uri).unwrap_or_default();
    if !matches!(filter.state.as_str(), "over" | "all") {
        "active".clone_into(&mut filter.state);
    }
    if Trigger::parse(&filter.trigger).is_none() {
        filter.trigger.clear();
    }
    let shown = filter.state.clone();
    if filter.state == "all" {
        filter.state.clear();
    }
    let search = filter.search(operator.config.settings.ipv6_prefix, now)?;
    let explanation = match asked.explain.trim() {
        "" => None,
        address => match flows::bans::explain(operator, address).await {
            Err(flows::bans::Error::Store(error)) => return Err(error.into()),
            answer => Some(answer.map_err(|error| format!("{error}."))),
        },
    };
    Ok(BansView {
        viewer,
        bans: flows::bans::list(store, &search).await?,
        word: filter.word,
        trigger: filter.trigger,
        state: shown,
        asked: asked.explain,
        explanation,
        allowed: flows::allowlist::list(store, now).await?.allowed,
        triggers: Trigger::ALL.iter().map(|trigger| trigger.as_str()).collect(),
        done: match asked.done.as_str() {
            "made" => Some(BansDone::Made),
            "lifted" => Some(BansDone::Lifted),
            "allowed" => Some(BansDone::Allowed),
            "removed" => Some(BansDone::Removed),
            _ => None,
        },
    })
}

async fn trail_view(state: &AppState, uri: &Uri, viewer: Viewer) -> Result<AuditView, ApiError> {
    let (store, now) = (&*state.store, state.now());
    let filter: Filter = request::query(uri).unwrap_or_default();
    let (audit, wrong) = match filter.search(store, audit::PAGE, now).await {
        Ok(search) => (trail::page(store, &search).await?, None),
        Err(trail::Error::Store(error)) => return Err(error.into()),
        Err(wrong) => (wire::audit::Audit { entries: Vec::new(), next: None }, Some(format!("{wrong}."))),
    };
    let Filter { user, event, outcome, since, until, .. } = filter;
    Ok(AuditView {
        viewer,
        filter: AuditFilter { user, event, outcome, since, until },
        wrong,
        audit,
        hours: flows::refusals::hours(store, now).await?,
        events: Event::ALL.iter().map(|event| event.as_str()).collect(),
    })
}

/// `GET /dashboard/audit.csv`: a link leads here, and a link can be renewed like a page.
///
/// # Errors
/// A filter that cannot be meant.
pub async fn trail_file(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let Some(session) = SignedIn::find(&state, request.headers()).await? else {
        return Ok(Redirect::to(&door(&state, request.headers(), request.uri())).into_response());
    };
    if Administrator::find(&state, session).await?.is_none() {
        return Ok(render::document(State(state), View::NotFound, request).await);
    }
    audit::answer(&state, request.uri(), audit::Format::Csv).await
}
