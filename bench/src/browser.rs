//! Scripts that measure the program through Chromium.

use crate::machine;
use crate::program::Program;
use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `bench/browser/SCRIPT` on the address of the release program and returns its result.
pub(crate) fn run<T: DeserializeOwned>(script: &str) -> Result<T> {
    ensure!(std::env::var_os("CHROMIUM").is_some(), "no Chromium (tools/packages.txt)");
    let folder = machine::folder()?;
    // The scripts ask for more challenges in a minute than one person would.
    let running = Program::set_up(folder.path())?.with("ban.limits.sign_in_per_minute=1000").start()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser").join(script);
    let output = Command::new("node").arg(path).arg(&running.place.origin).stderr(Stdio::inherit()).output()?;
    running.stop()?;
    ensure!(output.status.success(), "{script} failed");
    serde_json::from_slice(&output.stdout).with_context(|| format!("what {script} says"))
}
