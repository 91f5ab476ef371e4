//! `[time]`: where people find the time server.

use super::layers::ConfigError;
use http::Uri;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Time {
    /// The WebSocket's address for browsers; empty: there is none.
    pub url: String,
    /// `host:port` for terminals; empty: there is none.
    pub tcp: String,
}

impl Time {
    /// # Errors
    /// The addresses cannot be what they are for.
    pub fn check(&self, https: bool) -> Result<(), ConfigError> {
        if !self.url.is_empty() && self.origin().is_none() {
            return Err(ConfigError::invalid("time.url", "write ws://localhost:3002/time or wss://host/path"));
        }
        if https && self.url.starts_with("ws:") {
            return Err(ConfigError::invalid("time.url", "pages that come over https may only open wss://"));
        }
        let port = self.tcp.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>()));
        if !self.tcp.is_empty() && !matches!(port, Some(Ok(_))) {
            return Err(ConfigError::invalid("time.tcp", "write host:port"));
        }
        Ok(())
    }

    /// What the page that connects has to be allowed to reach (CSP Level 3, `connect-src`).
    pub fn origin(&self) -> Option<String> {
        let uri: Uri = self.url.parse().ok()?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "ws" | "wss"))?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        Some(format!("{scheme}://{authority}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_websocket_that_the_page_may_open() {
        for (url, https, stands) in [
            ("", true, true),
            ("ws://localhost:3002/time", false, true),
            ("ws://localhost:3002/time", true, false),
            ("wss://auth.example.com/time", true, true),
            ("wss://auth.example.com/time", false, true),
            ("https://auth.example.com/time", true, false),
            ("ws://user@host/time", false, false),
            ("/time", false, false),
            ("ws://a b/time", false, false),
        ] {
            let time = Time { url: url.to_owned(), tcp: String::new() };
            assert_eq!(time.check(https).is_ok(), stands, "{url}");
        }
        for (tcp, stands) in
            [("", true), ("localhost:3003", true), ("[::1]:3003", true), ("localhost", false), (":1", false)]
        {
            let time = Time { url: String::new(), tcp: tcp.to_owned() };
            assert_eq!(time.check(false).is_ok(), stands, "{tcp}");
        }
        let time = Time { url: "wss://auth.example.com/time".to_owned(), tcp: String::new() };
        assert_eq!(time.origin().as_deref(), Some("wss://auth.example.com"));
    }
}
