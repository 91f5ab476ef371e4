//! `GET /api/admin/live`: live refusals on this node, as server-sent events.

use super::ApiError;
use crate::guards::administrator::Administrator;
use crate::refusal_feed::RefusalEvent;
use crate::state::AppState;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use domain::UnixMs;
use futures::{Stream, stream};
use http::header;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::time::{Interval, MissedTickBehavior, interval};
use wire::problem::Code;
use wire::refusals as seen;

/// Interval of events, at which the reader's permission is checked again.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Ends with the access token, the session or the role, or when the reader is too slow.
pub(crate) async fn live(
    State(state): State<AppState>,
    administrator: Administrator,
) -> Result<impl IntoResponse, ApiError> {
    let refusals = state.defence.refusal_feed.watch().ok_or_else(|| ApiError::wait(Code::Busy, 5_000))?;
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reader = Reader { state, administrator, refusals, heartbeat };
    // Prevents buffering by a proxy.
    let headers = [(header::HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Sse::new(events(reader))))
}

struct Reader {
    state: AppState,
    administrator: Administrator,
    refusals: Receiver<RefusalEvent>,
    heartbeat: Interval,
}

fn events(reader: Reader) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((Ok(event), reader))
    })
}

impl Reader {
    /// Returns the next event. `None` ends the stream, also for a slow reader, because a list with gaps would look
    /// complete.
    async fn next(&mut self) -> Option<Event> {
        tokio::select! {
            refusal = self.refusals.recv() => {
                let refusal = refusal.ok()?;
                self.is_signed_in().await.then_some(())?;
                Event::default().event("refusal").json_data(shown(refusal)).ok()
            }
            _ = self.heartbeat.tick() => {
                (self.is_signed_in().await && self.is_administrator().await).then(|| Event::default().comment(""))
            }
        }
    }

    async fn is_signed_in(&self) -> bool {
        let (state, claims) = (&self.state, &self.administrator.session.claims);
        let id = &claims.sid;
        claims.exp > state.now().to_seconds()
            && state.sessions.is_live(&*state.store, id, state.now()).await.unwrap_or(false)
    }

    async fn is_administrator(&self) -> bool {
        let session = self.administrator.session.clone();
        Administrator::find(&self.state, session).await.is_ok_and(|found| found.is_some())
    }
}

fn shown(refusal: RefusalEvent) -> seen::Refusal {
    let ban = refusal.ban.as_ref();
    seen::Refusal {
        at: refusal.at.as_millis(),
        address: refusal.client_key.to_string(),
        trigger: refusal.trigger.to_string(),
        scope: ban.map(|ban| ban.scope.to_string()),
        until: ban.map(|ban| ban.until).map(UnixMs::as_millis),
        incident: ban.map(|ban| ban.incident.clone()),
    }
}
