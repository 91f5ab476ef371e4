//! `postern demo`, a program of its own: `postern` itself links no sample apps and no test network.

use super::{Failure, Outcome};
use crate::config::Config;
use crate::site::SiteFiles;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The program in the same folder that has the demo.
const PROGRAM: &str = "postern-demo";

#[derive(Debug, Default, clap::Args)]
pub struct DemoArgs {
    /// Include the paid gate with a private Monero network and a wallet of test money; needs Debian's monero
    #[arg(long)]
    pub toll: bool,
}

/// The demo, in the program that links it.
#[derive(Debug, Clone, Copy)]
pub struct Demo {
    /// The demo's settings as (setting, value). Every flag overrides them.
    pub settings: fn() -> Vec<(String, String)>,
    pub run: fn(Config, &DemoArgs, SiteFiles) -> Outcome,
}

/// Replaces this process by the program with the demo, with the same arguments.
///
/// # Errors
/// The program cannot be started.
pub(super) fn become_demo() -> Outcome {
    let beside = std::env::current_exe()?.with_file_name(PROGRAM);
    let program = if beside.is_file() { beside } else { PROGRAM.into() };
    let error = Command::new(&program).args(std::env::args_os().skip(1)).exec();
    Err(Failure::from(format!(
        "{}: {error}. The demo is in this program: install it beside postern",
        program.display()
    )))
}
