//! Arguments that name a file.

use clap::builder::{PathBufValueParser, TypedValueParser};
use std::path::PathBuf;

/// Parses the name of a file. Other programs mean standard input or output by `-`; here it would be a file of that name.
pub(super) fn file_name() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" {
            return Err("this is not a file, and standard input and output cannot be used here: name a file");
        }
        Ok(path)
    })
}
