//! The workspace, the programs that work on it, and their progress lines.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

pub(crate) struct Workspace {
    root: PathBuf,
    start: Instant,
}

impl Workspace {
    /// Finds the workspace: `cargo run` names the folder of this package, which is below it.
    pub(crate) fn find() -> Result<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").context("call this as `cargo xtask`")?;
        let root = Path::new(&package).parent().context("xtask lies in a workspace")?.to_owned();
        Ok(Self { root, start: Instant::now() })
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    pub(crate) fn report(&self, line: &str) {
        println!("site: [{:5.1}s] {line}", self.start.elapsed().as_secs_f32());
    }

    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root).stdin(Stdio::null());
        command
    }

    /// Returns a command for a program that `npm ci` in tools/ has installed.
    pub(crate) fn npm(&self, program: &str) -> Result<Command> {
        let path = self.path("tools/node_modules/.bin").join(program);
        if !path.exists() {
            bail!("{program} is missing: run `npm ci` in tools/ (make does it)");
        }
        let mut command = Command::new(path);
        command.current_dir(&self.root).stdin(Stdio::null());
        Ok(command)
    }
}

/// Runs a program to its end and returns its standard output.
pub(crate) fn run(command: &mut Command) -> Result<Vec<u8>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        bail!("{name} ended with {}", output.status);
    }
    Ok(output.stdout)
}
