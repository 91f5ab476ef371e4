//! Pages for administrators, and the audit log as a file.

use super::bans::BanQuery;
use super::page_request::{PageData, PageRequest};
use super::sign_in_path::sign_in_path;
use super::{ApiError, audit, enrol, render};
use crate::client::Client;
use crate::flows;
use crate::flows::audit_log;
use crate::flows::paging;
use crate::guards::administrator::Administrator;
use crate::guards::signed_in::SignedIn;
use crate::state::AppState;
use app::View;
use app::view::{AuditFilter, AuditView, BansOutcome, BansView, ClientView, ClientsView, ServerKeysView, TollView};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::ban::Trigger;
use oidc::preset::Preset;
use serde::Deserialize;
use serde_json::Value;
use store::audit::AuditEvent;

/// Parameters of the page of bans besides its filter.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BansPageQuery {
    explain: String,
    done: String,
    /// The last network of the allowlist's previous part.
    allowed_after: String,
}

impl PageData for ServerKeysView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let PageRequest { state, viewer, .. } = request;
        let keys = flows::server_keys::list(&*state.store, &state.config, state.now()).await?;
        let services = flows::services::list(&*state.store).await?;
        Ok(Some(Self { viewer, keys, services }))
    }
}

impl PageData for TollView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let PageRequest { state, viewer, .. } = request;
        let (store, now) = (&*state.store, state.now());
        let listed = flows::toll::routes(store, &state.config.settings.toll, now).await?;
        Ok(Some(Self {
            viewer,
            gates: listed.gates,
            routes: listed.routes,
            days: flows::toll::days(store, super::toll::DAYS, now).await?.days,
            payments: flows::toll::payments(store, super::toll::PAGE).await?.payments,
            tokens: flows::toll::tokens(store, super::toll::PAGE, now).await?.tokens,
        }))
    }
}

/// Parameters of the pages of clients.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClientsPageQuery {
    id: String,
    /// An app's request to explain.
    request: String,
    after: String,
    done: String,
}

impl PageData for ClientsView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let Some(actor) = request.actor() else { return Ok(None) };
        let asked: ClientsPageQuery = super::request::query(request.uri).unwrap_or_default();
        let all = super::clients::listed(&actor).await?;
        let (clients, next) = paging::page(all, |client| &client.id, &asked.after);
        let verdict = if asked.request.is_empty() {
            None
        } else {
            Some(flows::oauth_explanation::explain(&actor, &asked.request).await?)
        };
        let presets = Preset::ALL.map(Preset::as_str).to_vec();
        let tokens = flows::oauth_initial_tokens::list(&actor).await?;
        Ok(Some(Self { viewer: request.viewer.clone(), clients, presets, tokens, asked: asked.request, verdict, next }))
    }
}

impl PageData for ClientView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let Some(actor) = request.actor() else { return Ok(None) };
        let asked: ClientsPageQuery = super::request::query(request.uri).unwrap_or_default();
        let all = super::clients::listed(&actor).await?;
        let Some(client) = all.into_iter().find(|client| client.id == asked.id) else { return Ok(None) };
        let groups = flows::profiles::groups(actor.store).await?.into_iter().map(|group| group.name).collect();
        let (issuer, done) = (actor.config.origin.clone(), asked.done == "changed");
        let uris = client.registration.get("redirect_uris").and_then(Value::as_array).into_iter().flatten();
        let uris: Vec<_> = uris.filter_map(|uri| uri.as_str().map(str::to_owned)).collect();
        let app_settings = Preset::of(&uris).map_or(&[][..], Preset::app_settings);
        Ok(Some(Self { viewer: request.viewer.clone(), client, issuer, app_settings, groups, done }))
    }
}

impl PageData for BansView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let Some(actor) = request.actor() else { return Ok(None) };
        let (store, now) = (actor.store, actor.now);
        let mut filter: BanQuery = super::request::query(request.uri).unwrap_or_default();
        let asked: BansPageQuery = super::request::query(request.uri).unwrap_or_default();
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
        let search = filter.search(actor.config.settings.ipv6_prefix, now)?;
        let explanation = match asked.explain.trim() {
            "" => None,
            address => match flows::bans::explain(&actor, address).await {
                Err(flows::bans::BanError::Store(error)) => return Err(error.into()),
                answer => Some(answer.map_err(|error| format!("{error}."))),
            },
        };
        let allowed = flows::allowlist::list(store, now).await?.allowed;
        let (allowed, more_allowed) = flows::paging::page(allowed, |allowed| &allowed.id, &asked.allowed_after);
        Ok(Some(Self {
            viewer: request.viewer.clone(),
            bans: flows::bans::list(store, &search).await?,
            word: filter.word,
            trigger: filter.trigger,
            state: shown,
            asked: asked.explain,
            explanation,
            allowed,
            more_allowed,
            allowlist_open: matches!(asked.done.as_str(), "allowed" | "removed") || !asked.allowed_after.is_empty(),
            triggers: Trigger::ALL.iter().map(|trigger| trigger.as_str()).collect(),
            done: match asked.done.as_str() {
                "made" => Some(BansOutcome::Made),
                "lifted" => Some(BansOutcome::Lifted),
                "allowed" => Some(BansOutcome::Allowed),
                "removed" => Some(BansOutcome::Removed),
                _ => None,
            },
        }))
    }
}

impl PageData for AuditView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let PageRequest { state, uri, viewer, .. } = request;
        let (store, now) = (&*state.store, state.now());
        let filter: audit_log::AuditQuery = super::request::query(uri).unwrap_or_default();
        let (audit, wrong) = match filter.search(store, audit::PAGE, now).await {
            Ok(search) => (audit_log::page(store, &search).await?, None),
            Err(audit_log::AuditQueryError::Store(error)) => return Err(error.into()),
            Err(wrong) => (wire::audit::AuditPage { entries: Vec::new(), next: None }, Some(format!("{wrong}."))),
        };
        let audit_log::AuditQuery { user, event, outcome, since, until, .. } = filter;
        Ok(Some(Self {
            viewer,
            filter: AuditFilter { user, event, outcome, since, until },
            wrong,
            audit,
            hours: flows::refusals::hours(store, now).await?,
            events: AuditEvent::ALL.iter().map(|event| event.as_str()).collect(),
        }))
    }
}

/// Answers `GET /dashboard/audit.csv`. A link leads here, so an expired session is renewed as for a page.
///
/// # Errors
/// An invalid filter.
pub(crate) async fn audit_file(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    // Unreadable queries are refused before sign-in, because sign-in would return here.
    super::request::query::<audit_log::AuditQuery>(request.uri())?.read(state.now())?;
    let client = request.extensions().get::<Client>();
    let Some(session) = SignedIn::find(&state, client, request.headers()).await? else {
        return Ok(Redirect::to(&sign_in_path(&state, request.headers(), request.uri())).into_response());
    };
    if let Some(path) = enrol::required_page(&state, &session, request.uri()).await? {
        return Ok(Redirect::to(&path).into_response());
    }
    if Administrator::find(&state, session).await?.is_none() {
        return Ok(render::document(State(state), View::NotFound, request).await);
    }
    audit::answer(&state, request.uri(), audit::AuditFormat::Csv).await
}
