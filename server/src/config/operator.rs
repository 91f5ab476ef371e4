//! `[operator]`: the second listener, for monitoring.

use super::ConfigError;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OpsListenerSettings {
    pub listen: ListenSetting,
    pub allow_remote: bool,
}

/// An address or none, written `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ListenSetting(pub Option<SocketAddr>);

impl Default for ListenSetting {
    fn default() -> Self {
        Self(Some((Ipv4Addr::LOCALHOST, 3001).into()))
    }
}

impl TryFrom<String> for ListenSetting {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "" | "off" => Ok(Self(None)),
            address => match address.parse() {
                Ok(address) => Ok(Self(Some(address))),
                Err(_) => Err("this is neither an address like 127.0.0.1:3001 nor \"off\"".to_owned()),
            },
        }
    }
}

impl From<ListenSetting> for String {
    fn from(listen: ListenSetting) -> Self {
        listen.0.map_or_else(|| "off".to_owned(), |address| address.to_string())
    }
}

impl OpsListenerSettings {
    /// Checks that other machines cannot reach the listener, unless that is allowed.
    ///
    /// # Errors
    /// Other machines could reach it, and that was not allowed.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.allows("operator.listen", self.listen)
    }

    /// Checks another listener of this kind.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn allows(&self, setting: &str, listen: ListenSetting) -> Result<(), ConfigError> {
        match listen.0 {
            Some(address) if !address.ip().to_canonical().is_loopback() && !self.allow_remote => {
                Err(ConfigError::invalid(
                    setting,
                    "everyone who reaches this address may read it, without a password: listen on loopback, or set \
                     operator.allow_remote = true if a firewall decides who reaches it",
                ))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_unless_it_is_allowed_by_name() {
        for (text, stands) in [
            ("", true),
            ("listen = 'off'", true),
            ("listen = ''", true),
            ("listen = '127.0.0.1:0'", true),
            ("listen = '[::1]:9'", true),
            ("listen = '[::ffff:127.0.0.1]:9'", true),
            ("listen = '0.0.0.0:9'", false),
            ("listen = '[::]:9'", false),
            ("listen = '10.0.0.1:9'", false),
            ("listen = '10.0.0.1:9'\nallow_remote = true", true),
        ] {
            let operator: OpsListenerSettings = toml::from_str(text).expect(text);
            assert_eq!(operator.check().is_ok(), stands, "{text}");
        }
        assert!(toml::from_str::<OpsListenerSettings>("listen = 'localhost:9'").is_err(), "names are not looked up");
    }
}
