//! `postern-client logout`

use crate::desk::Desk;
use crate::print;
use crate::stop::Outcome;
use client::Error;
use serde_json::json;

pub async fn run(desk: &Desk, here: bool) -> Outcome {
    let session = desk.session().await?;
    let server = session.http().server().clone();
    match session.logout().await {
        Err(Error::Unreachable(..)) if here => desk.storage.forget(&server).await?,
        result => result?,
    }
    if desk.json {
        print::json(&json!({"server": server.origin()}))
    } else {
        print::line(format!("Signed out at {server}."))
    }
}
