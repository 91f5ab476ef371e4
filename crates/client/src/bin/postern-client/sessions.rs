//! `postern-client sessions`

use crate::args::Sessions;
use crate::cli_error::{CliError, Outcome};
use crate::context::Context;
use crate::notices;
use crate::print::{self, utc_time};
use client::Session;
use serde_json::json;
use wire::Code;

pub(crate) async fn run(context: &Context, what: Option<Sessions>) -> Outcome {
    let session = context.session().await?;
    match what {
        None => list(context, &session).await,
        Some(Sessions::End { id }) => end(context, &session, &id).await,
    }
}

pub(crate) async fn list(context: &Context, session: &Session) -> Outcome {
    let devices = session.devices().await?;
    if context.json {
        return print::json(&devices);
    }
    let rows = devices.devices.into_iter().map(|device| {
        let here = if device.current { "here" } else { "" };
        [device.id, device.name, device.address, utc_time(device.used_at), here.to_owned()]
    });
    print::table(["id", "device", "address", "last used (UTC)", ""], rows)?;
    notices::announce(session).await
}

pub(crate) async fn end(context: &Context, session: &Session, id: &str) -> Outcome {
    session.end(id).await.map_err(|error| match error.code() {
        Some(Code::NotFound) => {
            CliError::Refused(format!("no session has the id {id}: postern-client sessions lists them"))
        }
        _ => error.into(),
    })?;
    if context.json { print::json(&json!({"ended": id})) } else { print::line(format!("The session {id} has ended.")) }
}
