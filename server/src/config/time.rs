//! `[time]`: the time server's addresses for people.

use super::ConfigError;
use super::operator::ListenSetting;
use domain::authority::Authority;
use http::Uri;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeSettings {
    /// Whether `postern serve` runs a time server. `None`: only on localhost with plain http, and if no address of
    /// another one is set.
    pub embedded: Option<bool>,
    /// The address for browsers of the embedded time server.
    pub listen: SocketAddr,
    /// The address for terminals of the embedded time server.
    pub listen_tcp: ListenSetting,
    /// The WebSocket URL for browsers; empty: none.
    pub url: String,
    /// `host:port` for terminals; empty: none.
    pub tcp: String,
}

impl Default for TimeSettings {
    fn default() -> Self {
        Self {
            embedded: None,
            listen: (Ipv4Addr::LOCALHOST, 3002).into(),
            listen_tcp: ListenSetting(Some((Ipv4Addr::LOCALHOST, 3003).into())),
            url: String::new(),
            tcp: String::new(),
        }
    }
}

impl TimeSettings {
    /// Whether `postern serve` runs a time server, given whether the public URL is https and on localhost.
    pub fn is_embedded(&self, https: bool, localhost: bool) -> bool {
        self.embedded.unwrap_or(self.url.is_empty() && self.tcp.is_empty() && localhost && !https)
    }

    /// Sets the addresses of the embedded time server from its ports, if the settings contain none.
    pub fn name_addresses(&mut self, portal: &Authority, web: u16, tcp: Option<u16>) {
        let host = portal.host();
        if self.url.is_empty() {
            self.url = format!("ws://{host}:{web}{}", wire::time::PATH);
        }
        if let Some(port) = tcp.filter(|_| self.tcp.is_empty()) {
            self.tcp = format!("{host}:{port}");
        }
    }

    /// Checks the addresses.
    ///
    /// # Errors
    /// An address is invalid.
    pub fn check(&self, https: bool) -> Result<(), ConfigError> {
        if !self.url.is_empty() && self.origin().is_none() {
            return Err(ConfigError::invalid("time.url", "write ws://localhost:3002/time or wss://host/path"));
        }
        if https && self.url.starts_with("ws:") {
            return Err(ConfigError::invalid("time.url", "pages over https can only open wss://"));
        }
        let port = self.tcp.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>()));
        if !self.tcp.is_empty() && !matches!(port, Some(Ok(1..))) {
            return Err(ConfigError::invalid("time.tcp", "write host:port"));
        }
        if https && self.embedded == Some(true) && self.url.is_empty() {
            let problem = "with https a reverse proxy leads to the embedded time server: write wss://host/path";
            return Err(ConfigError::invalid("time.url", problem));
        }
        Ok(())
    }

    /// Returns the origin that the page may connect to (CSP Level 3, `connect-src`).
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
            let time = TimeSettings { url: url.to_owned(), ..TimeSettings::default() };
            assert_eq!(time.check(https).is_ok(), stands, "{url}");
        }
        for (tcp, stands) in
            [("", true), ("localhost:3003", true), ("[::1]:3003", true), ("localhost", false), (":1", false)]
        {
            let time = TimeSettings { tcp: tcp.to_owned(), ..TimeSettings::default() };
            assert_eq!(time.check(false).is_ok(), stands, "{tcp}");
        }
        let time = TimeSettings { url: "wss://auth.example.com/time".to_owned(), ..TimeSettings::default() };
        assert_eq!(time.origin().as_deref(), Some("wss://auth.example.com"));
    }
    #[test]
    fn the_first_run_has_a_time_server() {
        for (embedded, url, https, localhost, is_embedded) in [
            (None, "", false, true, true),
            (None, "", false, false, false),
            (None, "", true, true, false),
            (None, "ws://localhost:9/time", false, true, false),
            (Some(false), "", false, true, false),
            (Some(true), "wss://auth.example.com/time", true, false, true),
        ] {
            let time = TimeSettings { embedded, url: url.to_owned(), ..TimeSettings::default() };
            assert_eq!(time.is_embedded(https, localhost), is_embedded, "{embedded:?} {url}");
        }
        let asked_for = TimeSettings { embedded: Some(true), ..TimeSettings::default() };
        assert!(asked_for.check(false).is_ok() && asked_for.check(true).is_err());
    }

    #[test]
    fn the_embedded_one_is_found_under_the_name_of_the_portal() {
        let portal = domain::authority::Origin::parse("http://localhost:3000").expect("an origin").authority;
        let mut time = TimeSettings::default();
        time.name_addresses(&portal, 3002, Some(3003));
        assert_eq!((time.url.as_str(), time.tcp.as_str()), ("ws://localhost:3002/time", "localhost:3003"));
        let mut named = TimeSettings { url: "wss://auth.example.com/time".to_owned(), ..TimeSettings::default() };
        named.name_addresses(&portal, 3002, None);
        assert_eq!((named.url.as_str(), named.tcp.as_str()), ("wss://auth.example.com/time", ""));
    }
}
