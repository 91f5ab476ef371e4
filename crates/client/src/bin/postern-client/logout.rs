//! `postern-client logout`

use crate::desk::Desk;
use crate::print::{self, say};
use crate::stop::{Outcome, Stop};
use client::{Error, Left};
use serde_json::json;

pub async fn run(desk: &Desk, here: bool) -> Outcome {
    let server = desk.server()?.ok_or_else(|| Error::NotSignedIn("any server".to_owned()))?;
    let (left, alive) = match sign_out(desk).await {
        Ok(left) => (left, None),
        // Whatever is wrong with the stored session, it can be deleted.
        Err(Stop::Client(error)) if here && !matches!(*error, Error::NotSignedIn(_)) => {
            let id = desk.storage.session_in_keyring(&server);
            (desk.storage.forget(&server).await?, Some((error, id)))
        }
        // An item that an earlier sign-out could not remove.
        Err(Stop::Client(error)) if matches!(*error, Error::NotSignedIn(_)) && desk.storage.left(&server).is_some() => {
            (desk.storage.forget(&server).await?, None)
        }
        Err(stop) => return Err(stop),
    };
    if let Some((why, id)) = &alive {
        let id = id.as_deref().map(|id| format!(" {}", print::printable(id))).unwrap_or_default();
        say(format!("The session{id} is still alive on the server: {why}."))?;
        say("End it where you are signed in, on the page Devices or with: postern-client sessions end ID")?;
    }
    if let Some(left) = &left {
        say(format!("Not removed: {left}."))?;
    }
    if desk.json {
        return print::json(&json!({"server": server.origin(), "alive": alive.is_some(), "left_in_keyring": left}));
    }
    print::line(if alive.is_some() { format!("Deleted here: {server}.") } else { format!("Signed out at {server}.") })
}

async fn sign_out(desk: &Desk) -> Outcome<Option<Left>> {
    Ok(desk.session().await?.logout().await?)
}
