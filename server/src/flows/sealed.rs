//! The checks of every encrypted message, the cheapest first, before its content is used.

use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::cookies::{self, CookieName};
use crate::envelope::{self, OpenedEnvelope};
use crate::keyed_mutex::KeyedGuard;
use crate::keyring::EnvelopeKey;
use crate::offences;
use crate::passwords::HashPermit;
use crate::state::{AppState, CoreState, DefenceState, KeyState};
use crate::{dpop, keyring, refusal_feed};
use axum::body::Bytes;
use domain::ban::{Scope, Trigger};
use domain::encoding::{base64url, sha256};
use domain::short_key::{self, ShortKey, ShortKeyError, ShortKeyPurpose};
use domain::thumbprint::Thumbprint;
use http::{HeaderMap, Method};
use std::sync::Arc;
use std::time::Duration;
use store::attempts::{Attempt, AttemptRefusal, BeginAttempt, BeginOutcome};
use store::audit::AuditEvent;
use store::bans::Ban;
use wire::envelope::EnvelopeKind;
use wire::jwk::EcJwk;
use wire::login::{Delivery, SealedRequest};
use wire::problem::Code;
use zeroize::Zeroizing;

/// Number of attempts to get a reservation that another process holds, and the pause between them.
const BUSY_TRIES: u32 = 40;
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// An encrypted request as it arrived.
#[derive(Debug)]
pub struct SealedMessage {
    pub request: SealedRequest,
    /// The requested path, as the proof must state it.
    path: &'static str,
    pub(super) body_hash: String,
    /// SHA-256 of each pre-login cookie.
    cookies: Vec<[u8; 32]>,
    proof: Option<String>,
}

/// A decrypted message. The `short_key` is burnt and the client key reserved until the attempt ends.
#[derive(Debug)]
pub struct OpenedMessage {
    pub attempt: Attempt,
    pub plaintext: Zeroizing<Vec<u8>>,
    /// The client's signing and receiving keys; it has proven the first.
    pub keys: Option<(EcJwk, EcJwk)>,
    /// The delivery of tokens that the client asked for.
    pub delivery: Delivery,
    pub permit: HashPermit,
    _turn: KeyedGuard,
}

impl SealedMessage {
    /// Whether the message contains a proof of the key `jkt` that was made for this message.
    pub fn proves(&self, state: &CoreState, jkt: Thumbprint) -> bool {
        self.proof(state).is_some_and(|proof| proof.jkt == jkt)
    }

    /// Returns the proof for this path, if its nonce is the message's `short_key`.
    fn proof(&self, state: &CoreState) -> Option<dpop::Proof> {
        let url = format!("{}{}", state.config.origin, self.path);
        let proof = dpop::verify(self.proof.as_deref()?, Method::POST.as_str(), &url)?;
        (proof.nonce.as_deref() == Some(self.request.short_key.as_str())).then_some(proof)
    }

    /// Reads an encrypted request.
    ///
    /// # Errors
    /// `bad_request`: the body has the wrong form for this path.
    pub fn read(state: &CoreState, path: &'static str, headers: &HeaderMap, body: Bytes) -> Result<Self, ApiError> {
        let request: SealedRequest = serde_json::from_slice(&body).map_err(|_| ApiError::new(Code::BadRequest))?;
        let cookies = cookies::all(headers, &state.config, CookieName::PreLogin);
        Ok(Self {
            request,
            path,
            body_hash: base64url(&sha256(&body)),
            cookies: cookies.map(short_key::hash).collect(),
            proof: dpop::presented(headers).map(str::to_owned),
        })
    }
}

/// Checks the `short_key`, waits for a lock, takes a permit of the hash queue, burns, reserves and decrypts.
///
/// # Errors
/// The refusal; an attack has been counted.
pub async fn receive(
    state: &AppState,
    client: &Client,
    sealed: SealedMessage,
    kind: EnvelopeKind,
) -> Result<OpenedMessage, ApiError> {
    let (short_key, key) = check_short_key(state, client, &sealed, ShortKeyPurpose::Message).await?;
    let turn = state.defence.attempt_locks.lock_fair(client.ban_key(), client.known.as_ref(), client.client_key).await;
    // Taken only after the lock, so that a waiting attempt takes no permit from others.
    let permit = state.passwords.permit().ok_or_else(|| ApiError::wait(Code::Busy, 1000))?;
    let attempt = Attempt { id: state.ulid(), client_key: client.ban_key() };
    begin(&state.defence, client, &sealed, &short_key, &attempt).await?;
    match open(state, &key, &sealed, kind) {
        Ok((opened, keys)) => {
            let (plaintext, delivery) = (opened.plaintext, sealed.request.delivery);
            Ok(OpenedMessage { attempt, plaintext, keys, delivery, permit, _turn: turn })
        }
        Err(code) => Err(refuse_envelope(&state.defence, client, attempt, kind, code).await),
    }
}

/// Checks MAC, time and purpose; reads the store only for a ban. The envelope key remains usable for this request, even
/// if it expires meanwhile.
pub(super) async fn check_short_key(
    state: &AppState,
    client: &Client,
    sealed: &SealedMessage,
    purpose: ShortKeyPurpose,
) -> Result<(ShortKey, Arc<EnvelopeKey>), ApiError> {
    let text = &sealed.request.short_key;
    let Some(short_key) = authentic(state, text).await? else {
        if state.keyring.made_here(|macs| ShortKey::authenticate(&macs.short_key, text).ok()).is_some() {
            // Made with a MAC key that has been revoked since. The client receives another short_key and seals again.
            return Err(ApiError::new(Code::ShortKeyMismatch));
        }
        let evidence = "a short_key with a wrong MAC";
        return Err(offences::record_offence(
            &state.defence,
            client,
            Trigger::ForgedShortKey,
            evidence,
            Code::ShortKeyForged,
        )
        .await);
    };
    // A program's `short_key` sets no cookies, so that nobody can sign a visitor in under another name.
    let program = short_key.is_for_program() && sealed.request.delivery == Delivery::Body;
    let cookies = if program { &[] } else { sealed.cookies.as_slice() };
    let origin = short_key::hash(&state.config.origin);
    let now = state.now();
    let key = short_key.kid().and_then(|kid| state.keyring.opening(&kid, now));
    let kids: Vec<_> = key.iter().map(|key| key.kid).collect();
    match short_key.check(purpose, &kids, &origin, cookies, now) {
        Ok(()) => Ok((short_key, key.ok_or_else(|| ApiError::new(Code::ShortKeyMismatch))?)),
        Err(ShortKeyError::Expired) if state.config.policy.expired_short_key.is_some() => {
            let evidence = "a short_key that had run out";
            Err(offences::record_offence(
                &state.defence,
                client,
                Trigger::ExpiredShortKey,
                evidence,
                Code::ShortKeyExpired,
            )
            .await)
        }
        Err(error) => Err(short_key_refusal(error)),
    }
}

/// Builds the answer to a `short_key` that is no offence.
pub fn short_key_refusal(error: ShortKeyError) -> ApiError {
    ApiError::new(match error {
        // From the future: our clock was set back, which is not the client's fault.
        ShortKeyError::Expired | ShortKeyError::NotYet => Code::ShortKeyExpired,
        ShortKeyError::Forged | ShortKeyError::Mismatch => Code::ShortKeyMismatch,
    })
}

/// Authenticates a `short_key`. Another node may have made it with a new key, so the store is asked before it counts as
/// a forgery. That costs less than a wrong ban.
pub(super) async fn authentic(state: &KeyState, text: &str) -> Result<Option<ShortKey>, ApiError> {
    let read = || state.keyring.authentic(state.now(), |macs| ShortKey::authenticate(&macs.short_key, text).ok());
    if let Some(short_key) = read() {
        return Ok(Some(short_key));
    }
    if state.keyring.made_here(|macs| ShortKey::authenticate(&macs.short_key, text).ok()).is_some() {
        return Ok(None);
    }
    state.keyring.reload(&state.vault()).await?;
    Ok(read())
}

async fn begin(
    state: &DefenceState,
    client: &Client,
    sealed: &SealedMessage,
    short_key: &ShortKey,
    attempt: &Attempt,
) -> Result<(), ApiError> {
    for _ in 0..BUSY_TRIES {
        let now = state.now();
        // The previous attempt may have caused a ban while this one waited.
        if let Some(closed) = client.closed(state, Scope::SignIn) {
            return Err(ApiError::banned(closed, now));
        }
        let begin = BeginAttempt {
            attempt: attempt.clone(),
            short_key: short_key.id(),
            short_key_expires_at: short_key.expires_at(),
            body: sealed.body_hash.clone(),
            exempt: client.exempt(attempt.client_key, state),
            now,
        };
        match state.store.begin(&begin).await? {
            BeginOutcome::Reserved => return Ok(()),
            BeginOutcome::Busy => tokio::time::sleep(BUSY_PAUSE).await,
            BeginOutcome::Banned(ban) => {
                state.bans.apply(std::slice::from_ref(&*ban));
                return Err(offences::refusal(Code::Banned, &[*ban], state));
            }
            BeginOutcome::Resent => return Err(ApiError::new(Code::AlreadyReceived)),
            BeginOutcome::Replayed => {
                let evidence = "a short_key that was used before";
                return Err(offences::record_offence(
                    state,
                    client,
                    Trigger::ReplayedShortKey,
                    evidence,
                    Code::ShortKeyReplayed,
                )
                .await);
            }
            BeginOutcome::Full => break,
        }
    }
    Err(ApiError::wait(Code::Busy, 1000))
}

/// Decrypts the envelope and checks that it was made for this request at this site, by the holder of its key.
pub(super) fn open(
    state: &CoreState,
    key: &EnvelopeKey,
    sealed: &SealedMessage,
    kind: EnvelopeKind,
) -> Result<(OpenedEnvelope, Option<(EcJwk, EcJwk)>), Code> {
    let envelope = &sealed.request.encrypted_username_password;
    let opened = envelope::open(key, &*state.entropy, envelope).ok_or(Code::BadEnvelope)?;
    let header = &opened.header;
    if header.typ != kind || header.sk != sealed.request.short_key || header.org != state.config.origin {
        return Err(Code::BadEnvelope);
    }
    let keys = match (&header.jwk, &header.enc_jwk) {
        (Some(signing), Some(receiving)) => Some((signing.clone(), receiving.clone())),
        (None, None) => None,
        _ => return Err(Code::BadEnvelope),
    };
    if let Some((signing, receiving)) = &keys {
        // Otherwise a session would exist that can never open its key.
        jwe::check_public(receiving).map_err(|_| Code::BadEnvelope)?;
        if !sealed.proves(state, keyring::thumbprint(signing)) {
            return Err(Code::BadProof);
        }
    }
    Ok((opened, keys))
}

pub(super) async fn refuse_envelope(
    state: &DefenceState,
    client: &Client,
    attempt: Attempt,
    kind: EnvelopeKind,
    code: Code,
) -> ApiError {
    let event = match kind {
        EnvelopeKind::Login | EnvelopeKind::SecondFactor | EnvelopeKind::Passkey => AuditEvent::Login,
        EnvelopeKind::Confirmation => AuditEvent::IdentityConfirmed,
        EnvelopeKind::Signup => AuditEvent::UserAdded,
        EnvelopeKind::Password | EnvelopeKind::Reset => AuditEvent::PasswordSet,
        EnvelopeKind::Deletion => AuditEvent::UserDeleted,
    };
    let outcome = if code == Code::BadProof { "bad_proof" } else { "bad_envelope" };
    let offender = client.offender();
    let refusal = AttemptRefusal {
        attempt,
        offender,
        trigger: Trigger::BadEnvelope,
        account: None,
        counts_as_failure: false,
        evidence: "an envelope that cannot be decrypted or was made for another request".to_owned(),
        audit: audit::entry(state, client, event, outcome),
        ban_context: offences::ban_context(state, client, offender),
    };
    end_refused(state, refusal, code).await
}

/// Ends an attempt as refused.
pub async fn end_refused(state: &DefenceState, refusal: AttemptRefusal, code: Code) -> ApiError {
    match state.store.refuse(&refusal).await {
        Ok(bans) => {
            offences::impose(state, &bans);
            state.refusal_feed.publish(&refusal_feed::RefusalEvent::new(
                refusal.offender,
                refusal.trigger,
                &bans,
                refusal.ban_context.now,
            ));
            offences::refusal(public_code(code, &bans), &bans, state)
        }
        Err(error) => error.into(),
    }
}

/// Returns `banned` instead of `code` after a ban on everything, because the next page would be refused too.
fn public_code(code: Code, bans: &[Ban]) -> Code {
    if bans.iter().any(|ban| ban.scope == Scope::Everything) { Code::Banned } else { code }
}

/// The reason why a received message failed.
#[derive(Debug)]
pub enum AttemptError {
    /// The attempt has ended with a decision.
    Ended(ApiError),
    /// A failure that is not the client's fault: the attempt is still open.
    Open(ApiError),
}

impl<E: Into<ApiError>> From<E> for AttemptError {
    fn from(error: E) -> Self {
        Self::Open(error.into())
    }
}

/// Ends an open attempt, so that the next one need not wait until its reservation expires.
pub async fn settle<T>(state: &CoreState, attempt: &Attempt, result: Result<T, AttemptError>) -> Result<T, ApiError> {
    match result {
        Ok(value) => Ok(value),
        Err(AttemptError::Ended(error)) => Err(error),
        Err(AttemptError::Open(error)) => {
            state.store.release(attempt).await?;
            Err(error)
        }
    }
}
