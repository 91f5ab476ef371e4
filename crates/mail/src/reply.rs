//! Replies of the server (RFC 5321, section 4.2).

use std::fmt;

/// A reply: its code and the text of its lines, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) lines: Vec<String>,
}

impl Reply {
    pub(crate) fn is_permanent(&self) -> bool {
        (500..600).contains(&self.code)
    }

    /// Returns the parameters of this extension, if a line of an answer to `EHLO` names it.
    pub(crate) fn extension(&self, name: &str) -> Option<&str> {
        self.lines.iter().skip(1).find_map(|line| {
            let (keyword, parameters) = line.split_once([' ', '=']).unwrap_or((line, ""));
            keyword.eq_ignore_ascii_case(name).then_some(parameters)
        })
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.lines.join(" / "))
    }
}

/// Returns the code, whether the line is the last one, and its text.
pub(crate) fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (code, rest) = line.split_at_checked(3)?;
    let code = std::str::from_utf8(code).ok()?.parse().ok().filter(|code| (200..600).contains(code))?;
    let is_last = match rest.first() {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    let text = String::from_utf8_lossy(rest.get(1..).unwrap_or_default());
    let shown = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    Some((code, is_last, shown))
}
