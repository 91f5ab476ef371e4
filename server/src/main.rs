//! The program `postern`: see `postern --help`.

use rust_embed::RustEmbed;
use server::site::SiteFiles;
use std::process::ExitCode;

#[derive(RustEmbed)]
#[folder = "../site"]
#[allow_missing = true]
struct Files;

fn main() -> ExitCode {
    server::cli::main(SiteFiles(|path| Files::get(path).map(|file| file.data)))
}
