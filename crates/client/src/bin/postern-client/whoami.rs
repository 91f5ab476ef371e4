//! `postern-client whoami`

use crate::desk::Desk;
use crate::print::{self, PLAIN, STRONG, printable};
use crate::stop::Outcome;
use client::{Place, Session};
use serde_json::json;

pub async fn run(desk: &Desk, session: &Session) -> Outcome {
    let server = session.http().server();
    let me = session.whoami().await?;
    let (kept, left) = (session.storage().place(server)?, session.storage().left(server));
    if desk.json {
        let (storage, file) = match &kept {
            Some(Place::File(path)) => ("file", Some(path)),
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
    print::line(format!("Kept in  {}", kept.as_ref().map(place).unwrap_or_default()))?;
    match left {
        Some(left) => print::say(format!("Not removed: {left}.")),
        None => Ok(()),
    }
}

pub fn place(place: &Place) -> String {
    match place {
        Place::Keyring => "the keyring".to_owned(),
        Place::File(path) => path.display().to_string(),
    }
}
