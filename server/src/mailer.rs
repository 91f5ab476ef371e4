//! Composes messages and hands them to the mail server of the settings.

use crate::config::{Config, MAIL_PASSWORD_VARIABLE};
use domain::UnixMs;
use domain::mail::MailText;
use domain::profile::{EmailAddress, InvalidEmailAddress};
use mail::{Credentials, MailServer, Message, Receipt, SendError, TlsError, TlsTrust};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Time limit of one attempt, much shorter than [`domain::mail::CLAIM_MS`].
const TIMEOUT: Duration = Duration::from_mins(1);

/// The reason why mail cannot be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    #[error("mail.password_file: {0}")]
    Password(PathBuf, #[source] io::Error),
    #[error("mail.username needs mail.password_file or the variable {MAIL_PASSWORD_VARIABLE}")]
    NoPassword,
    /// The setting or variable.
    #[error("{0} is empty: write the password of mail.username, or remove both")]
    EmptyPassword(&'static str),
    #[error("mail.from: {0}")]
    From(#[from] InvalidEmailAddress),
    #[error("mail: {0}")]
    Tls(#[from] TlsError),
}

/// The mail server with the sender.
#[derive(Debug, Clone)]
pub struct Mailer {
    server: MailServer,
    from: EmailAddress,
    from_name: String,
}

impl Mailer {
    /// Loads the settings of the mail server. Returns `None` if mail is off.
    ///
    /// # Errors
    /// The password is empty, or the password or the certificates cannot be read.
    pub fn load(config: &Config) -> Result<Option<Self>, MailerError> {
        let settings = &config.settings.mail;
        let (Some(host), Some(from)) = (&settings.server, &settings.from) else { return Ok(None) };
        let credentials = match &settings.username {
            None => None,
            Some(username) => Some(Credentials { username: username.clone(), password: password(config)? }),
        };
        let trust = settings.certificate_authority.clone().map_or(TlsTrust::System, TlsTrust::File);
        let port = settings.port.unwrap_or_else(|| settings.security.port());
        let hello = config.authority.host();
        let server = MailServer::new(host, port, settings.security.security(), credentials, hello, TIMEOUT, &trust)?;
        let from_name = settings.from_name.as_ref().unwrap_or(&config.settings.site.name).clone();
        Ok(Some(Self { server, from: EmailAddress::parse(from)?, from_name }))
    }

    /// Sends one message. `id`: the same in each attempt.
    ///
    /// # Errors
    /// The step that failed, with the server's answer.
    pub async fn send(&self, id: &str, to: EmailAddress, text: MailText, now: UnixMs) -> Result<Receipt, SendError> {
        let message = Message {
            id: id.to_owned(),
            from_name: self.from_name.clone(),
            from: self.from.clone(),
            to,
            subject: text.subject,
            body: text.body,
            date: now.to_seconds(),
        };
        self.server.send(&message).await
    }
}

/// Reads the password from the environment, or else from the file.
fn password(config: &Config) -> Result<String, MailerError> {
    if let Ok(password) = std::env::var(MAIL_PASSWORD_VARIABLE) {
        return not_empty(password, MAIL_PASSWORD_VARIABLE);
    }
    let file = config.settings.mail.password_file.as_ref().ok_or(MailerError::NoPassword)?;
    let text = std::fs::read_to_string(file).map_err(|error| MailerError::Password(file.clone(), error))?;
    not_empty(text.trim_end_matches(['\r', '\n']).to_owned(), "mail.password_file")
}

fn not_empty(password: String, setting: &'static str) -> Result<String, MailerError> {
    if password.is_empty() { Err(MailerError::EmptyPassword(setting)) } else { Ok(password) }
}
