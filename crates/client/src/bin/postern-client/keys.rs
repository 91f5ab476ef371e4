//! `postern-client keys`

use crate::args::Keys;
use crate::cli_error::{CliError, Outcome};
use crate::context::Context;
use crate::print::{self, at_a_terminal, span, utc_time};
use client::Session;
use dialoguer::Confirm;
use wire::user_keys::{UserKey, UserKeyState, UserKeys};

pub(crate) async fn run(context: &Context, what: Keys) -> Outcome {
    let session = context.session().await?;
    match what {
        Keys::Show => show(context, &session).await,
        Keys::Rotate => rotate(context, &session).await,
        Keys::Revoke { version, yes } => revoke(context, &session, version, yes).await,
    }
}

pub(crate) async fn show(context: &Context, session: &Session) -> Outcome {
    let keys = session.user_keys().await?;
    if context.json {
        return print::json(&keys);
    }
    let rows = keys
        .keys
        .iter()
        .map(|key| [key.version.to_string(), state(key.state).to_owned(), utc_time(key.created_at), end_of(key)]);
    print::table(["version", "state", "made (UTC)", "ends (UTC)"], rows)
}

pub(crate) async fn rotate(context: &Context, session: &Session) -> Outcome {
    let UserKeys { keys, overlap_ms } = session.rotate_user_key().await?;
    if context.json {
        return print::json(&UserKeys { keys, overlap_ms });
    }
    for current in keys.iter().filter(|key| key.state == UserKeyState::Current) {
        print::line(format!("Version {} is in use.", current.version))?;
    }
    print::line(format!("The previous version is valid for {} more; then its connections end.", span(overlap_ms)))
}

pub(crate) async fn revoke(context: &Context, session: &Session, version: u32, yes: bool) -> Outcome {
    if !yes && !agrees(version)? {
        return Err(CliError::Broken("nothing was revoked".to_owned()));
    }
    session.revoke_user_key(version).await?;
    if context.json { show(context, session).await } else { print::line(format!("Version {version} is revoked.")) }
}

fn agrees(version: u32) -> Outcome<bool> {
    if !at_a_terminal() {
        return Err(CliError::Usage("cannot ask for confirmation without a terminal: add --yes".to_owned()));
    }
    let question = format!("End version {version} and its connections now?");
    Ok(Confirm::new().with_prompt(question).default(false).interact()?)
}

fn state(state: UserKeyState) -> &'static str {
    match state {
        UserKeyState::Current => "in use",
        UserKeyState::Overlap => "replaced, still valid",
        UserKeyState::Ended => "ended",
        UserKeyState::Revoked => "revoked",
    }
}

fn end_of(key: &UserKey) -> String {
    key.revoked_at.or(key.ends_at).map(utc_time).unwrap_or_default()
}
