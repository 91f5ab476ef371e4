//! The program `postern`: see `postern --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::main()
}
