//! Every setting with its default. `postern.toml` in the repository documents them.

use super::ConfigError;
use super::apps::AppSettings;
use super::bans::BanSettings;
use super::durations::DurationSetting;
use super::keys::{KeySettings, Schedule};
use super::mail::MailSettings;
use super::oauth::OAuthSettings;
use super::operator::OpsListenerSettings;
use super::proxies::ClientAddress;
use super::second_factor::SecondFactorSettings;
use super::time::TimeSettings;
use super::toll::TollSettings;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

const DAY: u64 = 24 * 60 * 60;
const CENTURY: u64 = 36_525 * DAY;
const LONGEST_ACCESS: u64 = domain::server_key::LONGEST_TOKEN_MS.unsigned_abs() / 1000;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub public_url: String,
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub database_url: Option<String>,
    pub key_encryption_key_file: Option<PathBuf>,
    pub allow_insecure_http: bool,
    pub ipv6_prefix: u8,
    pub trusted_proxies: Vec<String>,
    pub client_address: ClientAddress,
    pub tls: TlsSettings,
    pub site: SiteSettings,
    pub signup: SignupSettings,
    pub password: PasswordSettings,
    pub session: SessionSettings,
    pub second_factor: SecondFactorSettings,
    pub keys: KeySettings,
    pub ban: BanSettings,
    pub retention: RetentionSettings,
    pub connections: ConnectionSettings,
    pub operator: OpsListenerSettings,
    pub mail: MailSettings,
    pub time: TimeSettings,
    pub toll: TollSettings,
    pub oauth: OAuthSettings,
    pub log: LogSettings,
    pub apps: Vec<AppSettings>,
    pub clients: Vec<oidc::ClientSettings>,
}

/// Both files or neither.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// The address of a plain http listener that redirects to https.
    pub redirect_http: Option<SocketAddr>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteSettings {
    pub name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignupSettings {
    pub mode: SignupMode,
}

/// The people who may create an account on `/signup`. The first account always needs the set-up code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignupMode {
    Open,
    /// People with an invitation.
    Invite,
    Closed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordSettings {
    pub min: u32,
    pub memory_kib: u32,
    pub passes: u32,
    /// The number of hash threads; 0: one for each core.
    pub threads: usize,
    pub queue: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSettings {
    pub access: DurationSetting,
    pub idle: DurationSetting,
    pub absolute: DurationSetting,
    /// Period that a browser is not asked for the second factor again, if its owner wants that.
    pub remember_device: Schedule,
}

/// Retention of past rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSettings {
    pub audit: DurationSetting,
    pub bans: DurationSetting,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionSettings {
    pub max: usize,
    pub max_per_address: usize,
    pub stall: DurationSetting,
    pub min_rate: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    pub format: LogFormat,
    pub level: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://localhost:3000".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            data_dir: PathBuf::from("data"),
            database_url: None,
            key_encryption_key_file: None,
            allow_insecure_http: false,
            ipv6_prefix: domain::client_key::DEFAULT_V6_PREFIX,
            trusted_proxies: Vec::new(),
            client_address: ClientAddress::default(),
            tls: TlsSettings::default(),
            site: SiteSettings::default(),
            signup: SignupSettings::default(),
            password: PasswordSettings::default(),
            session: SessionSettings::default(),
            second_factor: SecondFactorSettings::default(),
            keys: KeySettings::default(),
            ban: BanSettings::default(),
            retention: RetentionSettings::default(),
            connections: ConnectionSettings::default(),
            operator: OpsListenerSettings::default(),
            mail: MailSettings::default(),
            time: TimeSettings::default(),
            toll: TollSettings::default(),
            oauth: OAuthSettings::default(),
            log: LogSettings::default(),
            apps: Vec::new(),
            clients: Vec::new(),
        }
    }
}

impl Default for SiteSettings {
    fn default() -> Self {
        Self { name: "Postern".to_owned() }
    }
}

impl Default for SignupSettings {
    fn default() -> Self {
        Self { mode: SignupMode::Invite }
    }
}

impl Default for PasswordSettings {
    /// Returns the minimum of OWASP and ASVS 5.0 (appendix C) for argon2id.
    fn default() -> Self {
        Self { min: 15, memory_kib: 19_456, passes: 2, threads: 0, queue: 64 }
    }
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self { audit: DurationSetting::seconds(90 * DAY), bans: DurationSetting::seconds(90 * DAY) }
    }
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            access: DurationSetting::seconds(300),
            idle: DurationSetting::seconds(30 * DAY),
            absolute: DurationSetting::seconds(90 * DAY),
            remember_device: Schedule(None),
        }
    }
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self { max: 4096, max_per_address: 256, stall: DurationSetting::seconds(30), min_rate: 256 }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

impl ConnectionSettings {
    /// Returns the minimum speed of a client.
    pub fn minimum_rate(&self) -> net::MinimumRate {
        net::MinimumRate { stall: self.stall.0, min_rate: self.min_rate.into() }
    }
}

impl Settings {
    /// Checks ranges that the types do not express.
    ///
    /// # Errors
    /// Names the setting and its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let ranges: [(&str, u64, u64, u64); 14] = [
            ("ipv6_prefix", self.ipv6_prefix.into(), 32, 128),
            ("password.min", self.password.min.into(), 8, 128),
            ("password.memory_kib", self.password.memory_kib.into(), 8, 4_194_304),
            ("password.passes", self.password.passes.into(), 1, 100),
            ("password.threads", self.password.threads as u64, 0, 1024),
            ("password.queue", self.password.queue as u64, 1, 65_536),
            ("session.access in seconds", self.session.access.0.as_secs(), 1, LONGEST_ACCESS),
            // Times are added to the clock's, and must not overflow.
            ("session.absolute in seconds", self.session.absolute.0.as_secs(), 1, CENTURY),
            ("retention.audit in seconds", self.retention.audit.0.as_secs(), DAY, CENTURY),
            ("retention.bans in seconds", self.retention.bans.0.as_secs(), DAY, CENTURY),
            ("connections.max", self.connections.max as u64, 1, 1_000_000),
            ("connections.max_per_address", self.connections.max_per_address as u64, 1, 1_000_000),
            ("connections.stall in seconds", self.connections.stall.0.as_secs(), 1, 3600),
            ("connections.min_rate", self.connections.min_rate.into(), 0, 1_000_000),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(ConfigError::invalid(name, &format!("must be between {least} and {most}")));
            }
        }
        self.operator.check()?;
        self.mail.check()?;
        self.keys.check()?;
        if let Some(url) = &self.database_url
            && !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme))
        {
            return Err(ConfigError::invalid("database_url", "write sqlite:path or postgres://user@host/database"));
        }
        if let Some(path) = self.database_url.as_deref().and_then(|url| url.strip_prefix("sqlite:")) {
            let path = path.strip_prefix("//").unwrap_or(path).split('?').next().unwrap_or_default();
            if path.is_empty() || path == ":memory:" {
                return Err(ConfigError::invalid("database_url", "name a file, as in sqlite:data/postern.db"));
            }
        }
        if self.data_dir.as_os_str().is_empty() {
            return Err(ConfigError::invalid("data_dir", "name a folder; the default is data"));
        }
        if !self.log.level.split(',').all(names_a_level) {
            let problem = "write error, warn, info, debug, trace or off, or one for each module: info,server=debug";
            return Err(ConfigError::invalid("log.level", problem));
        }
        if self.session.idle.0 < self.session.access.0 || self.session.absolute.0 < self.session.idle.0 {
            return Err(ConfigError::invalid("session", "access <= idle <= absolute must hold"));
        }
        if self.session.remember_device.0.is_some_and(|span| !(3600..=365 * DAY).contains(&span.0.as_secs())) {
            return Err(ConfigError::invalid("session.remember_device", "must be \"off\", or 1h to 365d"));
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return Err(ConfigError::invalid("tls", "certificate and key must be set together"));
        }
        if self.tls.redirect_http.is_some() && self.tls.certificate.is_none() {
            let problem = "leads to https, which needs certificate and key; a proxy in front redirects on its own";
            return Err(ConfigError::invalid("tls.redirect_http", problem));
        }
        if self.site.name.trim().is_empty() || self.site.name.chars().count() > 80 {
            return Err(ConfigError::invalid("site.name", "must have 1 to 80 characters"));
        }
        Ok(())
    }
}

/// Whether a directive of the log names a level. An unknown word would select a module of that name and hide everything
/// else.
fn names_a_level(directive: &str) -> bool {
    let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level).trim();
    ["off", "error", "warn", "info", "debug", "trace"].iter().any(|known| level.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let with = |text: &str| crate::config::Config::new(toml::from_str(text).expect(text));
        for (text, named) in [
            ("session.absolute = '300years'", "session.absolute"),
            ("session.access = '0s'", "session.access"),
            ("session.idle = '1s'", "session"),
            ("keys.signing_rotation = '1000years'", "keys.signing_rotation"),
            ("ban.flood.window = '0s'", "ban.flood"),
            ("ban.flood.window = '1000years'", "ban.flood"),
            ("ban.flood.quiet = '1000years'", "ban.flood"),
            ("ban.flood.ladder = ['1s', '1000years']", "ban.flood"),
            ("database_url = 'sqlite::memory:'", "database_url"),
            ("database_url = 'sqlite://?mode=rwc'", "database_url"),
            ("data_dir = ''", "data_dir"),
            ("client_address = 'forwarded'", "client_address"),
            ("tls = { certificate = 'a', key = 'b' }", "tls.certificate"),
            ("mail.port = 25", "mail.port"),
            ("mail.certificate_authority = 'a'", "mail.certificate_authority"),
            ("mail = { server = 'localhost', from = 'a@example.org', port = 0 }", "mail.port"),
            (
                "mail = { server = 'localhost', from = 'a@example.org', certificate_authority = '/nowhere' }",
                "mail.certificate_authority",
            ),
            ("time.tcp = 'localhost:0'", "time.tcp"),
            ("oauth.certificate_authorities = '/nowhere'", "oauth.certificate_authorities"),
        ] {
            let error = with(text).expect_err(text).to_string();
            assert!(error.starts_with(named), "{text}: {error}");
        }
    }

    #[test]
    fn misspelt_levels_and_databases_are_refused() {
        for good in ["info", "WARN", "off", "info,server=debug", "warn, tower_http=trace"] {
            let mut settings = Settings::default();
            good.clone_into(&mut settings.log.level);
            assert!(settings.check().is_ok(), "{good}");
        }
        for bad in ["chatty", "", "info,", "server", "server=loud", "verbose"] {
            let mut settings = Settings::default();
            bad.clone_into(&mut settings.log.level);
            assert!(settings.check().is_err_and(|error| error.to_string().contains("log.level")), "{bad}");
        }
        for bad in ["mysql://x", "postern.db", "postgres//x"] {
            let settings = Settings { database_url: Some(bad.to_owned()), ..Settings::default() };
            assert!(settings.check().is_err_and(|error| error.to_string().contains("database_url")), "{bad}");
        }
    }
}
