//! Refreshes per second of many sessions at once, each durable before it is answered, against single
//! fsyncs on the same disk.

use crate::service::Service;
use crate::table::{Row, count, median, per_second};
use crate::visitor::Visitor;
use crate::{disk, load, machine};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use wire::login::SignedIn;
use wire::paths;
use wire::refresh::RefreshRequest;

const SESSIONS: usize = 64;
const TARGET: f64 = 10.0;
const ROUNDS: usize = 3;

/// A session, its connection and its newest refresh token.
struct RefreshSession(Visitor, String);

pub(crate) fn measure() -> Result<Vec<Row>> {
    let folder = machine::folder()?;
    let service = Service::start(folder.path(), Service::workers(), |_| {})?;
    let clients = load::runtime()?;
    let mut sessions = clients.block_on(sign_in(&service))?;
    let (mut refreshes, mut fsyncs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let limit = disk::fsyncs_per_second(folder.path(), Duration::from_secs(1))?;
        let rate = refreshes_per_second(&clients, &mut sessions)?;
        refreshes.push(rate);
        fsyncs.push(limit);
        ratios.push(rate / limit);
    }
    drop(clients);
    service.end();
    let (limit, ratio) = (format!("single fsyncs {}", per_second(median(&fsyncs))), median(&ratios));
    let row = Row::new(&format!("refreshes, {SESSIONS} sessions"), per_second(median(&refreshes)));
    Ok(vec![row.beside(limit, ratio).at_least(ratio, TARGET)])
}

async fn sign_in(service: &Service) -> Result<Vec<RefreshSession>> {
    let place = service.place.clone();
    let arrive = move |()| {
        let place = place.clone();
        async move {
            let mut visitor = Visitor::arrive(&place, 1).await?;
            let tokens = visitor.sign_in().await?.context("no envelope")?;
            Ok(RefreshSession(visitor, tokens.refresh_token))
        }
    };
    load::concurrent_tasks(SESSIONS, vec![(); SESSIONS], arrive).await
}

fn refreshes_per_second(clients: &Runtime, sessions: &mut Vec<RefreshSession>) -> Result<f64> {
    let began = Instant::now();
    let end = began + Duration::from_secs(2);
    let come = std::mem::take(sessions);
    let done = clients.block_on(load::concurrent_tasks(SESSIONS, come, move |session| refresh_until(session, end)))?;
    let rate = count(done.iter().map(|(_, times)| times).sum()) / began.elapsed().as_secs_f64();
    sessions.extend(done.into_iter().map(|(session, _)| session));
    Ok(rate)
}

async fn refresh_until(
    RefreshSession(mut visitor, mut token): RefreshSession,
    end: Instant,
) -> Result<(RefreshSession, usize)> {
    let mut done = 0;
    while Instant::now() < end {
        let request = RefreshRequest { refresh_token: Some(token) };
        let answer: SignedIn =
            visitor.client().await?.post(paths::REFRESH, serde_json::to_vec(&request)?.into()).await?;
        token = answer.tokens.context("a refresh without tokens")?.refresh_token;
        done += 1;
    }
    Ok((RefreshSession(visitor, token), done))
}
