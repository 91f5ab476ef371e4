//! The browser's files. The program embeds them and hands them in: the library is compiled without them, while
//! they are being made.

use std::borrow::Cow;
use std::fmt;

/// Looks a file up by its path below the site, without a slash at the start.
#[derive(Clone, Copy)]
pub struct Site(pub fn(&str) -> Option<Cow<'static, [u8]>>);

impl Site {
    /// No files at all: for whoever asks the server nothing but questions.
    pub const NONE: Self = Self(|_| None);

    pub fn get(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        self.0(path)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Site(..)")
    }
}
