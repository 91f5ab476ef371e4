//! `postern completions`, `postern man`

use super::outcome::Outcome;
use super::output;
use clap::Command;
use clap_complete::Shell;
use std::path::Path;

pub(super) fn completions(mut program: Command, shell: Shell) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut program, "postern", &mut text);
    print!("{}", String::from_utf8_lossy(&text));
    output::is_complete()
}

/// Writes one page for the program and one for each command.
pub(super) fn pages(program: Command, folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(clap_mangen::generate_to(program, folder)?)
}
