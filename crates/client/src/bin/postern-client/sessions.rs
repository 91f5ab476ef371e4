//! `postern-client sessions`

use crate::args::Sessions;
use crate::desk::Desk;
use crate::print::{self, moment};
use crate::stop::Outcome;
use client::Session;
use serde_json::json;

pub async fn run(desk: &Desk, what: Option<Sessions>) -> Outcome {
    let session = desk.session().await?;
    match what {
        None => list(desk, &session).await,
        Some(Sessions::End { id }) => end(desk, &session, &id).await,
    }
}

pub async fn list(desk: &Desk, session: &Session) -> Outcome {
    let devices = session.devices().await?;
    if desk.json {
        return print::json(&devices);
    }
    let rows = devices.devices.into_iter().map(|device| {
        let here = if device.current { "here" } else { "" };
        [device.id, device.name, device.address, moment(device.used_at), here.to_owned()]
    });
    print::table(["id", "device", "address", "last used (UTC)", ""], rows)
}

pub async fn end(desk: &Desk, session: &Session, id: &str) -> Outcome {
    session.end(id).await?;
    if desk.json { print::json(&json!({"ended": id})) } else { print::line(format!("The session {id} has ended.")) }
}
