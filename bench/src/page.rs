//! The transfer size of /login at a browser's first visit: bytes on the wire, headers included.

use crate::browser;
use crate::table::{Row, count};
use anyhow::Result;
use serde::Deserialize;

const BYTES: f64 = 95_000.0;
const REQUESTS: f64 = 8.0;

#[derive(Debug, Deserialize)]
struct Loaded {
    name: String,
    bytes: u32,
}

pub(crate) fn measure() -> Result<Vec<Row>> {
    let loaded: Vec<Loaded> = browser::run("page.mjs")?;
    let bytes = loaded.iter().map(|file| f64::from(file.bytes)).sum();
    let mut rows = vec![
        Row::at_most("/login, everything it loads", bytes, BYTES, |bytes| format!("{bytes:.0} B")),
        Row::at_most("/login, requests", count(loaded.len()), REQUESTS, |requests| format!("{requests:.0}")),
    ];
    rows.extend(loaded.iter().map(|file| Row::new(&format!("  {}", file.name), format!("{} B", file.bytes))));
    Ok(rows)
}
