//! `postern-client keys`

use crate::args::Keys;
use crate::desk::Desk;
use crate::print::{self, at_a_terminal, moment, span};
use crate::stop::{Outcome, Stop};
use client::Session;
use dialoguer::Confirm;
use wire::user_keys::{State, UserKey, UserKeys};

pub async fn run(desk: &Desk, what: Keys) -> Outcome {
    let session = desk.session().await?;
    match what {
        Keys::Show => show(desk, &session).await,
        Keys::Rotate => rotate(desk, &session).await,
        Keys::Revoke { version, yes } => revoke(desk, &session, version, yes).await,
    }
}

pub async fn show(desk: &Desk, session: &Session) -> Outcome {
    let keys = session.user_keys().await?;
    if desk.json {
        return print::json(&keys);
    }
    let rows = keys
        .keys
        .iter()
        .map(|key| [key.version.to_string(), state(key.state).to_owned(), moment(key.created_at), end_of(key)]);
    print::table(["version", "state", "made (UTC)", "ends (UTC)"], rows)
}

pub async fn rotate(desk: &Desk, session: &Session) -> Outcome {
    let UserKeys { keys, overlap_ms } = session.rotate_user_key().await?;
    if desk.json {
        return print::json(&UserKeys { keys, overlap_ms });
    }
    for current in keys.iter().filter(|key| key.state == State::Current) {
        print::line(format!("Version {} is in use.", current.version))?;
    }
    print::line(format!("The previous version is valid for {} more; then its connections end.", span(overlap_ms)))
}

pub async fn revoke(desk: &Desk, session: &Session, version: u32, yes: bool) -> Outcome {
    if !yes && !agrees(version)? {
        return Err(Stop::Broken("nothing was revoked".to_owned()));
    }
    session.revoke_user_key(version).await?;
    if desk.json { show(desk, session).await } else { print::line(format!("Version {version} is revoked.")) }
}

fn agrees(version: u32) -> Outcome<bool> {
    if !at_a_terminal() {
        return Err(Stop::Usage("cannot ask for confirmation without a terminal: add --yes".to_owned()));
    }
    let question = format!("End version {version} and its connections now?");
    Ok(Confirm::new().with_prompt(question).default(false).interact()?)
}

fn state(state: State) -> &'static str {
    match state {
        State::Current => "in use",
        State::Overlap => "replaced, still valid",
        State::Ended => "ended",
        State::Revoked => "revoked",
    }
}

fn end_of(key: &UserKey) -> String {
    key.revoked_at.or(key.ends_at).map(moment).unwrap_or_default()
}
