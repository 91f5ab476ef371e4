//! The page of an app to return to after sign-in.

use crate::percent;
use percent_encoding::{AsciiSet, CONTROLS};

/// Characters that a browser does not write in a path.
const ODD: &AsciiSet = &CONTROLS.add(b' ').add(b'\\');

/// Maximum length in URLs. Encoded twice it still fits a request line of 8 KiB, nginx's limit.
pub const LONGEST: usize = 1024;

/// Returns a path of an app with its query, otherwise `/`. It is appended to the app's origin, so that it cannot lead
/// elsewhere. Characters that are invalid in a header are refused, and so is a text longer than [`LONGEST`], which the
/// browser must store instead.
pub fn safe_path(text: Option<&str>) -> &str {
    let fits = |path: &&str| {
        path.len() <= LONGEST && path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
    };
    text.filter(fits).unwrap_or("/")
}

/// Returns a request's target as a browser would write it. Backslashes and bytes other than visible ASCII are
/// percent-encoded (RFC 3986, section 2.1).
pub fn written_out(target: &[u8]) -> String {
    percent::written_out(target, ODD)
}

/// Replaces full-width forms (U+FF01 to U+FF5E) by ASCII, as some programs do when they read a path.
pub fn narrow(path: &str) -> String {
    path.chars()
        .map(|c| match u32::from(c) {
            wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0).unwrap_or(c),
            _ => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_bytes_are_written_out_and_then_pass() {
        for (target, expected) in [
            (b"/page?a=b&c=%2F".as_slice(), "/page?a=b&c=%2F"),
            (b"/caf\xc3\xa9", "/caf%C3%A9"),
            (b"/\xe9", "/%E9"),
            (b"/search?q=\\d+", "/search?q=%5Cd+"),
        ] {
            let written = written_out(target);
            assert_eq!((written.as_str(), safe_path(Some(&written))), (expected, expected));
        }
        assert_eq!(safe_path(Some(&format!("/{}", "a".repeat(LONGEST)))), "/");
    }
}
