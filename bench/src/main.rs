//! Measures Postern and the limits of its machine, and reports which targets are met.
//!
//! Figures of one run belong together: on another machine, or at another hour of a shared one, both columns change.
//! Nothing fails here; the reader decides.

mod argon;
mod banned;
mod bare;
mod browser;
mod buying;
mod challenges;
mod client;
mod disk;
mod latency;
mod load;
mod login;
mod machine;
mod memory;
mod metadata;
mod new_tokens;
mod nginx;
mod openid;
mod openid_client;
mod page;
mod passkey;
mod paying;
mod program;
mod refresh;
mod restart;
mod sealing;
mod service;
mod serving;
mod sessions;
mod signature;
mod table;
mod time;
mod time_process;
mod toll;
mod visitor;
mod wrk;

use anyhow::{Result, bail};
use std::process::ExitCode;
use table::Row;

/// A measurement: its name on the command line, and its function.
type Measurement = (&'static str, fn() -> Result<Vec<Row>>);

const MEASUREMENTS: [Measurement; 17] = [
    ("page", page::measure),
    ("sealing", sealing::measure),
    ("passkey", passkey::measure),
    ("memory", memory::measure),
    ("restart", restart::measure),
    ("login", login::measure),
    ("sessions", sessions::measure),
    ("new_tokens", new_tokens::measure),
    ("latency", latency::measure),
    ("metadata", metadata::measure),
    ("challenges", challenges::measure),
    ("banned", banned::measure),
    ("refresh", refresh::measure),
    ("openid", openid::measure),
    ("time", time::measure),
    ("toll", toll::measure),
    ("buying", buying::measure),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if names == [serving::COMMAND] {
        return serving::serve();
    }
    if names == [time_process::COMMAND] {
        return time_process::serve();
    }
    if names == [paying::COMMAND] {
        return paying::serve();
    }
    let known: Vec<&str> = MEASUREMENTS.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("'{unknown}' is no measurement: leave it out for all, or name some of {}", known.join(", "));
    }
    let keep_cores_awake = machine::keep_cores_awake();
    if keep_cores_awake.is_none() {
        eprintln!("idle cores may sleep while this measures (only root can keep them awake): figures vary more");
    }
    let mut rows = Vec::new();
    for (name, measure) in MEASUREMENTS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            eprintln!("measuring: {name}");
            // A measurement that is not possible here does not prevent the others.
            let measured = measure().unwrap_or_else(|error| vec![Row::skipped(name, &format!("{error:#}"))]);
            measured.iter().for_each(table::report_row);
            rows.extend(measured);
        }
    }
    drop(keep_cores_awake);
    table::print(&names, &rows);
    Ok(())
}
