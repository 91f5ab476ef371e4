//! Build steps and checks that cargo itself does not have.

mod bundle;
mod layers;
mod manual;
mod names;
mod pack;
mod site;
mod stamp;
mod tool;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask site [--release | --dev], or cargo xtask layers";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mode = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["site"] | ["site", "--release"] => bundle::Mode::Release,
        ["site", "--dev"] => bundle::Mode::Dev,
        ["layers"] => return layers::check(&tool::Workspace::find()?),
        _ => bail!(USAGE),
    };
    site::build(&tool::Workspace::find()?, mode)
}
