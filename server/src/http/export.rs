//! Files that are sent while they are read.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use domain::UnixMs;
use futures::{Stream, StreamExt, TryStreamExt, future, stream};
use http::header;
use std::io;
use wire::audit::AuditEntry;

const COLUMNS: [&str; 10] =
    ["time", "event", "outcome", "user", "user_id", "by", "by_id", "about", "address", "device"];

pub(crate) fn csv(name: &str, entries: impl Stream<Item = store::Result<AuditEntry>> + Send + 'static) -> Response {
    let rows = entries.map(|entry| entry.map_err(io::Error::other).and_then(|entry| row(&cells(&entry))));
    let head = stream::once(future::ready(row(&COLUMNS.map(str::to_owned))));
    file(name, "text/csv; charset=utf-8", head.chain(rows))
}

pub(crate) fn ndjson(name: &str, entries: impl Stream<Item = store::Result<AuditEntry>> + Send + 'static) -> Response {
    let lines = entries.map(|entry| {
        let mut line = serde_json::to_vec(&entry.map_err(io::Error::other)?)?;
        line.push(b'\n');
        Ok(line)
    });
    file(name, "application/x-ndjson", lines)
}

fn file(name: &str, kind: &str, lines: impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static) -> Response {
    // A failure breaks the connection, because a partial file must not look complete.
    let lines = lines
        .inspect_err(|error| tracing::error!(cause = %crate::error_chain::chain(error), "an export was interrupted"));
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename={name}")),
    ];
    (headers, Body::from_stream(lines)).into_response()
}

fn cells(entry: &AuditEntry) -> [String; 10] {
    let time = humantime::format_rfc3339_millis(UnixMs::from_millis(entry.at).to_system_time());
    let [user, user_id, by, by_id] =
        [&entry.user, &entry.user_id, &entry.by, &entry.by_id].map(|text| text.clone().unwrap_or_default());
    [
        time.to_string(),
        entry.event.clone(),
        entry.outcome.clone(),
        user,
        user_id,
        by,
        by_id,
        entry.about.clone(),
        entry.address.clone(),
        entry.device.clone(),
    ]
}

fn row(cells: &[String]) -> io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells.iter().map(|cell| inert(cell)))?;
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// Escapes a cell that a spreadsheet would run as a formula (OWASP, CSV injection).
fn inert(cell: &str) -> String {
    let formula = cell.len() > 1 && cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_cell_ends_early() {
        let cells = ["=1+1", "@SUM(A1)", "-2", "-", "plain", "a,\"b\"\r\nc"].map(str::to_owned);
        let text = String::from_utf8(row(&cells).expect("a row")).expect("text");
        assert_eq!(text, "'=1+1,'@SUM(A1),'-2,-,plain,\"a,\"\"b\"\"\r\nc\"\r\n");
    }
}
