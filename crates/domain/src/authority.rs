//! Hosts and origins, compared by meaning instead of by text.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

/// A host and a port (RFC 3986, section 3.2) in a browser's form. It is in lower case, without the scheme's default
/// port and without a trailing dot. An IPv6 address is in brackets and in canonical form (RFC 5952).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Authority {
    host: String,
    port: Option<u16>,
}

/// `http` or `https` with an authority: a browser's `Origin`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    pub https: bool,
    pub authority: Authority,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAuthority {
    #[error("write https://host or https://host:port, without a path")]
    Form,
    #[error(
        "write an internationalised host in its ASCII form (punycode), as in https://xn--bcher-kva.example for \
         b\u{fc}cher.example"
    )]
    NotAscii,
}

impl Authority {
    /// Parses `host` or `host:port`. `https`: the scheme whose default port is omitted.
    ///
    /// # Errors
    /// The text is not a host, not ASCII, or contains more than a host and a port.
    pub fn parse(text: &str, https: bool) -> Result<Self, InvalidAuthority> {
        if !text.is_ascii() {
            return Err(InvalidAuthority::NotAscii);
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or(InvalidAuthority::Form)?;
                let address: Ipv6Addr = address.parse().map_err(|_| InvalidAuthority::Form)?;
                (format!("[{address}]"), port)
            }
            None => {
                let (name, port) = text.find(':').map_or((text, ""), |at| text.split_at(at));
                (named(name)?, port)
            }
        };
        let own = if https { 443 } else { 80 };
        let port = match port {
            "" | ":" => None,
            port => Some(number(port.strip_prefix(':').ok_or(InvalidAuthority::Form)?)?),
        };
        Ok(Self { host, port: port.filter(|port| *port != own) })
    }

    /// Returns the host, with brackets around an IPv6 address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, unless it is the scheme's default.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether browsers treat it as this machine and trust it without https.
    pub fn is_localhost(&self) -> bool {
        self.host == "localhost" || self.host.ends_with(".localhost")
    }
}

fn named(name: &str) -> Result<String, InvalidAuthority> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let labels = name.split('.').all(|label| (1..=63).contains(&label.len()));
    if !labels || name.len() > 253 || !name.bytes().all(plain) {
        return Err(InvalidAuthority::Form);
    }
    Ok(name.to_ascii_lowercase())
}

fn number(port: &str) -> Result<u16, InvalidAuthority> {
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| digits && *port != 0).ok_or(InvalidAuthority::Form)
}

impl Origin {
    /// Parses `scheme://host[:port]`, with or without a trailing slash.
    ///
    /// # Errors
    /// The text has another form.
    pub fn parse(text: &str) -> Result<Self, InvalidAuthority> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidAuthority::Form)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(InvalidAuthority::Form),
        };
        let authority = Authority::parse(rest.strip_suffix('/').unwrap_or(rest), https)?;
        Ok(Self { https, authority })
    }
}

/// Splits a URL into its origin and the rest as written: path, query and fragment, at least `/`. `None`: it is not one of
/// http or https.
pub fn split_url(url: &str) -> Option<(Origin, Cow<'_, str>)> {
    let (scheme, rest) = url.split_once("://")?;
    let at = scheme.len() + 3 + rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (origin, rest) = url.split_at(at);
    let rest = if rest.starts_with('/') { Cow::Borrowed(rest) } else { Cow::Owned(format!("/{rest}")) };
    Some((Origin::parse(origin).ok()?, rest))
}

/// Whether two URLs name the same: scheme and authority are compared by meaning, the rest as text (RFC 3986, section
/// 6.2.3).
pub fn is_same_url(one: &str, other: &str) -> bool {
    one == other || split_url(one).is_some_and(|one| split_url(other) == Some(one))
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_authority_are_equal() {
        for (text, https, shown) in [
            ("name", true, "name"),
            ("NAME:443", true, "name"),
            ("name.:443", true, "name"),
            ("name:", true, "name"),
            ("name:443", false, "name:443"),
            ("name:80", false, "name"),
            ("name:8443", true, "name:8443"),
            ("127.0.0.1:3000", false, "127.0.0.1:3000"),
            ("[::1]", false, "[::1]"),
            ("[0:0:0:0:0:0:0:1]:3000", false, "[::1]:3000"),
            ("[2001:DB8::7]:443", true, "[2001:db8::7]"),
            ("a_b.example", true, "a_b.example"),
        ] {
            assert_eq!(Authority::parse(text, https).map(|read| read.to_string()).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn a_text_without_a_host_is_refused() {
        let long = "a".repeat(64);
        for text in [
            "",
            ":443",
            ".",
            "a..b",
            "a b",
            "a:b",
            "a:0",
            "a:+1",
            "a:65536",
            "a:1:2",
            "u@a",
            "a/b",
            "a?b",
            "a#b",
            "::1",
            "[::1",
            "[::1]x",
            "[fe80::1%25eth0]",
            "[1.2.3.4]",
            "a,b",
            &long,
        ] {
            assert_eq!(Authority::parse(text, true), Err(InvalidAuthority::Form), "{text}");
        }
        assert_eq!(Authority::parse("b\u{fc}cher.example", true), Err(InvalidAuthority::NotAscii));
    }

    #[test]
    fn urls_are_compared_by_what_they_name() {
        for (other, same) in [
            ("https://portal.example/a?b", true),
            ("HTTPS://PORTAL.example:443/a?b", true),
            ("https://portal.example./a?b", true),
            ("https://portal.example:/a?b", true),
            ("https://portal.example:8443/a?b", false),
            ("http://portal.example/a?b", false),
            ("http://portal.example:443/a?b", false),
            ("https://portal.example/A?b", false),
            ("https://portal.example/a", false),
            ("https://portal.example/a?b#", false),
            ("https://u@portal.example/a?b", false),
            ("https://portal.example.evil.example/a?b", false),
            ("//portal.example/a?b", false),
            ("", false),
        ] {
            assert_eq!(is_same_url("https://portal.example/a?b", other), same, "{other}");
        }
        for (one, other) in [
            ("https://x", "https://X/"),
            ("https://x?a", "https://x/?a"),
            ("http://[::1]:80/", "http://[0:0:0:0:0:0:0:1]"),
            ("https://xn--bcher-kva.example/a", "https://XN--Bcher-KVA.example:443/a"),
            ("urn:a", "urn:a"),
        ] {
            assert!(is_same_url(one, other) && is_same_url(other, one), "{one} {other}");
        }
        assert!(!is_same_url("urn:a", "urn:A"));
    }

    #[test]
    fn origins_are_what_browsers_send() {
        for (text, shown) in [
            ("HTTPS://Portal.Example/", "https://portal.example"),
            ("https://portal.example:443", "https://portal.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).map(|read| read.to_string()).as_deref(), Ok(shown), "{text}");
        }
        for text in ["portal", "ftp://x", "https://x/path", "https://x//", "https://x?q", "https://", "://x"] {
            assert_eq!(Origin::parse(text), Err(InvalidAuthority::Form), "{text}");
        }
    }
}
