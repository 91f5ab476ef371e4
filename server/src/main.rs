//! The program `postern`: see `postern --help`.

use rust_embed::RustEmbed;
use server::site::SiteFiles;
use std::process::ExitCode;

#[derive(RustEmbed)]
#[folder = "../site"]
#[allow_missing = true]
struct Files;

/// The version, with commit and date if the build sets them (tools/release.sh).
const VERSION: &str = match option_env!("BUILD_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

fn main() -> ExitCode {
    server::cli::main(SiteFiles(|path| Files::get(path).map(|file| file.data)), VERSION)
}
