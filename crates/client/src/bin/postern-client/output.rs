//! Long answers: written as they arrive, with a progress bar.

use crate::cli_error::{CliError, Outcome};
use client::Download;
use indicatif::{ProgressBar, ProgressStyle};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, IsTerminal, Result, Write};
use std::path::{Path, PathBuf};

/// Maximum number of symbolic links to follow, as in Linux.
const MOST_LINKS: usize = 40;
/// Maximum number of names to try for an incomplete file.
const MOST_PARTS: u32 = 100;

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

/// The target of `--output`, which was checked before anything is requested or paid.
#[derive(Debug)]
pub(crate) enum Target {
    /// A regular file or a free name. The file appears there when it is complete.
    File(PathBuf),
    /// A device or a pipe, which receives bytes as they arrive.
    Stream(PathBuf),
}

impl Target {
    /// Checks the path, and follows symbolic links.
    pub(crate) fn of(path: &Path) -> Outcome<Self> {
        Self::find(path).map_err(|error| broken(path, &error))
    }

    fn find(path: &Path) -> Result<Self> {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(Error::new(ErrorKind::IsADirectory, "is a folder: name a file")),
            Ok(found) if found.is_file() => {
                // A file that may not be written is not replaced either.
                OpenOptions::new().append(true).open(path)?;
                Ok(Self::File(fs::canonicalize(path)?))
            }
            Ok(_) => Ok(Self::Stream(path.to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let path = end_of_links(path)?;
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                if !fs::metadata(folder)?.is_dir() || path.file_name().is_none() {
                    return Err(Error::new(ErrorKind::NotADirectory, "is not the name of a file in a folder"));
                }
                Ok(Self::File(path))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the answer. Returns its length.
    pub(crate) async fn write(&self, download: Download<'_>) -> Outcome<u64> {
        match self {
            Self::File(path) => write_file(download, path).await,
            Self::Stream(path) => {
                let failed = |error| broken(path, &error);
                let mut stream = OpenOptions::new().write(true).open(path).map_err(failed)?;
                copy(download, &mut stream, path).await
            }
        }
    }
}

/// Writes to a new file beside the target, which gets its name when it is complete.
async fn write_file(download: Download<'_>, path: &Path) -> Outcome<u64> {
    let (mut file, part) = create_part(path).map_err(|error| broken(path, &error))?;
    let failed = |error| broken(&part, &error);
    let bytes = match copy(download, &mut file, &part).await {
        Ok(bytes) => bytes,
        Err(error) => {
            match file.metadata() {
                Ok(received) if received.len() == 0 => drop(fs::remove_file(&part)),
                _ => crate::print::say(format!("The received part is in {}.", part.display()))?,
            }
            return Err(error);
        }
    };
    // As with other programs, a replaced file keeps its mode, and a new one follows the umask.
    if let Ok(found) = fs::metadata(path) {
        file.set_permissions(found.permissions()).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    fs::rename(&part, path).map_err(failed)?;
    Ok(bytes)
}

/// Writes an answer as it arrives. `to`: the name of the target.
async fn copy(mut download: Download<'_>, target: &mut File, to: &Path) -> Outcome<u64> {
    let bar = progress(&download);
    let mut bytes = 0;
    loop {
        match download.next().await {
            Ok(Some(piece)) => {
                target.write_all(&piece).map_err(|error| broken(to, &error))?;
                bytes += piece.len() as u64;
                bar.inc(piece.len() as u64);
            }
            Ok(None) => break,
            Err(error) => {
                bar.abandon();
                return Err(error.into());
            }
        }
    }
    bar.finish_and_clear();
    Ok(bytes)
}

/// Creates `FILE.part`, or `FILE.2.part` and so on if something has that name. Nothing is replaced.
fn create_part(path: &Path) -> Result<(File, PathBuf)> {
    for number in 1..=MOST_PARTS {
        let mut name = OsString::from(path);
        name.push(if number == 1 { ".part".to_owned() } else { format!(".{number}.part") });
        match OpenOptions::new().write(true).create_new(true).open(&name) {
            Ok(file) => return Ok((file, name.into())),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::new(ErrorKind::AlreadyExists, "has too many incomplete files beside it: delete its .part files"))
}

/// Follows links to a file that does not exist yet.
fn end_of_links(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(to) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().unwrap_or(Path::new("")).join(to);
    }
    Err(Error::new(ErrorKind::InvalidInput, "is a chain of too many links"))
}

fn broken(path: &Path, error: &Error) -> CliError {
    CliError::Broken(format!("{}: {error}", path.display()))
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
