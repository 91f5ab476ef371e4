//! Output of commands: tables for people, lines or JSON for programs.

use super::{Failure, Outcome};
use crate::period::period;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use domain::UnixMs;
use serde::Serialize;
use std::io::IsTerminal;
use std::time::Duration;

pub(super) use domain::printable::{printable, printable_lines};

/// Not found. It has its own exit code, so that a script can distinguish it from a failure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotFound(pub String);

pub(super) fn not_found(what: impl Into<String>) -> Failure {
    NotFound(what.into()).into()
}

/// Prints columns under a header in a terminal, and otherwise rows separated by tabs for `cut` and `while read`.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let rows = rows.into_iter().map(|row| row.map(|cell| printable(&cell)));
    if !std::io::stdout().is_terminal() {
        for row in rows {
            println!("{}", row.join("\t"));
        }
        return;
    }
    println!("{}", laid_out(head, rows.collect(), None).trim_fmt());
}

/// Lays out columns for a terminal. A cell breaks between words only: half of an address may be an address too.
/// `width`: instead of the terminal's width.
fn laid_out<const N: usize>(head: [&str; N], rows: Vec<[String; N]>, width: Option<u16>) -> Table {
    let mut longest = head.map(longest_word);
    for row in &rows {
        for (longest, cell) in longest.iter_mut().zip(row) {
            *longest = (*longest).max(longest_word(cell));
        }
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(head);
    if let Some(width) = width {
        table.set_width(width);
    }
    table.add_rows(rows);
    table.set_constraints(longest.map(|word| ColumnConstraint::LowerBoundary(Width::Fixed(word))));
    table
}

/// Returns the width of the longest word, with the space around a cell.
fn longest_word(text: &str) -> u16 {
    let longest = text.split_whitespace().map(|word| word.chars().count()).max().unwrap_or_default();
    u16::try_from(longest + 2).unwrap_or(u16::MAX)
}

/// Prints a sentence for people if a list is empty, and nothing for programs.
pub(super) fn empty(sentence: &str) {
    if std::io::stdout().is_terminal() {
        println!("{sentence}");
    }
}

/// Prints one value on one line.
pub(super) fn json<T: Serialize>(value: &T) -> Outcome {
    println!("{}", serde_json::to_string(value)?);
    Ok(())
}

/// Formats a time of the wire, in unix milliseconds, in UTC: `2026-11-21 09:00:00`.
pub(super) fn utc_time(at: i64) -> String {
    crate::utc_time::utc_time(UnixMs::from_millis(at))
}

/// Formats a period, rounded up to seconds: `2h 5m`.
pub(super) fn remaining(ms: i64) -> String {
    let seconds = u64::try_from(ms).unwrap_or_default().div_ceil(1000);
    period(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_can_be_written() {
        assert_eq!(utc_time(1_763_715_600_000), "2025-11-21 09:00:00");
        assert_eq!(utc_time(i64::MIN), "1970-01-01 00:00:00");
        assert_eq!(utc_time(i64::MAX), "9999-12-31 23:59:59");
    }

    #[test]
    fn an_address_is_never_broken() {
        let rows = vec![
            [
                "2001:db8:1:2::/64",
                "everything",
                "lifted 2026-11-21 09:00:00",
                "forged_short_key",
                "a reason of some words",
            ]
            .map(str::to_owned),
        ];
        let narrow = laid_out(["ADDRESS", "SCOPE", "LEFT", "TRIGGER", "REASON"], rows, Some(60)).to_string();
        for word in ["2001:db8:1:2::/64", "forged_short_key", "2026-11-21", "everything"] {
            assert!(narrow.contains(word), "{narrow}");
        }
    }
}
