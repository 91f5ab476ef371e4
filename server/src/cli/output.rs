//! Output that a closed reader or a full disk cannot turn into a panic.
//!
//! `println!` and its kin panic if a line cannot be written. A server must survive that, and a command has to finish its
//! work: `postern user import people.csv | head -1` imports everybody.

use super::{Failure, Outcome};
use parking_lot::Mutex;
use std::fmt::Arguments;
use std::io::{Error, ErrorKind, Write, stderr, stdout};

/// The first failure of standard output, which ends it.
static FAILED: Mutex<Option<Error>> = Mutex::new(None);

/// Prints a line on standard output.
macro_rules! println {
    () => { $crate::cli::output::print(format_args!("\n")) };
    ($($text:tt)*) => { $crate::cli::print_line(format_args!($($text)*)) };
}

/// Prints text on standard output.
macro_rules! print {
    ($($text:tt)*) => { $crate::cli::output::print(format_args!($($text)*)) };
}

/// Prints a line on standard error.
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::cli::output::report(format_args!("{}\n", format_args!($($text)*))) };
}

/// Prints text on standard error.
macro_rules! eprint {
    ($($text:tt)*) => { $crate::cli::output::report(format_args!($($text)*)) };
}

/// Prints a line on standard output, unless that has failed before.
pub fn print_line(text: Arguments<'_>) {
    print(format_args!("{text}\n"));
}

pub(super) fn print(text: Arguments<'_>) {
    let mut failed = FAILED.lock();
    if failed.is_some() {
        return;
    }
    let mut stdout = stdout().lock();
    *failed = stdout.write_fmt(text).and_then(|()| stdout.flush()).err();
}

/// Prints on standard error. Nobody can be told if that fails.
pub(super) fn report(text: Arguments<'_>) {
    let _ = stderr().lock().write_fmt(text);
}

/// Says why a line did not arrive. Asked by a command that must not continue then.
///
/// # Errors
/// A line could not be written, also because its reader has closed the output.
pub(super) fn is_whole() -> std::io::Result<()> {
    FAILED.lock().take().map_or(Ok(()), Err)
}

/// Says why the output is incomplete. A reader that closed it early, such as `head`, wanted no more.
///
/// # Errors
/// A line could not be written, because of a full disk for example.
pub(super) fn is_complete() -> Outcome {
    match is_whole() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::from(format!("the output is incomplete: {error}. The command itself is done")))
        }
        _ => Ok(()),
    }
}
