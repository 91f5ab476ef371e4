//! `postern-client menu`, with the entries of the dashboard.

use crate::cli_error::{CliError, Outcome};
use crate::context::Context;
use crate::print::{at_a_terminal, printable, say};
use crate::terminal::end_on_interrupt;
use crate::{keys, logout, server_keys, sessions, time, whoami};
use client::{Error, Session};
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Confirm, Select};
use std::fmt::Display;
use wire::server_keys::ServerKeyKind;

const ADMINISTRATOR: &str = "administrator";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Overview,
    Devices,
    Keys,
    Time,
    ServerKeys,
    SignOut,
    Leave,
}

pub(crate) async fn run(context: &Context, session: &Session) -> Outcome {
    if !at_a_terminal() || context.json {
        return Err(CliError::Usage("the menu needs a terminal".to_owned()));
    }
    end_on_interrupt();
    let me = session.whoami().await?;
    let mut entries = vec![Entry::Overview, Entry::Devices, Entry::Keys, Entry::Time];
    if me.roles.iter().any(|role| role == ADMINISTRATOR) {
        entries.push(Entry::ServerKeys);
    }
    entries.extend([Entry::SignOut, Entry::Leave]);
    loop {
        let names: Vec<_> = entries.iter().map(|entry| entry.name()).collect();
        let chosen = choose(&printable(&me.username), &names)?;
        let entry = chosen.and_then(|chosen| entries.get(chosen)).copied().unwrap_or(Entry::Leave);
        let outcome = match entry {
            Entry::Overview => whoami::run(context, session).await,
            Entry::Devices => devices(context, session).await,
            Entry::Keys => user_keys(context, session).await,
            Entry::Time => time::prompt(context, session).await,
            Entry::ServerKeys => of_the_server(context, session).await,
            Entry::SignOut => return logout::run(context, false).await,
            Entry::Leave => return Ok(()),
        };
        // An error in one entry does not end the menu.
        match outcome {
            Err(CliError::Client(error)) if !is_the_end(&error) => drop(CliError::Client(error).report(false)),
            Err(CliError::Usage(why) | CliError::Refused(why)) => say(why)?,
            outcome => outcome?,
        }
    }
}

impl Entry {
    fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Devices => "Devices",
            Self::Keys => "Keys",
            Self::Time => "Time",
            Self::ServerKeys => "Server keys",
            Self::SignOut => "Sign out",
            Self::Leave => "Quit, and stay signed in",
        }
    }
}

async fn devices(context: &Context, session: &Session) -> Outcome {
    sessions::list(context, session).await?;
    let devices = session.devices().await?.devices;
    let others: Vec<_> = devices.into_iter().filter(|device| !device.current).collect();
    if others.is_empty() {
        return Ok(());
    }
    let names = others.iter().map(|device| format!("End {} ({})", printable(&device.name), device.id));
    let names: Vec<_> = std::iter::once("Back".to_owned()).chain(names).collect();
    let chosen = choose("Devices", &names)?.and_then(|chosen| others.get(chosen.checked_sub(1)?));
    match chosen {
        Some(device) => sessions::end(context, session, &device.id).await,
        None => Ok(()),
    }
}

async fn user_keys(context: &Context, session: &Session) -> Outcome {
    keys::show(context, session).await?;
    match choose("Keys", &["Back", "Rotate my key"])? {
        Some(1) if agrees("Make a new version? Connections under the current one end after the overlap.")? => {
            keys::rotate(context, session).await
        }
        _ => Ok(()),
    }
}

async fn of_the_server(context: &Context, session: &Session) -> Outcome {
    server_keys::list(context, session).await?;
    let names =
        ["Back", "Rotate the envelope key", "Rotate the signing key", "Rotate the ID token key", "Rotate the MAC key"];
    let kind = match choose("Server keys", &names)? {
        Some(1) => ServerKeyKind::Envelope,
        Some(2) => ServerKeyKind::Signing,
        Some(3) => ServerKeyKind::IdToken,
        Some(4) => ServerKeyKind::Mac,
        _ => return Ok(()),
    };
    if agrees("Make a new one? The current one stays valid for its overlap.")? {
        server_keys::rotate(context, session, kind).await?;
    }
    Ok(())
}

/// Returns the index of the chosen name. `None`: the person pressed Escape.
fn choose<T: Display>(title: &str, names: &[T]) -> Outcome<Option<usize>> {
    Ok(Select::with_theme(&ColorfulTheme::default()).with_prompt(title).items(names).default(0).interact_opt()?)
}

fn agrees(question: &str) -> Outcome<bool> {
    Ok(Confirm::with_theme(&ColorfulTheme::default()).with_prompt(question).default(false).interact()?)
}

fn is_the_end(error: &Error) -> bool {
    matches!(error, Error::NotSignedIn(_) | Error::SessionEnded(_))
}
