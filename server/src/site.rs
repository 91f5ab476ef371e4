//! The browser's files. The program embeds them and passes them in. The library is compiled without them, because they
//! are built from it.

use std::borrow::Cow;
use std::fmt;

/// Finds a file by its path below the site, without a leading slash.
#[derive(Clone, Copy)]
pub struct SiteFiles(pub fn(&str) -> Option<Cow<'static, [u8]>>);

impl SiteFiles {
    /// No files, for clients that use only the API.
    pub const NONE: Self = Self(|_| None);

    pub fn get(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        self.0(path)
    }
}

impl fmt::Debug for SiteFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Site(..)")
    }
}
