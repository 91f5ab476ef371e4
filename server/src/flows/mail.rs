//! Mail: links and notices go into a queue in the database, and every node sends what is due.

use crate::audit;
use crate::client::Client;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::error_chain::chain;
use crate::key_encryption::{KeyEncryptionError, KeyEncryptionKey};
use crate::mailer::Mailer;
use crate::state::{AppState, CoreState, KeyState, SessionState};
use crate::utc_time::utc_time_with_zone;
use domain::UnixMs;
use domain::bidi::isolated;
use domain::client_key::ClientKey;
use domain::code_hash::CodeHash;
use domain::ids::{SessionId, UserId};
use domain::invitation::code;
use domain::mail::{CLAIM_MS, MailKind, MailText, PROOF_MS, Template, next_attempt, render};
use domain::passkey::PasskeyChange;
use domain::profile::{Email, EmailAddress, EmailState, InvalidEmailAddress};
use store::Store;
use store::audit::{AuditEntry, AuditEvent};
use store::mails::{
    BeginEmailProof, BeginEmailProofOutcome, FailedMail, NewMail, ProveEmail, ProveEmailOutcome, QueuedMail,
};
use wire::paths;

/// Number of messages in one round.
const ROUND: u32 = 20;
/// Period that messages that were given up remain in the queue.
pub const KEPT_MS: i64 = 7 * 24 * 60 * 60_000;
/// Maximum number of characters of an answer that is stored.
const MAX_FAILURE_CHARS: usize = 500;

/// The reason why no message was queued, or no address proved.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("mail is off: set mail.server")]
    Off,
    #[error("{0}")]
    Address(#[from] InvalidEmailAddress),
    #[error("the account has no e-mail address that is proved or vouched for")]
    NoAddress,
    #[error("the account has no address that is unproved")]
    NothingToProve,
    #[error("this address has reached its limit of messages for this hour")]
    OverLimit,
    #[error("the link was used or replaced, or has expired")]
    UsedUp,
    #[error("another account has this e-mail address")]
    EmailTaken,
    #[error(transparent)]
    Key(#[from] KeyEncryptionError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A message with a one-time link.
pub struct LinkMail<'a> {
    pub kind: MailKind,
    /// The account, if there is one.
    pub user: Option<&'a UserId>,
    pub recipient: &'a EmailAddress,
    /// The audit row that says who asked for it.
    pub audit: Option<&'a str>,
    pub code: &'a str,
    pub expires_at: UnixMs,
}

impl std::fmt::Debug for LinkMail<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkMail").field("kind", &self.kind).field("user", &self.user).finish_non_exhaustive()
    }
}

impl LinkMail<'_> {
    /// Builds the row, with the code sealed.
    pub fn sealed(
        &self,
        key: &KeyEncryptionKey,
        entropy: &dyn Entropy,
        now: UnixMs,
    ) -> Result<NewMail, KeyEncryptionError> {
        let id = entropy.ulid(now);
        let sealed = key.seal(entropy, &associated_data(&id), self.code.as_bytes())?;
        Ok(NewMail {
            id,
            kind: self.kind,
            user: self.user.cloned(),
            recipient: self.recipient.clone(),
            audit: self.audit.map(str::to_owned),
            sealed,
            link_expires_at: self.expires_at,
            now,
        })
    }
}

/// Returns the address of an account that messages may go to.
///
/// # Errors
/// The account has none, or the store fails.
pub async fn sure_address(store: &dyn Store, user: &UserId) -> Result<EmailAddress, MailError> {
    let email = store.profile(user).await?.and_then(|profile| profile.email);
    email.filter(|email| email.state.is_reliable()).map(|email| email.address).ok_or(MailError::NoAddress)
}

/// Mails a link that proves the person's own address.
///
/// # Errors
/// Mail is off, there is no unproved address, or the limit is reached.
pub async fn begin_proof(state: &KeyState, user: &UserId) -> Result<(), MailError> {
    let email = state.store.profile(user).await?.and_then(|profile| profile.email);
    let Some(Email { address, state: EmailState::Unproved }) = email else { return Err(MailError::NothingToProve) };
    let (now, code) = (state.now(), code(&state.entropy.bytes()));
    let link = LinkMail {
        kind: MailKind::AddressProof,
        user: Some(user),
        recipient: &address,
        audit: None,
        code: &code,
        expires_at: now + PROOF_MS,
    };
    let mail = link.sealed(&state.key_encryption, &*state.entropy, now)?;
    let begin = BeginEmailProof { user: user.to_owned(), code_hash: CodeHash::of(&code), mail };
    match state.store.begin_email_proof(&begin).await? {
        BeginEmailProofOutcome::Queued => Ok(()),
        BeginEmailProofOutcome::OverLimit => Err(MailError::OverLimit),
        BeginEmailProofOutcome::Off => Err(MailError::Off),
        BeginEmailProofOutcome::NotUnproved => Err(MailError::NothingToProve),
    }
}

/// Proves the person's own address with the code of a link. The person must be signed in: somebody else who opens the
/// link, because a stranger entered their address, proves nothing.
///
/// # Errors
/// The link is used up, or another account has the address.
pub async fn prove(
    state: &SessionState,
    client: &Client,
    user: &UserId,
    session: &SessionId,
    code: &str,
) -> Result<(), MailError> {
    let audit = AuditEntry {
        user: Some(user.to_owned()),
        session: Some(session.to_owned()),
        about: "e-mail proved".to_owned(),
        ..audit::entry(state, client, AuditEvent::ProfileChanged, audit::OK)
    };
    let prove = ProveEmail { user: user.to_owned(), code_hash: CodeHash::of(code.trim()), audit, now: state.now() };
    match state.store.prove_email(&prove).await? {
        ProveEmailOutcome::Proved => {
            state.forget_people();
            Ok(())
        }
        ProveEmailOutcome::UsedUp => Err(MailError::UsedUp),
        ProveEmailOutcome::EmailTaken => Err(MailError::EmailTaken),
    }
}

/// Sends what is due, each message by one node. A message is sent at least once: after a crash between sending and
/// deleting it, it is sent again with the same id.
///
/// # Errors
/// The store fails.
pub async fn send_due(state: &AppState) -> store::Result<()> {
    let Some(mailer) = &state.mailer else { return Ok(()) };
    for mail in state.store.due_mails(state.now(), ROUND).await? {
        if !state.store.claim_mail(&mail, state.now() + CLAIM_MS).await? {
            continue;
        }
        if !send(state, mailer, &mail).await? {
            // The server is down or refuses everything, so the others keep their attempts for later.
            break;
        }
    }
    Ok(())
}

/// Makes one attempt, and records its end. `false`: the mail server takes nothing now.
async fn send(state: &KeyState, mailer: &Mailer, mail: &QueuedMail) -> store::Result<bool> {
    let (address, text) = match composed(state, mail).await? {
        Composed::Ready(address, text) => (address, text),
        Composed::DeadLink => {
            tracing::info!(mail = %mail.id, kind = mail.kind.as_str(), "a message was dropped: its link opens nothing");
            state.store.drop_mail(&mail.id).await?;
            state.metrics.mailed("dropped");
            return Ok(true);
        }
        Composed::Gone => {
            record(state, mail, "the event or the link of this message is gone".to_owned(), true).await?;
            return Ok(true);
        }
    };
    match mailer.send(&mail.id, address, text, state.now()).await {
        Ok(_) => {
            state.store.finish_mail(&mail.id).await?;
            state.metrics.mailed("sent");
            Ok(true)
        }
        Err(error) => {
            record(state, mail, chain(&error), error.is_final()).await?;
            Ok(error.is_about_message())
        }
    }
}

/// Records a failed attempt, and logs the first one and the end.
async fn record(state: &CoreState, mail: &QueuedMail, failure: String, is_final: bool) -> store::Result<()> {
    let (now, tries) = (state.now(), mail.tries + 1);
    let next_at = if is_final { None } else { next_attempt(tries, now, mail.deadline) };
    // The queue is for administrators, who know the address; the log is not.
    let cause = failure.replace(&mail.recipient, "<recipient>");
    let (id, kind) = (&mail.id, mail.kind.as_str());
    match next_at {
        None => tracing::error!(mail = %id, kind, tries, %cause, "a message was given up"),
        Some(_) if tries == 1 => tracing::warn!(mail = %id, kind, %cause, "a message was not sent; it is tried again"),
        Some(_) => tracing::debug!(mail = %id, kind, tries, %cause, "a message was not sent again"),
    }
    state.metrics.mailed(if next_at.is_some() { "deferred" } else { "given_up" });
    let failure = failure.chars().take(MAX_FAILURE_CHARS).collect();
    let failed = FailedMail { id: mail.id.clone(), tries, failure, next_at, now };
    state.store.fail_mail(&failed).await.map(drop)
}

/// The message that a row of the queue becomes, or the reason why it becomes none.
enum Composed {
    Ready(EmailAddress, MailText),
    /// The link was used, replaced or revoked meanwhile.
    DeadLink,
    /// The link, account or event of the message is gone.
    Gone,
}

async fn composed(state: &KeyState, mail: &QueuedMail) -> store::Result<Composed> {
    let Ok(address) = EmailAddress::parse(&mail.recipient) else { return Ok(Composed::Gone) };
    let entry = match &mail.audit {
        Some(id) => state.store.audit_entry(id).await?,
        None => None,
    };
    let username = match &mail.user {
        Some(user) => state.store.user_by_id(user).await?.map(|user| user.name).filter(|name| !name.is_empty()),
        None => Some(String::new()),
    };
    let (Some(username), Some(code)) = (username, opened(state, mail)) else { return Ok(Composed::Gone) };
    if !opens(state, mail, &code).await? {
        return Ok(Composed::DeadLink);
    }
    let text = text(&state.config, mail, &username, &code, entry.as_ref());
    Ok(text.map_or(Composed::Gone, |text| Composed::Ready(address, text)))
}

/// Whether the link of a message still opens something.
async fn opens(state: &CoreState, mail: &QueuedMail, code: &str) -> store::Result<bool> {
    let (hash, now) = (CodeHash::of(code), state.now());
    match mail.kind {
        MailKind::Invitation => {
            Ok(state.store.invitation_by_code(&hash).await?.is_some_and(|invitation| invitation.is_open(now)))
        }
        MailKind::ResetLink | MailKind::ForgottenPassword => Ok(state.store.reset_of(&hash, now).await?.is_some()),
        MailKind::AddressProof => match &mail.user {
            Some(user) => state.store.is_email_proof(user, &hash, now).await,
            None => Ok(false),
        },
        MailKind::Notice => Ok(true),
    }
}

fn opened(state: &KeyState, mail: &QueuedMail) -> Option<String> {
    if mail.sealed.is_empty() {
        return (mail.kind == MailKind::Notice).then(String::new);
    }
    let opened = state.key_encryption.open(&associated_data(&mail.id), &mail.sealed);
    let opened = opened.inspect_err(|error| tracing::error!(mail = %mail.id, cause = %chain(error), "cannot decrypt"));
    String::from_utf8(opened.ok()?.to_vec()).ok()
}

fn text(
    config: &Config,
    mail: &QueuedMail,
    username: &str,
    code: &str,
    entry: Option<&AuditEntry>,
) -> Option<MailText> {
    let (template, page) = match mail.kind {
        MailKind::Invitation => (Template::Invitation, paths::SIGNUP_PAGE),
        MailKind::ResetLink => (Template::ResetLink, paths::RESET_PAGE),
        MailKind::ForgottenPassword => (Template::ForgottenPassword, paths::RESET_PAGE),
        MailKind::AddressProof => (Template::AddressProof, paths::PROFILE_PAGE),
        MailKind::Notice => (of_event(entry?)?, paths::ACTIVITY_PAGE),
    };
    // Always from the settings and never from a request, whose host a stranger may choose.
    let link = format!("{}{page}#code={code}", config.origin);
    let activity = format!("{}{}", config.origin, paths::ACTIVITY_PAGE);
    let until = mail.link_expires_at.map(utc_time_with_zone).unwrap_or_default();
    let at = entry.map(|entry| utc_time_with_zone(entry.at)).unwrap_or_default();
    let network = entry.map(|entry| network(entry, config.settings.ipv6_prefix)).unwrap_or_default();
    let username = isolated(username);
    let values = [
        ("site", config.settings.site.name.as_str()),
        ("username", &username),
        ("link", &link),
        ("code", code),
        ("until", &until),
        ("at", &at),
        ("device", entry.map(|entry| entry.device.as_str()).unwrap_or_default()),
        ("network", &network),
        ("activity", &activity),
    ];
    Some(render(template, &values))
}

/// Returns the text of a test message.
pub fn test_text(config: &Config) -> MailText {
    render(Template::Test, &[("site", &config.settings.site.name)])
}

/// Returns the text about an event; `None`: no message is about it.
fn of_event(entry: &AuditEntry) -> Option<Template> {
    let by_administrator = entry.actor.is_some() || entry.address == "-";
    Some(match entry.event {
        AuditEvent::Login if entry.is_wrong_code() => Template::WrongCode,
        AuditEvent::Login => Template::NewDevice,
        AuditEvent::SessionEnded => Template::SessionEnded,
        AuditEvent::PasswordSet => Template::PasswordChanged,
        AuditEvent::ResetMade => Template::ResetMade,
        AuditEvent::SecondFactorAdded => Template::FactorAdded,
        AuditEvent::SecondFactorRemoved if by_administrator => Template::FactorRemovedByAdministrator,
        AuditEvent::SecondFactorRemoved => Template::FactorRemoved,
        AuditEvent::RecoveryCodesMade => Template::RecoveryCodesMade,
        AuditEvent::RecoveryCodeUsed => Template::RecoveryCodeUsed,
        AuditEvent::PasskeyAdded => Template::PasskeyAdded,
        AuditEvent::PasskeyRemoved => Template::PasskeyRemoved,
        AuditEvent::PasskeyChanged if entry.outcome == PasskeyChange::Counter.as_str() => Template::PasskeyCopied,
        AuditEvent::PasskeyChanged => Template::PasskeyChanged,
        AuditEvent::ProfileChanged => Template::AddressChanged,
        AuditEvent::UserRenamed => Template::Renamed,
        _ => return None,
    })
}

/// Returns the network of an event, as people see it in their activity.
fn network(entry: &AuditEntry, v6_prefix: u8) -> String {
    let place = entry.address.parse().map(|address| ClientKey::of(address, v6_prefix).network_label());
    place.unwrap_or_else(|_| "-".to_owned())
}

/// Returns the associated data, so that a row with another's code cannot be decrypted.
fn associated_data(id: &str) -> String {
    format!("mails/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::audit::{TOO_MANY_PROOFS, WRONG_SECOND_FACTOR};

    #[test]
    fn every_event_that_is_mailed_has_a_text() {
        for event in AuditEvent::ALL {
            for outcome in ["ok", "new_device", WRONG_SECOND_FACTOR, TOO_MANY_PROOFS] {
                let entry = AuditEntry {
                    outcome: outcome.to_owned(),
                    address: "203.0.113.7".to_owned(),
                    ..AuditEntry::new(String::new(), UnixMs::EPOCH, *event)
                };
                assert!(!entry.is_mailed() || of_event(&entry).is_some(), "{event:?}");
            }
        }
        assert_eq!(utc_time_with_zone(UnixMs::from_millis(1_750_000_000_000)), "2025-06-15 15:06:40 UTC");
    }
}
