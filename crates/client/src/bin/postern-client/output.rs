//! Long answers: written as they arrive, with a progress bar.

use crate::cli_error::{CliError, Outcome};
use client::Download;
use indicatif::{ProgressBar, ProgressStyle};
use std::ffi::OsString;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Writes to standard output in pieces.
pub(crate) async fn to_stdout(mut download: Download<'_>) -> Outcome {
    // A terminal shows either the answer or the progress bar, not both.
    let bar = if std::io::stdout().is_terminal() { ProgressBar::hidden() } else { progress(&download) };
    while let Some(piece) = download.next().await? {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&piece)?;
        stdout.flush()?;
        bar.inc(piece.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Writes to a file that gets its name when it is complete. Returns its length.
pub(crate) async fn to_file(mut download: Download<'_>, path: &Path) -> Outcome<u64> {
    let part = part(path);
    let failed = |error: std::io::Error| CliError::Broken(format!("{}: {error}", part.display()));
    let mut file = File::create(&part).map_err(failed)?;
    let bar = progress(&download);
    let mut bytes = 0;
    loop {
        match download.next().await {
            Ok(Some(piece)) => {
                file.write_all(&piece).map_err(failed)?;
                bytes += piece.len() as u64;
                bar.inc(piece.len() as u64);
            }
            Ok(None) => break,
            Err(error) => {
                bar.abandon();
                crate::print::say(format!("The received part is in {}.", part.display()))?;
                return Err(error.into());
            }
        }
    }
    file.sync_all().map_err(failed)?;
    std::fs::rename(&part, path).map_err(failed)?;
    bar.finish_and_clear();
    Ok(bytes)
}

fn part(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".part");
    PathBuf::from(name)
}

/// Shows progress on standard error, if that is a terminal.
fn progress(download: &Download<'_>) -> ProgressBar {
    let bar = download.total().map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = if download.total().is_some() {
        "{bytes} of {total_bytes}, {bytes_per_sec}, {eta} left"
    } else {
        "{bytes}, {bytes_per_sec}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
