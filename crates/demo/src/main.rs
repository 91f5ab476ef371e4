//! The program `postern-demo`: `postern` with the demo linked in, which `postern demo` starts.

/// Prints a line on standard output. A closed reader does not end the demo.
macro_rules! say {
    ($($text:tt)*) => { server::cli::print_line(format_args!($($text)*)) };
}

mod app;
mod demo;
mod parts;
mod toll;

use rust_embed::RustEmbed;
use server::cli::Demo;
use server::site::SiteFiles;
use std::process::ExitCode;

#[derive(RustEmbed)]
#[folder = "../../site"]
#[allow_missing = true]
struct Files;

/// The version, with commit and date if the build sets them (tools/release.sh).
const VERSION: &str = match option_env!("BUILD_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

fn main() -> ExitCode {
    let files = SiteFiles(|path| Files::get(path).map(|file| file.data));
    server::cli::main_with(files, VERSION, Some(Demo { settings: demo::settings, run: demo::run }))
}
