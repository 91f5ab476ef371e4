//! `postern-client whoami`

use crate::cli_error::Outcome;
use crate::context::Context;
use crate::print::{self, PLAIN, STRONG, printable};
use client::{Location, Session};
use serde_json::json;

pub(crate) async fn run(context: &Context, session: &Session) -> Outcome {
    let server = session.http().server();
    let me = session.whoami().await?;
    let (kept, left) = (session.storage().location(server)?, session.storage().leftover(server));
    if context.json {
        let (storage, file) = match &kept {
            Some(Location::File(path)) => ("file", Some(path)),
            _ => ("keyring", None),
        };
        return print::json(&json!({
            "server": server.origin(),
            "username": me.username,
            "id": me.sub,
            "roles": me.roles,
            "session": me.id,
            "bound": me.bound,
            "storage": storage,
            "file": file,
            "left_in_keyring": left,
        }));
    }
    print::line(format!("{STRONG}{}{PLAIN} at {server}", printable(&me.username)))?;
    print::line(format!("Roles    {}", printable(&me.roles.join(", "))))?;
    print::line(format!("Session  {}", printable(&me.id)))?;
    print::line(format!("Kept in  {}", kept.as_ref().map(location_name).unwrap_or_default()))?;
    match left {
        Some(left) => print::say(format!("Not removed: {left}.")),
        None => Ok(()),
    }
}

pub(crate) fn location_name(location: &Location) -> String {
    match location {
        Location::Keyring => "the keyring".to_owned(),
        Location::File(path) => path.display().to_string(),
    }
}
