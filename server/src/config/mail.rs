//! `[mail]`: the mail server that messages are handed to. Without `server`, no mail is sent.

use super::ConfigError;
use domain::profile::EmailAddress;
use mail::Security;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The environment variable with the password, which can be in a file instead.
pub const PASSWORD_VARIABLE: &str = "POSTERN_MAIL_PASSWORD";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailSettings {
    /// A host name or an address; `None`: mail is off.
    pub server: Option<String>,
    /// `None`: the usual port of `security`.
    pub port: Option<u16>,
    pub security: MailSecurity,
    /// The sender's address.
    pub from: Option<String>,
    /// The sender's name; `None`: `site.name`.
    pub from_name: Option<String>,
    pub username: Option<String>,
    pub password_file: Option<PathBuf>,
    /// PEM file with the only authorities that may have signed the server's certificate; `None`: the system's.
    pub certificate_authority: Option<PathBuf>,
    /// Maximum number of messages of one kind to one address in an hour.
    pub per_hour: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// TLS after the command STARTTLS, port 587.
    StartTls,
    /// TLS from the first byte, port 465.
    Tls,
    /// No TLS, port 25: for a mail server on this machine.
    Off,
}

impl MailSecurity {
    pub(crate) fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::Off => 25,
        }
    }

    pub(crate) fn security(self) -> Security {
        match self {
            Self::StartTls => Security::StartTls,
            Self::Tls => Security::Implicit,
            Self::Off => Security::Off,
        }
    }
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            server: None,
            port: None,
            security: MailSecurity::StartTls,
            from: None,
            from_name: None,
            username: None,
            password_file: None,
            certificate_authority: None,
            per_hour: 10,
        }
    }
}

impl MailSettings {
    /// Returns how many messages of one kind an address gets in an hour; `None`: mail is off.
    pub fn limit(&self) -> Option<u32> {
        self.server.as_ref().map(|_| self.per_hour)
    }

    /// Checks the ranges and the required settings.
    ///
    /// # Errors
    /// Names the setting and the problem.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !(1..=1000).contains(&self.per_hour) {
            return Err(ConfigError::invalid("mail.per_hour", "must be 1 to 1000"));
        }
        let Some(server) = &self.server else {
            let unused = [
                ("mail.from", self.from.is_some()),
                ("mail.username", self.username.is_some()),
                ("mail.password_file", self.password_file.is_some()),
                ("mail.port", self.port.is_some()),
                ("mail.from_name", self.from_name.is_some()),
                ("mail.certificate_authority", self.certificate_authority.is_some()),
            ];
            return match unused.iter().find(|(_, is_set)| *is_set) {
                Some((setting, _)) => Err(ConfigError::invalid(setting, "has no effect without mail.server")),
                None => Ok(()),
            };
        };
        // Refuses URLs, ports, and characters that could begin another command.
        if server.is_empty() || !server.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b)) {
            return Err(ConfigError::invalid(
                "mail.server",
                "write a host name or an address, such as mail.example.org",
            ));
        }
        let Some(from) = &self.from else {
            return Err(ConfigError::invalid("mail.from", "is missing: write the sender's address"));
        };
        EmailAddress::parse(from).map_err(|error| ConfigError::invalid("mail.from", &error.to_string()))?;
        if self.security == MailSecurity::Off && !is_this_machine(server) {
            let problem = "must be \"starttls\" or \"tls\", unless the mail server is on this machine: 127.0.0.1, ::1 or \
                           localhost";
            return Err(ConfigError::invalid("mail.security", problem));
        }
        if self.port == Some(0) {
            return Err(ConfigError::invalid("mail.port", "must be 1 to 65535"));
        }
        if let Some(file) = &self.certificate_authority {
            std::fs::read(file).map_err(|error| {
                ConfigError::invalid("mail.certificate_authority", &format!("{}: {error}", file.display()))
            })?;
        }
        if self.username.is_none() && self.password_file.is_some() {
            return Err(ConfigError::invalid("mail.username", "is missing: there is a password"));
        }
        if let Some(file) = &self.password_file {
            std::fs::read_to_string(file)
                // The file's name may be the password, in the wrong setting.
                .map_err(|error| ConfigError::invalid("mail.password_file", &format!("cannot be read: {error}")))?;
        }
        Ok(())
    }
}

fn is_this_machine(server: &str) -> bool {
    server == "localhost" || server.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_off_until_a_server_is_named_and_incomplete_settings_are_refused() {
        let from = "from = 'postern@example.org'\n";
        for (text, problem) in [
            ("", None),
            ("per_hour = 0", Some("mail.per_hour")),
            (from, Some("mail.from: has no effect")),
            ("server = 'mail.example.org'", Some("mail.from")),
            (&format!("server = 'mail.example.org'\n{from}"), None),
            (&format!("server = 'mail.example.org/x'\n{from}"), Some("mail.server")),
            (&format!("server = 'smtp://mail.example.org'\n{from}"), Some("mail.server")),
            (&format!("server = \"mail.example.org\\r\\nEHLO x\"\n{from}"), Some("mail.server")),
            ("server = 'mail.example.org'\nfrom = 'Postern <a@example.org>'", Some("mail.from")),
            ("server = 'mail.example.org'\nfrom = \"a@example.org\\r\\nBcc: b@example.net\"", Some("mail.from")),
            (&format!("server = 'mail.example.org'\nsecurity = 'off'\n{from}"), Some("mail.security")),
            (&format!("server = 'localhost.example.org'\nsecurity = 'off'\n{from}"), Some("mail.security")),
            (&format!("server = '127.0.0.1'\nsecurity = 'off'\n{from}"), None),
            (&format!("server = '::1'\nsecurity = 'off'\n{from}"), None),
            (&format!("server = 'localhost'\npassword_file = '/nowhere'\n{from}"), Some("mail.username")),
            (
                &format!("server = 'localhost'\nusername = 'a'\npassword_file = '/nowhere'\n{from}"),
                Some("password_file"),
            ),
        ] {
            let settings: MailSettings = toml::from_str(text).expect(text);
            match (settings.check(), problem) {
                (Ok(()), None) => {}
                (Err(error), Some(problem)) => assert!(error.to_string().contains(problem), "{text}: {error}"),
                (outcome, _) => panic!("{text}: {outcome:?}"),
            }
        }
        assert_eq!(MailSettings::default().limit(), None);
        assert!(toml::from_str::<MailSettings>("security = 'none'").is_err());
    }
}
