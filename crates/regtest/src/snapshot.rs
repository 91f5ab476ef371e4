//! The chain and the wallets as they were baked: 100 blocks of which 40 can be spent by the payer.

use crate::{Error, Result};
use std::path::Path;
use std::process::{Command, Stdio};

const ARCHIVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshot/chain.tar.xz");

/// Unpacks it with holes for zeros: the database has a gibibyte of them.
pub fn unpack(directory: &Path) -> Result<()> {
    let archive = std::env::var("REGTEST_SNAPSHOT").unwrap_or_else(|_| ARCHIVE.to_owned());
    let output = Command::new("tar")
        .args(["-xJSf", &archive, "-C"])
        .arg(directory)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::Snapshot(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Snapshot(String::from_utf8_lossy(&output.stderr).into_owned()))
}
