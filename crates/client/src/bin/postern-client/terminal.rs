//! Restores the terminal's state.

use crate::cli_error::Outcome;
use zeroize::Zeroizing;

/// Restores the terminal on Ctrl-C: a menu hides the cursor, and a password prompt turns the echo off.
pub(crate) fn end_on_interrupt() {
    tokio::spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            restore();
            std::process::exit(130);
        }
    });
}

pub(crate) fn restore() {
    echo::restore();
    drop(dialoguer::console::Term::stderr().show_cursor());
}

/// Asks for a line without echo.
pub(crate) fn ask_secret(question: &str) -> Outcome<Zeroizing<String>> {
    let answer = echo::ask(question);
    echo::restore();
    Ok(answer?)
}

#[cfg(unix)]
mod echo {
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use std::fs::File;
    use std::io::{Error, ErrorKind, Read, Result, Write};
    use std::sync::Mutex;
    use zeroize::Zeroizing;

    /// The terminal's earlier settings.
    static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

    /// Turns the echo off before it prints the prompt, so that no typed character appears. (`rpassword` prints first.)
    /// The terminal delivers a whole line at once.
    pub(super) fn ask(question: &str) -> Result<Zeroizing<String>> {
        let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        if let Ok(mut kept) = BEFORE.lock() {
            *kept = Some(before);
        }
        tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
        terminal.write_all(question.as_bytes())?;
        let mut line = Zeroizing::new([0; 4096]);
        let length = terminal.read(line.as_mut_slice())?;
        let text = std::str::from_utf8(line.get(..length).unwrap_or_default());
        let text = text.map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
        Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    pub(super) fn restore() {
        let before = BEFORE.lock().ok().and_then(|mut kept| kept.take());
        if let (Some(before), Ok(terminal)) = (before, File::open("/dev/tty")) {
            let _ = tcsetattr(terminal, OptionalActions::Now, &before);
        }
    }
}

#[cfg(not(unix))]
mod echo {
    use zeroize::Zeroizing;

    pub fn ask(question: &str) -> std::io::Result<Zeroizing<String>> {
        rpassword::prompt_password(question).map(Zeroizing::new)
    }

    pub fn restore() {}
}
