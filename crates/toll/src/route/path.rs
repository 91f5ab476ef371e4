//! Paths in all readings of programs: decoded once or more, so that no spelling of a paid path escapes its price.

use domain::app_path;
use domain::percent::{decoded, strictly_decoded};
use std::collections::BTreeSet;

/// Maximum number of decoding steps. A path that needs more is refused.
const DEEPEST: usize = 4;
/// Maximum length of a path with several readings, in bytes, because each reading is a copy.
const LONGEST: usize = 4096;

/// All readings of a request's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPath(Vec<PathReading>);

/// The segments of a path in one reading. They are bytes, because not every path is UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathReading(Vec<Vec<u8>>);

/// No reading of this path is acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path can be read in more than one way")]
pub struct AmbiguousPath;

impl RequestPath {
    /// Reads a path (RFC 3986, section 3.3) in all ways that programs are known to. An encoded slash or backslash may
    /// separate segments. Text after a semicolon may be a parameter. Percent signs may be decoded once or repeatedly.
    /// An encoded question mark may end the path. Dots and spaces at the end of a segment do not count on Windows, and
    /// some programs read full-width letters (U+FF01 to U+FF5E) as ASCII. Empty segments do not count, because many
    /// programs merge slashes and ignore a trailing one.
    ///
    /// # Errors
    /// A reading has a dot segment, also one with spaces after it, control characters, a literal backslash, a percent
    /// sign without two digits, or overlong UTF-8 (RFC 3629, section 10).
    pub fn read(path: &str) -> Result<Self, AmbiguousPath> {
        let levels = levels(path.as_bytes())?;
        let strange = path.bytes().any(|byte| b"%;".contains(&byte));
        if strange && path.len() > LONGEST {
            return Err(AmbiguousPath);
        }
        let mut found = BTreeSet::new();
        // Every program decodes at least once.
        let least = usize::from(levels.len() > 1);
        for done in least..levels.len() {
            for (split, level) in levels.iter().enumerate().take(done + 1) {
                let narrow = narrow(level);
                for cut in cuts(level, split > 0).chain(cuts(&narrow, split > 0)) {
                    for separators in [b"/".as_slice(), b"/\\"] {
                        for parameters in [Parameters::Kept, Parameters::Early, Parameters::Late] {
                            let reading = segments(cut, separators, done - split, parameters)?;
                            found.insert(reading.without_ends());
                            found.insert(reading);
                        }
                    }
                }
            }
        }
        Ok(Self(found.into_iter().collect()))
    }

    pub(super) fn readings(&self) -> &[PathReading] {
        &self.0
    }

    /// Returns the only segment, if the path has one segment and one reading.
    pub(super) fn only_segment(self) -> Option<Vec<u8>> {
        let [PathReading(segments)] = <[PathReading; 1]>::try_from(self.0).ok()?;
        let [segment] = <[Vec<u8>; 1]>::try_from(segments).ok()?;
        Some(segment)
    }
}

impl PathReading {
    pub(super) fn segments(&self) -> &[Vec<u8>] {
        &self.0
    }

    /// Removes dots and spaces at the ends of segments, as Windows does in file names.
    fn without_ends(&self) -> Self {
        let end = |segment: &Vec<u8>| {
            let length = segment.iter().rposition(|byte| !b". ".contains(byte)).map_or(0, |last| last + 1);
            segment[..length].to_vec()
        };
        Self(self.0.iter().map(end).filter(|segment| !segment.is_empty()).collect())
    }
}

/// The treatment of a semicolon and the text after it in a segment.
#[derive(Clone, Copy)]
enum Parameters {
    Kept,
    /// Removed before decoding.
    Early,
    /// Removed after decoding.
    Late,
}

/// Returns the path as sent, decoded once, twice, and so on until nothing changes.
fn levels(path: &[u8]) -> Result<Vec<Vec<u8>>, AmbiguousPath> {
    if path.contains(&b'\\') {
        return Err(AmbiguousPath);
    }
    let mut levels = vec![path.to_vec()];
    let mut next = strictly_decoded(path).ok_or(AmbiguousPath)?;
    while levels.last() != Some(&next) {
        if levels.len() > DEEPEST {
            return Err(AmbiguousPath);
        }
        let after = decoded(&next);
        levels.push(std::mem::replace(&mut next, after));
    }
    let hostile = |level: &Vec<u8>| level.iter().any(u8::is_ascii_control) || is_overlong(level);
    if levels.iter().any(hostile) { Err(AmbiguousPath) } else { Ok(levels) }
}

/// Returns the whole text, and the part before an encoded question mark or number sign.
fn cuts(level: &[u8], decoded: bool) -> impl Iterator<Item = &[u8]> {
    let mark = if decoded { level.iter().position(|byte| b"?#".contains(byte)) } else { None };
    std::iter::once(level).chain(mark.map(|at| &level[..at]))
}

fn segments(
    path: &[u8],
    separators: &[u8],
    decode: usize,
    parameters: Parameters,
) -> Result<PathReading, AmbiguousPath> {
    let mut found = Vec::new();
    for segment in path.split(|byte| separators.contains(byte)) {
        let segment = if matches!(parameters, Parameters::Early) { before_parameters(segment) } else { segment };
        let segment = (0..decode).fold(segment.to_vec(), |segment, _| domain::percent::decoded(&segment));
        let segment = match parameters {
            Parameters::Late => before_parameters(&segment).to_vec(),
            Parameters::Kept | Parameters::Early => segment,
        };
        if matches!(narrow(&segment).trim_ascii_end(), b"." | b"..") {
            return Err(AmbiguousPath);
        }
        if !segment.is_empty() {
            found.push(segment);
        }
    }
    Ok(PathReading(found))
}

/// Replaces full-width forms. Bytes that are not UTF-8 stay as they are.
fn narrow(text: &[u8]) -> Vec<u8> {
    std::str::from_utf8(text).map_or_else(|_| text.to_vec(), |text| app_path::narrow(text).into_bytes())
}

fn before_parameters(segment: &[u8]) -> &[u8] {
    segment.split(|byte| *byte == b';').next().unwrap_or_default()
}

/// Whether a lax UTF-8 decoder could read ASCII characters from these bytes.
fn is_overlong(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| matches!(pair, [0xc0 | 0xc1, 0x80..=0xbf] | [0xe0, 0x80..=0x9f] | [0xf0, 0x80..=0x8f]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(path: &str) -> Vec<Vec<String>> {
        let text = |segment: &Vec<u8>| String::from_utf8_lossy(segment).into_owned();
        let path = RequestPath::read(path).expect(path);
        path.readings().iter().map(|reading| reading.segments().iter().map(text).collect()).collect()
    }

    #[test]
    fn one_path_however_it_is_written() {
        let price = RequestPath::read("/api/price").expect("clear");
        for spelling in ["/api/price/", "//api///price", "/ap%69/pric%65", "/%61pi/price"] {
            assert_eq!(RequestPath::read(spelling), Ok(price.clone()), "{spelling}");
        }
        for other in ["/api/Price", "/api/price.json", "/api"] {
            assert_ne!(RequestPath::read(other), Ok(price.clone()), "{other}");
        }
        assert_eq!(readings("/api/price").len(), 1);
    }

    #[test]
    fn every_reading_is_there() {
        for (path, expected) in [
            ("/@scope%2fname", vec![vec!["@scope", "name"], vec!["@scope/name"]]),
            ("/a%5cb", vec![vec!["a", "b"], vec!["a\\b"]]),
            ("/price;x=1", vec![vec!["price"], vec!["price;x=1"]]),
            ("/price%3bx", vec![vec!["price"], vec!["price;x"]]),
            ("/pric%2565", vec![vec!["pric%65"], vec!["price"]]),
            ("/100%25", vec![vec!["100%"]]),
            ("/price%3fx", vec![vec!["price"], vec!["price?x"]]),
            ("/a;%2fb", vec![vec!["a"], vec!["a", "b"], vec!["a;", "b"], vec!["a;/b"]]),
            ("/a%252fb", vec![vec!["a", "b"], vec!["a%2fb"], vec!["a/b"]]),
            ("/price./x", vec![vec!["price", "x"], vec!["price.", "x"]]),
            ("/price%20", vec![vec!["price"], vec!["price "]]),
            ("/pri%EF%BD%83e", vec![vec!["price"], vec!["pri\u{ff43}e"]]),
            ("/a%EF%BC%8Fb", vec![vec!["a", "b"], vec!["a\u{ff0f}b"]]),
        ] {
            assert_eq!(readings(path), expected, "{path}");
        }
        assert_eq!(RequestPath::read("/caf%e9").expect("Latin-1").readings()[0].segments(), [b"caf\xe9"]);
    }

    #[test]
    fn ambiguous_paths_are_refused() {
        for path in [
            "/a/../price",
            "/a/./price",
            "/a/%2e%2e/price",
            "/a/..%2fprice",
            "/a/..;/price",
            "/a/..%20/price",
            "/free/%EF%BC%8E%EF%BC%8E/price",
            "/a/.%20%20/price",
            "/a/..;x=1/price",
            "/a%2f..%2fprice",
            "/a%5c..%5cprice",
            "/a/.%252e/price",
            "/%252e%252e/price",
            "/%2525252e%2525252e/price",
            "/a/%c0%ae%c0%ae/price",
            "/a%c0%afprice",
            "/a%e0%80%afprice",
            "/a\\price",
            "/price%00",
            "/price%2500",
            "/price%0d%0a",
            "/%",
            "/%2",
            "/%zz",
            "/%u002f",
            "/%252525252525252561",
        ] {
            assert_eq!(RequestPath::read(path), Err(AmbiguousPath), "{path}");
        }
        assert_eq!(RequestPath::read(&format!("/{}%25", "a".repeat(LONGEST))), Err(AmbiguousPath));
        assert!(RequestPath::read(&format!("/{}", "a".repeat(3 * LONGEST))).is_ok());
    }
}
