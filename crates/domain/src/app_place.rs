//! Where a person goes on in an app after sign-in.

/// The longest place that goes through addresses: encoded twice it still fits a request line of 8 KiB, which is
/// what nginx takes.
pub const LONGEST: usize = 1024;

/// A path of an app with its query, else `/`. It is written behind the app's origin, so that it leads nowhere else
/// whatever it says. What a header line cannot hold does not pass; nor does what is longer than [`LONGEST`], which
/// the browser has to keep instead.
pub fn place(text: Option<&str>) -> &str {
    let fits = |path: &&str| {
        path.len() <= LONGEST && path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
    };
    text.filter(fits).unwrap_or("/")
}

/// A request's target as a browser would write it: bytes that are no visible ASCII, and backslashes, in percents
/// (RFC 3986, section 2.1).
pub fn written_out(target: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    target.iter().map(|b| if plain(*b) { char::from(*b).to_string() } else { format!("%{b:02X}") }).collect()
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
            assert_eq!((written.as_str(), place(Some(&written))), (expected, expected));
        }
        assert_eq!(place(Some(&format!("/{}", "a".repeat(LONGEST)))), "/");
    }
}
