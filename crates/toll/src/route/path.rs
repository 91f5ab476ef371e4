//! A path as routes see it: decoded, so that no spelling of a paid path is another path.

/// The segments of a request's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<String>);

/// Programs differ in what this path is: the gate takes none of the readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path can be read in more than one way")]
pub struct Unclear;

impl Path {
    /// Reads a path (RFC 3986, section 3.3). Empty segments do not count: many programs merge slashes and
    /// ignore one at the end.
    ///
    /// # Errors
    /// Dot segments, slashes, backslashes, semicolons, percent signs or control characters that are
    /// written as `%xx`, a percent sign without two digits, a semicolon or backslash in the open, bytes
    /// that are no UTF-8.
    pub fn read(path: &str) -> Result<Self, Unclear> {
        let segments = path.split('/').filter(|segment| !segment.is_empty()).map(decode);
        segments.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn segments(&self) -> &[String] {
        &self.0
    }
}

fn decode(segment: &str) -> Result<String, Unclear> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => match (bytes.next().and_then(digit), bytes.next().and_then(digit)) {
                (Some(high), Some(low)) => high * 16 + low,
                _ => return Err(Unclear),
            },
            open => open,
        };
        if byte.is_ascii_control() || b"/\\;%".contains(&byte) {
            return Err(Unclear);
        }
        decoded.push(byte);
    }
    let decoded = String::from_utf8(decoded).map_err(|_| Unclear)?;
    if decoded == "." || decoded == ".." { Err(Unclear) } else { Ok(decoded) }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_however_it_is_written() {
        let price = Path::read("/api/price").expect("clear");
        for spelling in ["/api/price/", "//api///price", "/ap%69/pric%65", "/%61pi/price"] {
            assert_eq!(Path::read(spelling), Ok(price.clone()), "{spelling}");
        }
        for other in ["/api/Price", "/api/price.json", "/api"] {
            assert_ne!(Path::read(other), Ok(price.clone()), "{other}");
        }
    }

    #[test]
    fn what_programs_read_differently_is_refused() {
        for path in [
            "/a/../price",
            "/a/./price",
            "/a/%2e%2e/price",
            "/a%2fprice",
            "/a%5cprice",
            "/a\\price",
            "/price%00",
            "/price;x=1",
            "/price%3bx",
            "/%",
            "/%2",
            "/%zz",
            "/%ff",
            "/%252e%252e/price",
        ] {
            assert_eq!(Path::read(path), Err(Unclear), "{path}");
        }
    }
}
