//! Settings: `postern.toml`, then environment, then flags; later ones override earlier ones.

mod apps;
mod bans;
mod clients;
#[cfg(test)]
mod documented;
mod durations;
mod effective;
mod error;
mod keys;
mod layers;
mod listeners;
mod mail;
mod oauth;
mod operator;
mod proxies;
mod second_factor;
mod settings;
mod time;
mod time_server;
mod toll;
mod toll_route;

pub use apps::{App, AppSettings, Apps};
pub use bans::Preset;
pub use clients::usable as client_usable;
pub use effective::{effective, without_password};
pub use error::ConfigError;
pub use keys::{KeySettings, Schedule};
pub use layers::{Layers, Origins};
pub use mail::{MailSecurity, MailSettings, PASSWORD_VARIABLE as MAIL_PASSWORD_VARIABLE};
pub use operator::{ListenSetting, OpsListenerSettings};
pub use proxies::{ClientAddress, TrustedProxies};
pub use settings::{LogFormat, LogSettings, Settings, SignupMode};
pub use time_server::TimeServerSettings;
pub use toll::{NetworkSetting, TollSettings, VerifierSetting};
pub use toll_route::{XmrAmount, table as toll_table};

use domain::authority::{Authority, Origin};
use domain::ban::BanPolicy;
use domain::second_factor::{Policy, Requirement};
use layers::layered;
use std::path::PathBuf;
use std::sync::Arc;

/// The validated settings and values derived from them.
#[derive(Debug, Clone)]
pub struct Config {
    pub settings: Settings,
    /// `scheme://host[:port]`, without a trailing slash.
    pub origin: String,
    pub authority: Authority,
    pub https: bool,
    pub policy: Arc<BanPolicy>,
    pub factor_policy: Arc<Policy>,
    pub proxies: Arc<TrustedProxies>,
    pub apps: Arc<Apps>,
    /// Clients of the settings file.
    pub clients: Arc<Vec<oidc::Client>>,
    /// `oauth.internal_networks`
    pub internal_networks: Arc<Vec<ipnet::IpNet>>,
    /// Networks that count as the public internet. No setting fills it: it is for tests, whose servers are on this machine.
    pub public_networks: Arc<Vec<ipnet::IpNet>>,
}

impl Layers {
    /// Loads and validates the settings.
    ///
    /// # Errors
    /// The first error: its file and line, variable or flag, and the allowed values.
    pub fn load(&self) -> Result<Config, ConfigError> {
        self.load_with_origins().map(|(config, _)| config)
    }

    /// Returns the settings, and the source of each one that is not a default.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_with_origins(&self) -> Result<(Config, Origins), ConfigError> {
        let file = self.file();
        let (settings, origins) = layered::<Settings>(file.as_deref(), self.variables(), &self.flags)?;
        let config = Config::new(settings).map_err(|error| error.located(&origins, file.as_deref()))?;
        Ok((config, origins))
    }
}

impl Config {
    /// Validates settings and derives values from them.
    ///
    /// # Errors
    /// Names the invalid setting and the allowed values.
    pub fn new(settings: Settings) -> Result<Self, ConfigError> {
        let origin = Origin::parse(&settings.public_url)
            .map_err(|problem| ConfigError::invalid("public_url", &problem.to_string()))?;
        let (https, authority) = (origin.https, &origin.authority);
        if !https && !authority.is_localhost() && !settings.allow_insecure_http {
            return Err(ConfigError::invalid(
                "public_url",
                "plain http is for localhost: use https, or set allow_insecure_http = true and know that \
                 anyone on the way can read the session",
            ));
        }
        settings.check()?;
        if settings.tls.redirect_http.is_some() && !https {
            return Err(ConfigError::invalid("tls.redirect_http", "redirects to public_url, which is not https"));
        }
        if settings.tls.certificate.is_some() && !https {
            let problem = "serves https, and public_url is not https: write public_url = \"https://...\"";
            return Err(ConfigError::invalid("tls.certificate", problem));
        }
        if settings.client_address != ClientAddress::default() && settings.trusted_proxies.is_empty() {
            let problem = "nobody may write the client's address: list the proxies in trusted_proxies";
            return Err(ConfigError::invalid("client_address", problem));
        }
        listeners::check(&settings)?;
        settings.time.check(https)?;
        settings.toll.check()?;
        settings.operator.allows("toll.operator_listen", settings.toll.operator_listen)?;
        let policy = Arc::new(settings.ban.policy()?);
        let factor_policy = Arc::new(settings.second_factor.policy(&origin)?);
        let proxies = Arc::new(TrustedProxies::new(&settings.trusted_proxies, settings.client_address)?);
        let apps = Arc::new(Apps::new(&settings.apps, authority.host(), settings.allow_insecure_http && !https)?);
        if apps.iter().any(|app| app.rules.strictest().second_factor == Requirement::Passkey) {
            second_factor::passkeys_work("apps.rules.second_factor", &origin)?;
        }
        if !apps.is_empty() {
            behind_proxies(&settings)?;
        }
        let (own, signing) = (origin.to_string(), settings.keys.signing_algorithm.as_str());
        let passkeys = second_factor::have_passkeys(&own, https, &origin.authority);
        let clients = Arc::new(clients::clients(&settings.clients, signing, &[&own], passkeys)?);
        settings.oauth.check_resources(&own)?;
        let internal_networks = Arc::new(settings.oauth.networks()?);
        Ok(Self {
            settings,
            origin: own,
            authority: origin.authority,
            https,
            policy,
            factor_policy,
            proxies,
            apps,
            clients,
            internal_networks,
            public_networks: Arc::default(),
        })
    }

    /// Returns the relying party's id; `None`: the public URL names an address, for which browsers make no passkeys.
    pub fn relying_party(&self) -> Option<&str> {
        domain::passkey::relying_party(&self.origin)
    }

    /// Whether browsers offer passkeys at this site.
    pub fn has_passkeys(&self) -> bool {
        second_factor::have_passkeys(&self.origin, self.https, &self.authority)
    }

    /// Whether cookies lack their prefix and `Secure`, and pages warn about it.
    pub fn insecure(&self) -> bool {
        self.settings.allow_insecure_http && !self.https
    }

    pub fn database_url(&self) -> String {
        match &self.settings.database_url {
            Some(url) => url.clone(),
            None => format!("sqlite:{}", self.settings.data_dir.join("postern.db").display()),
        }
    }

    /// Returns the database's URL for people, without its password.
    pub fn database_name(&self) -> String {
        effective::without_password(&self.database_url())
    }

    /// Returns the database file, if it is one.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let url = self.database_url();
        let path = url.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        Some(path.split('?').next().unwrap_or_default().into())
    }

    /// Whether the database is a file that does not exist. If this user may not see it, the answer is no.
    pub fn has_no_database_file(&self) -> bool {
        self.sqlite_file().is_some_and(|file| file.try_exists().is_ok_and(|exists| !exists))
    }

    pub fn key_encryption_key_file(&self) -> PathBuf {
        self.settings
            .key_encryption_key_file
            .clone()
            .unwrap_or_else(|| self.settings.data_dir.join("key-encryption.key"))
    }
}

/// Checks that proxies are known if there are apps, because apps rely on what proxies report.
fn behind_proxies(settings: &Settings) -> Result<(), ConfigError> {
    if settings.trusted_proxies.is_empty() {
        let problem = "apps need the addresses of the proxies that ask /api/verify about them";
        return Err(ConfigError::invalid("trusted_proxies", problem));
    }
    if settings.client_address == ClientAddress::ProxyProtocol {
        let problem = "with \"proxy-protocol\" a proxy cannot be told from its clients: apps need \"x-forwarded-for\" \
                       or \"forwarded\"";
        return Err(ConfigError::invalid("client_address", problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<Config, ConfigError> {
        Config::new(toml::from_str(text).expect("readable"))
    }

    #[test]
    fn origins_are_what_browsers_send() {
        for (url, origin) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://Portal.Example/", "https://portal.example"),
            ("https://portal.example:443", "https://portal.example"),
            ("https://portal.example:8443", "https://portal.example:8443"),
            ("https://portal.example.:443/", "https://portal.example"),
            ("https://[2001:DB8::7]:8443", "https://[2001:db8::7]:8443"),
            ("https://[2001:db8::7]", "https://[2001:db8::7]"),
        ] {
            assert_eq!(with(&format!("public_url = '{url}'")).expect(url).origin, origin);
        }
    }

    #[test]
    fn plain_http_is_for_localhost_unless_it_is_allowed_by_name() {
        assert!(with("public_url = 'http://portal.lan'").is_err());
        assert!(with("public_url = 'http://portal.lan'\nallow_insecure_http = true").expect("allowed").insecure());
        for url in ["ftp://x", "https://x/path", "https://u:p@x", "portal", "https://x?q"] {
            assert!(with(&format!("public_url = '{url}'")).is_err(), "{url}");
        }
        let error = with("public_url = 'https://b\u{fc}cher.example'").expect_err("not ASCII").to_string();
        assert!(error.contains("punycode") && error.contains("xn--"), "{error}");
    }
}
