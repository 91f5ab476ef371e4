//! Path patterns: `/price`, `/files/*`, `/api/**`.

use super::path::{PathReading, RequestPath};
use std::fmt;
use std::str::FromStr;

/// `*` matches one segment, `**` at the end any number of segments, including none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    parts: Vec<PatternSegment>,
    open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PatternSegment {
    Exactly(Vec<u8>),
    Any,
}

/// The text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a path pattern: write /price, /files/* (one segment) or /api/** (everything below)")]
pub struct InvalidPattern;

impl PathPattern {
    /// Whether the pattern matches the path in exactly this spelling.
    pub fn matches(&self, path: &PathReading) -> bool {
        self.matches_by(path, |own, segment| own == segment)
    }

    /// Whether the pattern matches the path regardless of case, as some programs and file systems read it.
    pub fn matches_folded(&self, path: &PathReading) -> bool {
        self.matches_by(path, |own, segment| folded(own) == folded(segment))
    }

    fn matches_by(&self, path: &PathReading, same: impl Fn(&[u8], &[u8]) -> bool) -> bool {
        let segments = path.segments();
        let long_enough =
            if self.open { segments.len() >= self.parts.len() } else { segments.len() == self.parts.len() };
        long_enough
            && self.parts.iter().zip(segments).all(|(part, segment)| match part {
                PatternSegment::Exactly(own) => same(own, segment),
                PatternSegment::Any => true,
            })
    }
}

/// Returns a segment in lower case. Bytes that are not UTF-8 are compared as ASCII.
fn folded(segment: &[u8]) -> Vec<u8> {
    std::str::from_utf8(segment).map_or_else(|_| segment.to_ascii_lowercase(), |text| text.to_lowercase().into_bytes())
}

impl FromStr for PathPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let wrong = || InvalidPattern;
        let rest = text.strip_prefix('/').ok_or_else(wrong)?;
        let (rest, open) = match rest.strip_suffix("**") {
            Some(rest) if rest.is_empty() || rest.ends_with('/') => (rest, true),
            Some(_) => return Err(wrong()),
            None => (rest, false),
        };
        let part = |segment: &str| match segment {
            "*" => Ok(PatternSegment::Any),
            exact if exact.contains(['*', '?', '#']) => Err(wrong()),
            exact => Ok(PatternSegment::Exactly(
                RequestPath::read(exact).ok().and_then(RequestPath::only_segment).ok_or_else(wrong)?,
            )),
        };
        let parts = rest.split('/').filter(|segment| !segment.is_empty()).map(part).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), parts, open })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_everything_below() {
        for (pattern, path, expected) in [
            ("/", "/", true),
            ("/", "/price", false),
            ("/price", "/price", true),
            ("/price", "/price/", true),
            ("/price", "/prices", false),
            ("/price", "/price/usd", false),
            ("/files/*", "/files/a", true),
            ("/files/*", "/files", false),
            ("/files/*", "/files/a/b", false),
            ("/*/price", "/eur/price", true),
            ("/api/**", "/api", true),
            ("/api/**", "/api/a/b", true),
            ("/api/**", "/apis", false),
            ("/**", "/", true),
            ("/**", "/x/y", true),
            ("/caf%C3%A9", "/café", true),
        ] {
            let parsed: PathPattern = pattern.parse().expect(pattern);
            let path = RequestPath::read(path).expect(path);
            assert_eq!(parsed.matches(&path.readings()[0]), expected, "{pattern} {path:?}");
        }
        let path = RequestPath::read("/PRICE/%C3%89").expect("a path");
        let pattern: PathPattern = "/Price/\u{e9}".parse().expect("a pattern");
        assert!(!pattern.matches(&path.readings()[0]) && pattern.matches_folded(&path.readings()[0]));
        for wrong in ["", "price", "/a**", "/**/a", "/a*", "/a?b", "/..", "/a;b", "/a%2fb", "/100%2541"] {
            assert!(wrong.parse::<PathPattern>().is_err(), "{wrong}");
        }
    }
}
