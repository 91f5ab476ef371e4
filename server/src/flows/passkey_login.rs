//! Sign-in with a passkey.
//!
//! A wrong signature is not a guess, because signatures cannot be found by trying. It therefore counts on no ladder of
//! the password. People who guess passwords ban neither this kind of sign-in nor the account for the owner's passkey.
//!
//! A passkey also finishes a sign-in whose password was right, if it is of the same account and the same browser.

use super::accept::outcome;
use super::issue::{self, IssuedTokens, SessionOwner};
use super::passkeys::{REQUIRED, relying_party, state_of, timeout};
use super::sealed::{self, AttemptError, SealedMessage};
use super::sealed_assertion::{self, OpenedAssertion};
use super::second_factor::{self, Presented};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::keyring;
use crate::state::{AppState, CoreState, KeyState};
use domain::account::name_key;
use domain::authentication::{Method, Methods};
use domain::encoding::{base64url, from_base64url};
use domain::ids::UserId;
use domain::passkey::{self as rules, PasskeyChange, PasskeyState};
use domain::short_key::{self, ShortKey, ShortKeyClaims, ShortKeyPurpose};
use passkey::{Assertion, Expected, PasskeyError, PublicKey};
use store::attempts::LoginLookup;
use store::audit::{AuditEntry, AuditEvent};
use store::passkeys::{PasskeyAcceptance, PasskeyOwner, UsedPasskey};
use wire::passkeys::{AssertionCredential, PasskeyChallenge, RequestOptions};
use wire::problem::Code;

/// Returns a challenge. Writes nothing.
///
/// # Errors
/// No envelope key is available; passkeys do not work at this site.
pub fn challenge(state: &KeyState, cookie: Option<[u8; 32]>) -> Result<PasskeyChallenge, ApiError> {
    let (host, now) = (relying_party(&state.config)?, state.now());
    let (key, purpose) = (state.keyring.envelope(now)?, ShortKeyPurpose::PasskeySignIn);
    let claims = ShortKeyClaims {
        expires_at: now + purpose.lifetime_ms(),
        kid: Some(key.kid),
        origin: short_key::hash(&state.config.origin),
        cookie,
    };
    let short_key = ShortKey::issue_for(purpose, &state.keyring.macs(now)?.short_key, state.entropy.bytes(), &claims);
    let options = RequestOptions {
        challenge: base64url(&rules::challenge(&short_key)),
        rp_id: host.to_owned(),
        timeout: timeout(purpose),
        user_verification: REQUIRED.to_owned(),
    };
    Ok(PasskeyChallenge {
        short_key,
        expires_at: claims.expires_at.as_millis(),
        now: now.as_millis(),
        key: key.public.clone(),
        options,
    })
}

/// Signs a person in with a passkey.
///
/// # Errors
/// `passkey_refused` for every reason that concerns the passkey or its account.
pub async fn login(state: AppState, client: Client, sealed: SealedMessage) -> Result<IssuedTokens, ApiError> {
    let short_key = sealed.request.short_key.clone();
    let received = sealed_assertion::receive(&state, &client, sealed).await?;
    let attempt = received.attempt.clone();
    let result = decide(&state, &client, received, &short_key).await;
    sealed::settle(&state, &attempt, result).await
}

/// The reason of a refusal, for the audit log alone.
#[derive(Debug)]
pub(super) enum Refusal {
    Unknown,
    OtherUser,
    Disabled,
    OtherHost,
    /// The counter did not rise. The passkey's name is for its owner.
    Counter(String),
    Invalid(PasskeyError),
}

impl Refusal {
    fn reason(&self) -> String {
        match self {
            Self::Unknown => "no account has this passkey".to_owned(),
            Self::OtherUser => "the passkey is of another account".to_owned(),
            Self::Disabled => "the account is disabled".to_owned(),
            Self::OtherHost => "the passkey was made for another host".to_owned(),
            Self::Counter(_) => "the passkey's counter did not rise, so it may have been copied".to_owned(),
            Self::Invalid(reason) => reason.to_string(),
        }
    }
}

async fn decide(
    state: &AppState,
    client: &Client,
    received: OpenedAssertion,
    short_key: &str,
) -> Result<IssuedTokens, AttemptError> {
    let credential: AssertionCredential =
        serde_json::from_slice(&received.plaintext).map_err(|_| ApiError::new(Code::BadEnvelope))?;
    let pending = match &credential.pending {
        Some(secret) => Some(second_factor::present(state, client, received.keys.as_ref(), secret).await?),
        None => None,
    };
    let owner = state.store.passkey_owner(&credential.id).await?;
    let begun_by = pending.as_ref().map(|pending| &pending.user.id);
    match judge(state, owner.as_ref(), begun_by, &credential, short_key) {
        Ok((owner, reported)) => accept(state, client, &received, pending.as_ref(), owner, reported).await,
        Err(refusal) => {
            let mut entry = audit::entry(state, client, AuditEvent::Login, audit::PASSKEY_REFUSED);
            // The row is about the account whose password was right, and only otherwise about the passkey's.
            entry.user = begun_by.cloned().or(owner.map(|owner| owner.user.id));
            note_refusal(state, client, entry, refusal).await?;
            Err(ApiError::new(Code::PasskeyRefused).into())
        }
    }
}

/// Writes why a passkey was refused. If it may have been copied, its owner also receives a notice.
///
/// # Errors
/// The store fails.
pub(super) async fn note_refusal(
    state: &AppState,
    client: &Client,
    entry: AuditEntry,
    refusal: Refusal,
) -> store::Result<()> {
    audit::note(&state.defence, client, AuditEntry { about: refusal.reason(), ..entry.clone() }).await?;
    let Refusal::Counter(label) = refusal else { return Ok(()) };
    let changed = AuditEntry {
        user: entry.user,
        session: entry.session,
        about: label,
        ..audit::entry(state, client, AuditEvent::PasskeyChanged, PasskeyChange::Counter.as_str())
    };
    audit::note(&state.defence, client, changed).await
}

/// Writes that a use was refused because another one at the same time had reached its counter, if it was so.
///
/// # Errors
/// The store fails.
pub(super) async fn note_overtaken(
    state: &AppState,
    client: &Client,
    entry: AuditEntry,
    used: &UsedPasskey,
) -> store::Result<()> {
    let held = state.store.passkeys(&used.user).await?;
    match held.into_iter().find(|passkey| passkey.id == used.id) {
        Some(passkey) if !passkey.state.may_precede(used.state) => {
            note_refusal(state, client, entry, Refusal::Counter(passkey.label)).await
        }
        _ => Ok(()),
    }
}

fn judge<'a>(
    state: &CoreState,
    owner: Option<&'a PasskeyOwner>,
    begun_by: Option<&UserId>,
    credential: &AssertionCredential,
    short_key: &str,
) -> Result<(&'a PasskeyOwner, PasskeyState), Refusal> {
    let owner = owner.ok_or(Refusal::Unknown)?;
    if begun_by.is_some_and(|user| *user != owner.user.id) {
        return Err(Refusal::OtherUser);
    }
    let host = state.config.relying_party().ok_or(Refusal::OtherHost)?;
    if owner.passkey.relying_party != host {
        return Err(Refusal::OtherHost);
    }
    let response = &credential.response;
    // The authenticator found the account by this handle, so it must be the one that the passkey was made for.
    if response.user_handle.as_deref() != Some(owner.handle.as_str()) {
        return Err(Refusal::OtherUser);
    }
    let bytes = |text: &str| from_base64url(text).ok_or(Refusal::Invalid(PasskeyError::ClientData));
    let (client_data, data, signature) =
        (bytes(&response.client_data_json)?, bytes(&response.authenticator_data)?, bytes(&response.signature)?);
    let key = PublicKey::from_cose(&bytes(&owner.passkey.public_key)?).map_err(Refusal::Invalid)?;
    let challenge = rules::challenge(short_key);
    let expected = Expected { relying_party: host, origin: &state.config.origin, challenge: &challenge };
    let received = Assertion { client_data_json: &client_data, authenticator_data: &data, signature: &signature };
    let reported = passkey::verify_assertion(&expected, &key, &received).map_err(Refusal::Invalid)?;
    if owner.user.disabled_at.is_some() {
        return Err(Refusal::Disabled);
    }
    let reported = state_of(reported);
    if !owner.passkey.state.may_precede(reported) {
        return Err(Refusal::Counter(owner.passkey.label.clone()));
    }
    Ok((owner, reported))
}

/// An assertion of a live session's account that was right.
#[derive(Debug)]
pub(super) struct UsableAssertion {
    pub used: UsedPasskey,
    pub label: String,
    /// A change that its owner should know of.
    pub change: Option<PasskeyChange>,
}

/// Checks an assertion over the hash of `short_key` by one of the account's passkeys. The inner error is the reason of the
/// refusal, for the audit log alone.
///
/// # Errors
/// The store fails.
pub(super) async fn of_account(
    state: &CoreState,
    user: &UserId,
    credential: &AssertionCredential,
    short_key: &str,
) -> Result<Result<UsableAssertion, Refusal>, ApiError> {
    let owner = state.store.passkey_owner(&credential.id).await?;
    Ok(judge(state, owner.as_ref(), Some(user), credential, short_key).map(
        |(PasskeyOwner { passkey, .. }, reported)| UsableAssertion {
            used: UsedPasskey {
                id: passkey.id.clone(),
                user: user.to_owned(),
                relying_party: passkey.relying_party.clone(),
                state: reported,
                now: state.now(),
            },
            label: passkey.label.clone(),
            change: passkey.state.change(reported),
        },
    ))
}

async fn accept(
    state: &AppState,
    client: &Client,
    received: &OpenedAssertion,
    pending: Option<&Presented>,
    owner: &PasskeyOwner,
    reported: PasskeyState,
) -> Result<IssuedTokens, AttemptError> {
    let PasskeyOwner { user, passkey, .. } = owner;
    let account = state.keyring.digests.account(&user.name);
    let jkt = received.keys.as_ref().map(|(signing, _)| keyring::thumbprint(signing));
    let is_known = client.known.as_ref().is_some_and(|known| known.is_of(&account, jkt));
    let lookup = LoginLookup {
        name_key: &name_key(&user.name),
        account: account.as_str(),
        client_key: client.ban_key(),
        place: &client.client_key.network_label(),
        relying_party: state.config.relying_party(),
    };
    let known_network = state.store.login_context(lookup).await?.known_network;
    let relying_party = relying_party(&state.config)?.to_owned();
    let outcome = outcome(is_known, user, known_network);
    let (methods, judged_by) = match pending {
        Some(pending) => (Methods::PASSWORD.with(Method::Passkey), Some(pending.row.judged_by.clone())),
        None => (Methods::of(Method::Passkey), None),
    };
    let opening = issue::open(state, client, &user.id, judged_by, methods, received.keys.as_ref());
    let about = |event, outcome: &str| AuditEntry {
        user: Some(user.id.clone()),
        session: Some(opening.row.id.clone()),
        about: passkey.label.clone(),
        ..audit::entry(state, client, event, outcome)
    };
    let change = passkey.state.change(reported).map(|change| about(AuditEvent::PasskeyChanged, change.as_str()));
    let acceptance = PasskeyAcceptance {
        attempt: received.attempt.clone(),
        client_key: client.ban_key(),
        account: account.as_str().to_owned(),
        passkey: UsedPasskey {
            id: passkey.id.clone(),
            user: user.id.clone(),
            relying_party,
            state: reported,
            now: opening.row.now,
        },
        pending: pending.map(|pending| pending.row.id.clone()),
        forgive: pending.is_some_and(|pending| pending.context.forgivable),
        session: opening.row.clone(),
        audit: std::iter::once(about(AuditEvent::Login, outcome)).chain(change).collect(),
        now: opening.row.now,
    };
    if !state.store.accept_passkey(&acceptance).await? {
        // Removed, disabled, finished or used elsewhere since it was read, which gets the usual answer.
        let mut entry = audit::entry(state, client, AuditEvent::Login, audit::PASSKEY_REFUSED);
        entry.user = Some(user.id.clone());
        note_overtaken(state, client, entry, &acceptance.passkey).await?;
        return Err(AttemptError::Ended(ApiError::new(Code::PasskeyRefused)));
    }
    let subject = SessionOwner { user: &user.id, username: &user.name, role: user.role };
    issue::first(state, &subject, &account, &opening, received.delivery).map_err(AttemptError::Ended)
}
