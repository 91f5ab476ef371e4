//! Output. Colours are removed in a pipe or under `NO_COLOR`.

use crate::cli_error::Outcome;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::Duration;

pub(crate) use crate::style::{PLAIN, STRONG};
pub(crate) use domain::printable::{printable, printable_lines};

/// Prints one line of the answer.
pub(crate) fn line(text: impl Display) -> Outcome {
    Ok(writeln!(anstream::stdout().lock(), "{text}")?)
}

/// Prints a message on standard error, so that a script's input stays clean. Errors of servers may be part of it.
pub(crate) fn say(text: impl Display) -> Outcome {
    say_styled(printable_lines(&text.to_string()))
}

/// Prints a message with styles. Text of others in it must be [`printable`].
pub(crate) fn say_styled(text: impl Display) -> Outcome {
    Ok(writeln!(anstream::stderr().lock(), "{text}")?)
}

pub(crate) fn json(value: &impl Serialize) -> Outcome {
    line(serde_json::to_string(value).map_err(std::io::Error::from)?)
}

pub(crate) fn bytes(bytes: &[u8]) -> Outcome {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes)?;
    Ok(stdout.flush()?)
}

/// Prints columns under a header in a terminal, and otherwise rows separated by tabs for `cut`.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Outcome {
    let rows = rows.into_iter().map(|row| row.map(|cell| printable(&cell)));
    if !std::io::stdout().is_terminal() {
        return rows.into_iter().try_for_each(|row| line(row.join("\t")));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(head);
    for row in rows {
        table.add_row(row);
    }
    line(table.trim_fmt())
}

/// Formats a time in UTC: `2026-11-21 09:00:00`.
pub(crate) fn utc_time(at: i64) -> String {
    let at = domain::UnixMs::from_millis(at).to_system_time();
    humantime::format_rfc3339_seconds(at).to_string().replace('T', " ").replace('Z', "")
}

/// Formats a period, rounded up to seconds: `2h 5m 3s`.
pub(crate) fn span(ms: i64) -> String {
    let seconds = u64::try_from(ms).unwrap_or_default().div_ceil(1000);
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

/// Whether standard input and output are a terminal.
pub(crate) fn at_a_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_that_a_server_names_can_be_written() {
        assert_eq!(utc_time(1_763_715_600_000), "2025-11-21 09:00:00");
        assert_eq!(utc_time(i64::MIN), "1970-01-01 00:00:00");
        assert_eq!(utc_time(i64::MAX), "9999-12-31 23:59:59");
    }
}
