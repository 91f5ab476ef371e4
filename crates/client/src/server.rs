//! A server's origin.

use crate::{Error, Result};
use reqwest::Url;
use std::fmt;
use std::net::IpAddr;

/// A server's origin: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    url: Url,
}

impl Server {
    /// Parses an origin as people write it; https is the default scheme.
    ///
    /// # Errors
    /// It is not an origin, or has more: a path, a user name, a query.
    pub fn parse(text: &str) -> Result<Self> {
        // The text is not repeated, because it may have a password.
        let wrong = || Error::Server("this is not the address of a server: write https://auth.example.com".to_owned());
        let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&text).map_err(|_| wrong())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        let web = matches!(url.scheme(), "https" | "http") && url.has_host();
        if bare && nobody && web { Ok(Self { url }) } else { Err(wrong()) }
    }

    /// Returns the origin without a trailing slash, as in envelopes and proofs.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    pub fn at(&self, path: &str) -> String {
        self.origin() + path
    }

    /// Whether nobody on the network can read the traffic: https, or this machine.
    pub fn is_private(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        self.url.scheme() == "https" || host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Returns the server of a URL.
    ///
    /// # Errors
    /// It is not a web URL.
    pub fn of(url: &str) -> Result<Self> {
        let wrong = || Error::Server("this is not a URL: write https://example.com/path".to_owned());
        Self::parse(&Url::parse(url).map_err(|_| wrong())?.origin().ascii_serialization()).map_err(|_| wrong())
    }

    /// Returns path and query of a URL on this server, as sent; `None` for another server.
    pub fn path_of(&self, url: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        (url.origin() == self.url.origin()).then(|| format!("{}{query}", url.path()))
    }

    /// Returns a file name for the server's stored data.
    pub fn file_name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
        self.origin().replace("://", "_").chars().map(plain).collect()
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_and_nothing_else() {
        for (text, origin) in [
            ("https://auth.example", "https://auth.example"),
            ("auth.example", "https://auth.example"),
            ("https://AUTH.example:443/", "https://auth.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(Server::parse(text).unwrap().origin(), origin, "{text}");
        }
        for text in ["", "https://", "ftp://auth.example", "https://auth.example/login", "https://a@b", "https://a/?b"]
        {
            assert!(Server::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn plain_http_is_private_on_this_machine_only() {
        for (text, private) in [
            ("https://auth.example", true),
            ("http://localhost:3000", true),
            ("http://127.0.0.1:3000", true),
            ("http://[::1]:3000", true),
            ("http://auth.example", false),
            ("http://192.0.2.1", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(Server::parse(text).unwrap().is_private(), private, "{text}");
        }
    }

    #[test]
    fn a_path_is_taken_as_it_will_be_sent() {
        let server = Server::parse("https://auth.example").unwrap();
        for (url, path) in [
            ("https://auth.example/api/session", Some("/api/session")),
            ("https://auth.example:443/api/session?a=b#c", Some("/api/session?a=b")),
            ("https://auth.example/api/../app", Some("/app")),
            ("https://auth.example/api/%2e%2e/app", Some("/app")),
            ("https://auth.example//evil.example/", Some("//evil.example/")),
            ("http://auth.example/api/session", None),
            ("https://auth.example.evil.example/api/session", None),
            ("https://auth.example@evil.example/api/session", None),
            ("/api/session", None),
        ] {
            assert_eq!(server.path_of(url).as_deref(), path, "{url}");
        }
    }

    #[test]
    fn servers_do_not_share_a_file() {
        let name = |text: &str| Server::parse(text).unwrap().file_name();
        assert_eq!(name("http://localhost:3000"), "http_localhost_3000");
        assert_ne!(name("https://a.example"), name("http://a.example"));
        assert_ne!(name("https://a.example"), name("https://a.example:8443"));
    }
}
