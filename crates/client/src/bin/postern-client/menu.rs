//! `postern-client menu`, with the entries of the dashboard.

use crate::desk::Desk;
use crate::print::{at_a_terminal, printable, say};
use crate::stop::{Outcome, Stop};
use crate::terminal::end_on_interrupt;
use crate::{keys, logout, server_keys, sessions, time, whoami};
use client::{Error, Session};
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Confirm, Select};
use std::fmt::Display;
use wire::server_keys::Kind;

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

pub async fn run(desk: &Desk, session: &Session) -> Outcome {
    if !at_a_terminal() || desk.json {
        return Err(Stop::Usage("the menu needs a terminal".to_owned()));
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
            Entry::Overview => whoami::run(desk, session).await,
            Entry::Devices => devices(desk, session).await,
            Entry::Keys => user_keys(desk, session).await,
            Entry::Time => time::prompt(desk, session).await,
            Entry::ServerKeys => of_the_server(desk, session).await,
            Entry::SignOut => return logout::run(desk, false).await,
            Entry::Leave => return Ok(()),
        };
        // An error in one entry does not end the menu.
        match outcome {
            Err(Stop::Client(error)) if !is_the_end(&error) => drop(Stop::Client(error).tell(false)),
            Err(Stop::Usage(why) | Stop::Refused(why)) => say(why)?,
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

async fn devices(desk: &Desk, session: &Session) -> Outcome {
    sessions::list(desk, session).await?;
    let devices = session.devices().await?.devices;
    let others: Vec<_> = devices.into_iter().filter(|device| !device.current).collect();
    if others.is_empty() {
        return Ok(());
    }
    let names = others.iter().map(|device| format!("End {} ({})", printable(&device.name), device.id));
    let names: Vec<_> = std::iter::once("Back".to_owned()).chain(names).collect();
    let chosen = choose("Devices", &names)?.and_then(|chosen| others.get(chosen.checked_sub(1)?));
    match chosen {
        Some(device) => sessions::end(desk, session, &device.id).await,
        None => Ok(()),
    }
}

async fn user_keys(desk: &Desk, session: &Session) -> Outcome {
    keys::show(desk, session).await?;
    match choose("Keys", &["Back", "Rotate my key"])? {
        Some(1) if agrees("Make a new version? Connections under the current one end after the overlap.")? => {
            keys::rotate(desk, session).await
        }
        _ => Ok(()),
    }
}

async fn of_the_server(desk: &Desk, session: &Session) -> Outcome {
    server_keys::list(desk, session).await?;
    let names = ["Back", "Rotate the envelope key", "Rotate the signing key", "Rotate the MAC key"];
    let kind = match choose("Server keys", &names)? {
        Some(1) => Kind::Envelope,
        Some(2) => Kind::Signing,
        Some(3) => Kind::Mac,
        _ => return Ok(()),
    };
    if agrees("Make a new one? The current one stays valid as long as it is needed.")? {
        server_keys::rotate(desk, session, kind).await?;
    }
    Ok(())
}

/// `None`: the person pressed Escape.
fn choose<T: Display>(title: &str, names: &[T]) -> Outcome<Option<usize>> {
    Ok(Select::with_theme(&ColorfulTheme::default()).with_prompt(title).items(names).default(0).interact_opt()?)
}

fn agrees(question: &str) -> Outcome<bool> {
    Ok(Confirm::with_theme(&ColorfulTheme::default()).with_prompt(question).default(false).interact()?)
}

fn is_the_end(error: &Error) -> bool {
    matches!(error, Error::NotSignedIn(_) | Error::SessionEnded(_))
}
