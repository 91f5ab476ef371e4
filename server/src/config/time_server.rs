//! The time server's settings. `time-server.toml` in the repository documents them.

use super::durations::DurationSetting;
use super::layers::{TIME_SERVER, first_of, is_of_time_server, layered};
use super::operator::ListenSetting;
use super::{ConfigError, LogSettings, listeners};
use crate::network;
use domain::authority::Origin;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use wire::{paths, time};

/// Default settings files. The first that exists is read.
const DEFAULT_FILES: [&str; 2] = ["time-server.toml", "/etc/postern/time-server.toml"];
/// The variable with the file's name, not a setting.
const FILE_VARIABLE: &str = "POSTERN_TIME_CONFIG";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeServerSettings {
    pub listen: SocketAddr,
    pub tcp: ListenSetting,
    pub issuer: String,
    pub jwks_url: Option<String>,
    pub revocations_url: Option<String>,
    pub service: String,
    pub key: PathBuf,
    pub origins: Vec<String>,
    pub max_connections: usize,
    pub trusted_proxies: Vec<String>,
    pub idle: DurationSetting,
    pub operator_listen: ListenSetting,
    pub log: LogSettings,
}

impl Default for TimeServerSettings {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 3002).into(),
            tcp: ListenSetting(Some((Ipv4Addr::LOCALHOST, 3003).into())),
            issuer: "http://localhost:3000".to_owned(),
            jwks_url: None,
            revocations_url: None,
            service: time::SERVICE.to_owned(),
            key: "data/time-server.key".into(),
            origins: Vec::new(),
            max_connections: 20_000,
            trusted_proxies: vec!["127.0.0.0/8".to_owned(), "::1".to_owned()],
            idle: DurationSetting::seconds(600),
            operator_listen: ListenSetting(None),
            log: LogSettings::default(),
        }
    }
}

impl TimeServerSettings {
    /// Loads `file` (or else `POSTERN_TIME_CONFIG`, or else `time-server.toml` in the working directory or in
    /// `/etc/postern`, if one exists), `POSTERN_TIME_...` and flags as (setting, value).
    ///
    /// # Errors
    /// The first error: its location and the allowed values.
    pub fn load(
        file: Option<&Path>,
        environment: &[(String, String)],
        flags: &[(String, String)],
    ) -> Result<Self, ConfigError> {
        let named = environment.iter().find(|(name, _)| name == FILE_VARIABLE).map(|(_, value)| Path::new(value));
        let default = first_of(&DEFAULT_FILES);
        let variables = environment.iter().filter_map(|(name, value)| {
            let setting =
                name.strip_prefix(TIME_SERVER).filter(|_| is_of_time_server(name) && name != FILE_VARIABLE)?;
            Some((setting.to_ascii_lowercase().replace("__", "."), name.as_str(), value.as_str()))
        });
        let file = file.or(named).or(default);
        let (settings, origins) = layered::<Self>(file, variables, flags)?;
        settings.check().map_err(|error| error.located(&origins, file))?;
        Ok(settings)
    }

    /// Returns the time server's own configuration.
    pub fn config(&self) -> time_server::Config {
        time_server::Config {
            issuer: self.issuer.clone(),
            jwks_url: self.jwks_url.clone().unwrap_or_else(|| self.issuer.clone() + paths::JWKS),
            revocations_url: Some(
                self.revocations_url.clone().unwrap_or_else(|| self.issuer.clone() + paths::REVOCATIONS),
            ),
            service: self.service.clone(),
            origins: if self.origins.is_empty() { vec![self.issuer.clone()] } else { self.origins.clone() },
            max_connections: self.max_connections,
            trusted_proxies: self.trusted_proxies.iter().filter_map(|text| network::parse(text)).collect(),
            idle: self.idle.0,
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        for (name, url) in [("issuer", &self.issuer)].into_iter().chain(self.origins.iter().map(|url| ("origins", url)))
        {
            if Origin::parse(url).ok().is_none_or(|canonical| canonical.to_string() != *url) {
                let problem = "this is not an origin: write https://host or https://host:port, in lower case";
                return Err(ConfigError::invalid(name, problem));
            }
        }
        if self.trusted_proxies.iter().any(|text| network::parse(text).is_none()) {
            let problem = "each one is an address or a network like 10.0.0.0/8";
            return Err(ConfigError::invalid("trusted_proxies", problem));
        }
        if self.trusted_proxies.iter().filter_map(|text| network::parse(text)).any(|network| network.prefix_len() == 0)
        {
            let problem = "a network of length 0 is everybody: then anyone chooses the address that is counted";
            return Err(ConfigError::invalid("trusted_proxies", problem));
        }
        let others = [("tcp", self.tcp), ("operator_listen", self.operator_listen)];
        let others = others.into_iter().filter_map(|(name, listen)| Some((name, listen.0?)));
        listeners::apart(&[("listen", self.listen)].into_iter().chain(others).collect::<Vec<_>>())?;
        let ranges = [
            ("max_connections", self.max_connections as u64, 1, 1_000_000),
            ("idle in seconds", self.idle.0.as_secs(), 10, 86_400),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(ConfigError::invalid(name, &format!("must be between {least} and {most}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<TimeServerSettings, ConfigError> {
        let pairs = |list: &[(&str, &str)]| {
            list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        TimeServerSettings::load(None, &pairs(environment), &pairs(flags))
    }

    #[test]
    fn the_commented_file_says_what_the_defaults_are() {
        let file: TimeServerSettings = toml::from_str(include_str!("../../../time-server.toml")).expect("readable");
        let default = TimeServerSettings::default();
        assert_eq!(toml::to_string(&file).expect("writable"), toml::to_string(&default).expect("writable"));
    }

    #[test]
    fn its_environment_is_its_own_and_flags_are_stronger() {
        let environment = [("POSTERN_TIME_TCP", "off"), ("POSTERN_TIME_SERVICE", "clock"), ("POSTERN_TIME__TCP", "x")];
        let settings = load(&environment, &[("service", "hours")]).expect("loads");
        assert_eq!((settings.tcp.0, settings.service.as_str()), (None, "hours"));
        assert_eq!(settings.config().jwks_url, "http://localhost:3000/.well-known/jwks.json");
        assert_eq!(settings.config().origins, ["http://localhost:3000"]);
    }

    #[test]
    fn invalid_settings_are_named() {
        for (flag, value) in [
            ("issuer", "http://localhost:3000/"),
            ("issuer", "portal"),
            ("origins", "['https://Portal.example']"),
            ("max_connections", "0"),
            ("idle", "1s"),
            ("trusted_proxies", "['0.0.0.0/0']"),
            ("tcp", "127.0.0.1:3002"),
            ("operator_listen", "127.0.0.1:3003"),
        ] {
            let error = load(&[], &[(flag, value)]).expect_err(value).to_string();
            assert!(error.contains(flag), "{error}");
        }
    }
}
