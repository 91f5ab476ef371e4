//! `[oauth]`: clients that were not added at this site, and requests that the server makes for clients.

use super::ConfigError;
use super::durations::DurationSetting;
use crate::network;
use domain::authority::is_same_url;
use ipnet::IpNet;
use oidc::redirect_uri;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const DAY: u64 = 24 * 60 * 60;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OAuthSettings {
    /// Whether a client's id may be the URL of its metadata.
    pub client_documents: bool,
    /// Whether clients may register themselves (RFC 7591).
    pub registration: bool,
    /// Lifetime of such a registration.
    pub registration_lifetime: DurationSetting,
    /// Maximum number of registered clients.
    pub max_registered: u32,
    /// Resources that clients may name which nobody at this site has added (RFC 8707).
    pub resources: Vec<String>,
    /// Networks besides the public internet that logout notices of clients of administrators may reach.
    pub internal_networks: Vec<String>,
    /// A PEM file with further certificate authorities for such requests.
    pub certificate_authorities: Option<PathBuf>,
}

impl Default for OAuthSettings {
    fn default() -> Self {
        Self {
            client_documents: true,
            registration: false,
            registration_lifetime: DurationSetting::seconds(90 * DAY),
            max_registered: 100,
            resources: Vec::new(),
            internal_networks: Vec::new(),
            certificate_authorities: None,
        }
    }
}

impl OAuthSettings {
    /// Checks `resources`. `own`: the origin of this site, which is no resource of a client.
    ///
    /// # Errors
    /// Names the one that is invalid.
    pub fn check_resources(&self, own: &str) -> Result<(), ConfigError> {
        for (at, resource) in (1..).zip(&self.resources) {
            let invalid = |problem: &str| ConfigError::invalid("oauth.resources", &format!("entry {at}: {problem}"));
            redirect_uri::check(resource).map_err(|error| invalid(&error.to_string()))?;
            if is_same_url(resource, own) {
                return Err(invalid("is this site itself"));
            }
        }
        Ok(())
    }

    /// Returns `internal_networks`.
    ///
    /// # Errors
    /// Names the one that is not a network, or a value out of its range.
    pub fn networks(&self) -> Result<Vec<IpNet>, ConfigError> {
        if !(1..=10_000).contains(&self.max_registered) {
            return Err(ConfigError::invalid("oauth.max_registered", "must be 1 to 10000"));
        }
        if !(3600..=3650 * DAY).contains(&self.registration_lifetime.0.as_secs()) {
            return Err(ConfigError::invalid("oauth.registration_lifetime", "must be 1h to 10 years"));
        }
        if let Some(file) = &self.certificate_authorities {
            std::fs::read(file).map_err(|error| {
                ConfigError::invalid("oauth.certificate_authorities", &format!("{}: {error}", file.display()))
            })?;
        }
        let read = |text: &String| {
            let problem = "each one is a network like 10.0.0.0/8";
            network::parse(text).ok_or_else(|| ConfigError::invalid("oauth.internal_networks", problem))
        };
        self.internal_networks.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_outside_of_their_ranges_are_named() {
        let read = |text: &str| toml::from_str::<OAuthSettings>(text).expect("readable").networks();
        assert_eq!(read("internal_networks = ['10.0.0.0/8', 'fd00::/8']").map(|list| list.len()).ok(), Some(2));
        for (text, named) in [
            ("internal_networks = ['10.0.0']", "oauth.internal_networks"),
            ("max_registered = 0", "oauth.max_registered"),
            ("registration_lifetime = '1s'", "oauth.registration_lifetime"),
        ] {
            assert!(read(text).expect_err(text).to_string().contains(named), "{text}");
        }
        let check = |text: &str| {
            toml::from_str::<OAuthSettings>(text).expect("readable").check_resources("https://auth.example").is_ok()
        };
        assert!(check("resources = ['https://mcp.example/a']"));
        for text in ["resources = ['x']", "resources = ['https://auth.example/']"] {
            assert!(!check(text), "{text}");
        }
    }
}
