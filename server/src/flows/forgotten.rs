//! Forgotten passwords: a person asks for a link, which is mailed to the account's own address.

use super::mail::{LinkMail, MailError, sure_address};
use crate::audit;
use crate::client::Client;
use crate::error_chain::chain;
use crate::state::{AppState, KeyState, LINK_REQUESTS};
use domain::account::name_key;
use domain::code_hash::CodeHash;
use domain::invitation::{RESET_MS, code};
use domain::mail::MailKind;
use std::sync::Arc;
use std::time::Duration;
use store::audit::{AuditEntry, AuditEvent, BY_MAIL};
use store::resets::{MailResetOutcome, Reset};

/// How long a stop waits for links that were asked for.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// Mails a link if the account exists and has an address that is proved or vouched for. It runs after the answer, which
/// therefore takes the same time for every name. The link sets the password and leaves second factors alone.
///
/// Drops the request while too many others wait for the database.
pub fn ask(state: AppState, client: Client, account: String) {
    let Ok(permit) = Arc::clone(&state.link_requests).try_acquire_owned() else {
        tracing::warn!("a request for a link was dropped, because too many wait for the database");
        state.metrics.mailed("dropped");
        return;
    };
    tokio::spawn(async move {
        let _permit = permit;
        if let Err(error) = mail_link(&state, &client, &account).await {
            tracing::error!(cause = %chain(&error), "a link for a forgotten password was not mailed");
        }
    });
}

/// Waits for the links that were asked for before a stop.
pub async fn finish(state: &AppState) {
    let all = state.link_requests.acquire_many(LINK_REQUESTS);
    if tokio::time::timeout(FINISH_TIMEOUT, all).await.is_err() {
        tracing::error!("the database does not answer: links for forgotten passwords were not mailed");
    }
}

/// Mails the link. `None`: no such account can get one.
///
/// # Errors
/// The code cannot be encrypted, or the store fails.
pub async fn mail_link(
    state: &KeyState,
    client: &Client,
    account: &str,
) -> Result<Option<MailResetOutcome>, MailError> {
    let user = state.store.user_by_key(&name_key(account)).await?.filter(|user| user.disabled_at.is_none());
    let Some(user) = user else { return Ok(None) };
    let recipient = match sure_address(&*state.store, &user.id).await {
        Ok(address) => address,
        Err(MailError::NoAddress) => return Ok(None),
        Err(error) => return Err(error),
    };
    let (now, code) = (state.now(), code(&state.entropy.bytes()));
    let audit = AuditEntry {
        user: Some(user.id.clone()),
        about: BY_MAIL.to_owned(),
        ..audit::entry(state, client, AuditEvent::ResetMade, audit::OK)
    };
    let reset = Reset {
        user: user.id.clone(),
        code_hash: CodeHash::of(&code),
        made_by: Some(user.id.clone()),
        created_at: now,
        expires_at: now + RESET_MS,
    };
    let link = LinkMail {
        kind: MailKind::ForgottenPassword,
        user: Some(&user.id),
        recipient: &recipient,
        audit: Some(&audit.id),
        code: &code,
        expires_at: reset.expires_at,
    };
    let mail = link.sealed(&state.key_encryption, &*state.entropy, now)?;
    Ok(Some(state.store.mail_reset(&reset, &audit, &mail).await?))
}
