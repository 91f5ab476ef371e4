//! `postern-client logout`

use crate::cli_error::{CliError, Outcome};
use crate::context::Context;
use crate::print::{self, say};
use client::{Error, KeyringItem};
use serde_json::json;

pub(crate) async fn run(context: &Context, here: bool) -> Outcome {
    let server = context.server()?.ok_or_else(|| Error::NotSignedIn("any server".to_owned()))?;
    let (left, alive) = match sign_out(context).await {
        Ok(left) => (left, None),
        // A stored session can be deleted even if it cannot be used.
        Err(CliError::Client(error)) if here && !matches!(*error, Error::NotSignedIn(_)) => {
            let id = context.storage.session_in_keyring(&server);
            (context.storage.forget(&server).await?, Some((error, id)))
        }
        // An item that an earlier sign-out could not remove.
        Err(CliError::Client(error))
            if matches!(*error, Error::NotSignedIn(_)) && context.storage.leftover(&server).is_some() =>
        {
            (context.storage.forget(&server).await?, None)
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
    if context.json {
        return print::json(&json!({"server": server.origin(), "alive": alive.is_some(), "left_in_keyring": left}));
    }
    print::line(if alive.is_some() { format!("Deleted here: {server}.") } else { format!("Signed out at {server}.") })
}

async fn sign_out(context: &Context) -> Outcome<Option<KeyringItem>> {
    Ok(context.session().await?.logout().await?)
}
