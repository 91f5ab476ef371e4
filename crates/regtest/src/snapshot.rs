//! The stored chain and wallets: 100 blocks, of which the payer can spend 40.

use crate::{Error, Result};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const ARCHIVE: &[u8] = include_bytes!("../snapshot/chain.tar.xz");

/// Unpacks it as sparse files, because the database has a gibibyte of zeros.
pub(crate) fn unpack(directory: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::Snapshot(error.to_string());
    let mut tar = Command::new("tar")
        .args(["-xJSf", "-", "-C"])
        .arg(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // If it ends before it has read everything, its own output says why.
    let written = tar.stdin.take().map_or(Ok(()), |mut input| input.write_all(ARCHIVE));
    let output = tar.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(Error::Snapshot(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    written.map_err(failed)
}
