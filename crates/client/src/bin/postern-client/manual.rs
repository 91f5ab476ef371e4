//! `postern-client completions`, `postern-client man`

use crate::args::Args;
use crate::cli_error::Outcome;
use crate::print;
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::Path;

pub(crate) fn completions(shell: Shell) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "postern-client", &mut text);
    print::bytes(&text)
}

/// Writes one page for the program and one for each command.
pub(crate) fn pages(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder)?;
    Ok(clap_mangen::generate_to(Args::command(), folder)?)
}
