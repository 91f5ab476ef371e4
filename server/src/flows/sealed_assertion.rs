//! Sealed assertions of passkeys.

use super::sealed::{SealedMessage, check_short_key, open, refuse_envelope};
use crate::api_error::ApiError;
use crate::client::Client;
use crate::offences;
use crate::state::AppState;
use domain::ban::Trigger;
use domain::client_key::ClientKey;
use domain::encoding::sha256;
use domain::short_key::ShortKeyPurpose;
use store::attempts::{Attempt, BeginAttempt, BeginOutcome};
use wire::envelope::EnvelopeKind;
use wire::jwk::EcJwk;
use wire::login::Delivery;
use wire::problem::Code;
use zeroize::Zeroizing;

/// A decrypted assertion of a passkey. The `short_key` is burnt until the attempt ends.
#[derive(Debug)]
pub(super) struct OpenedAssertion {
    pub attempt: Attempt,
    pub plaintext: Zeroizing<Vec<u8>>,
    /// The client's signing and receiving keys; it has proven the first.
    pub keys: Option<(EcJwk, EcJwk)>,
    /// The delivery of tokens that the client asked for.
    pub delivery: Delivery,
}

/// Receives a sealed assertion of a passkey, as [`super::sealed::receive`] does other messages. It waits for no other
/// attempt: the challenge itself holds the reservation, so that people who guess passwords at this address do not keep
/// the owner of a passkey waiting.
///
/// # Errors
/// The refusal; an attack has been counted.
pub(super) async fn receive(
    state: &AppState,
    client: &Client,
    sealed: SealedMessage,
) -> Result<OpenedAssertion, ApiError> {
    let (short_key, key) = check_short_key(state, client, &sealed, ShortKeyPurpose::PasskeySignIn).await?;
    let mut holder = [0; 16];
    holder.copy_from_slice(&sha256(short_key.id().as_bytes())[..16]);
    let attempt = Attempt { id: state.ulid(), client_key: ClientKey::Device(holder) };
    let begin = BeginAttempt {
        attempt: attempt.clone(),
        short_key: short_key.id(),
        short_key_expires_at: short_key.expires_at(),
        body: sealed.body_hash.clone(),
        // Bans of the client were checked before, and a challenge is never banned.
        exempt: true,
        now: state.now(),
    };
    match state.store.begin(&begin).await? {
        BeginOutcome::Reserved => {}
        BeginOutcome::Busy | BeginOutcome::Resent => return Err(ApiError::new(Code::AlreadyReceived)),
        BeginOutcome::Replayed => {
            let (trigger, evidence) = (Trigger::ReplayedShortKey, "a challenge of a passkey that was used before");
            return Err(offences::record_offence(&state.defence, client, trigger, evidence, Code::PasskeyRefused).await);
        }
        BeginOutcome::Full | BeginOutcome::Banned(_) => return Err(ApiError::wait(Code::Busy, 1000)),
    }
    match open(state, &key, &sealed, EnvelopeKind::Passkey) {
        Ok((opened, keys)) => {
            let (plaintext, delivery) = (opened.plaintext, sealed.request.delivery);
            Ok(OpenedAssertion { attempt, plaintext, keys, delivery })
        }
        Err(code) => Err(refuse_envelope(&state.defence, client, attempt, EnvelopeKind::Passkey, code).await),
    }
}
