//! The second factor of a sign-in: a code in the envelope with the password, or afterwards in a pending sign-in.

use super::accept::{self, SignIn, outcome};
use super::issue::IssuedTokens;
use super::remembered_devices;
use super::sealed::{self, AttemptError, OpenedMessage, SealedMessage};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::guards::factor_policy;
use crate::keyring::thumbprint;
use crate::offences;
use crate::state::{AppState, CoreState, DefenceState, KeyState, SessionState};
use crate::totp;
use domain::account::{AccountDigest, name_key};
use domain::account_delay::{self, DelayDecision};
use domain::authentication::Methods;
use domain::ban::Trigger;
use domain::code_hash::CodeHash;
use domain::ids::UserId;
use domain::known_device::{DeviceHolder, DeviceRefusal};
use domain::recovery_code;
use domain::second_factor::{Factors, PENDING_MS};
use store::attempts::{AttemptRefusal, LoginContext, LoginLookup};
use store::audit::AuditEvent;
use store::given_codes::GivenCode;
use store::recovery_codes::UseRecoveryCode;
use store::second_factors::{NewPendingSignIn, PendingSignIn};
use store::users::User;
use wire::envelope::EnvelopeKind;
use wire::jwk::EcJwk;
use wire::problem::Code;
use wire::second_factor::SecondFactor;

/// A pending sign-in that was presented by the client that began it.
#[derive(Debug)]
pub struct Presented {
    pub row: PendingSignIn,
    pub user: User,
    account: AccountDigest,
    pub context: LoginContext,
}

/// Checks a code of an account. `None`: it is wrong or was used. A right one is used up by the write that it is for.
///
/// # Errors
/// The store fails, or the secret cannot be decrypted.
pub async fn check_code(
    state: &KeyState,
    client: &Client,
    user: &UserId,
    code: &str,
) -> Result<Option<GivenCode>, ApiError> {
    if let Some(code_hash) = recovery_code::hash(code) {
        if !state.store.has_recovery_code(user, &code_hash).await? {
            return Ok(None);
        }
        let mut entry = audit::entry(state, client, AuditEvent::RecoveryCodeUsed, audit::OK);
        entry.user = Some(user.to_owned());
        let used = UseRecoveryCode { user: user.to_owned(), code_hash, audit: entry, now: state.now() };
        return Ok(Some(GivenCode::Recovery(Box::new(used))));
    }
    let Some(row) = state.store.totp(user, true).await? else { return Ok(None) };
    Ok(totp::check(&state.key_encryption, &row, code, state.now())?.map(GivenCode::Totp))
}

/// Stores a sign-in whose password was right, and tells the client which second factors finish it.
pub async fn begin(
    state: &CoreState,
    client: &Client,
    received: &OpenedMessage,
    user: &User,
    factors: Factors,
) -> AttemptError {
    let secret = state.entropy.secret();
    let mut entry = audit::entry(state, client, AuditEvent::Login, audit::SECOND_FACTOR_REQUIRED);
    entry.user = Some(user.id.clone());
    let pending = PendingSignIn {
        id: CodeHash::of(&secret).as_str().to_owned(),
        user: user.id.clone(),
        judged_by: user.password_hash.clone(),
        jkt: received.keys.as_ref().map(|(signing, _)| thumbprint(signing)),
        expires_at: state.now() + PENDING_MS,
    };
    let new = NewPendingSignIn { attempt: received.attempt.clone(), pending, audit: entry };
    match state.store.add_pending(&new).await {
        Ok(()) => AttemptError::Ended(ApiError::second_factor_required(secret, &factors.kinds())),
        Err(error) => error.into(),
    }
}

/// Finds the pending sign-in of a secret and counts one try. The message must be of the key that began it.
///
/// # Errors
/// `sign_in_expired`, `device_mismatch`; the store fails.
pub async fn present(
    state: &KeyState,
    client: &Client,
    keys: Option<&(EcJwk, EcJwk)>,
    secret: &str,
) -> Result<Presented, AttemptError> {
    let expired = || ApiError::new(Code::SignInExpired);
    let row = state.store.try_pending(CodeHash::of(secret).as_str(), state.now()).await?.ok_or_else(expired)?;
    let jkt = keys.map(|(signing, _)| thumbprint(signing));
    if row.jkt != jkt {
        return Err(expired().into());
    }
    let user = state.store.user_by_id(&row.user).await?.ok_or_else(expired)?;
    let account = state.keyring.digests.account(&user.name);
    if client.known.as_ref().is_some_and(|known| !known.is_of(&account, jkt)) {
        let holder = DeviceHolder::of(&account, jkt);
        return Err(ApiError::device_mismatch(DeviceRefusal::Other(holder)).into());
    }
    let lookup = LoginLookup {
        name_key: &name_key(&user.name),
        account: account.as_str(),
        client_key: client.ban_key(),
        place: &client.client_key.network_label(),
        relying_party: state.config.relying_party(),
    };
    let context = state.store.login_context(lookup).await?;
    Ok(Presented { row, user, account, context })
}

impl Presented {
    /// Whether a code may be tried now. A passkey needs no such check, because a signature cannot be guessed.
    ///
    /// # Errors
    /// `account_delayed`, `sign_in_expired`
    async fn check_delay(&self, state: &DefenceState, client: &Client) -> Result<(), ApiError> {
        match account_delay::gate(self.context.failures, state.now()) {
            DelayDecision::Wait { ms } => {
                let mut entry = audit::entry(state, client, AuditEvent::Login, audit::DELAYED);
                entry.user = Some(self.user.id.clone());
                audit::note(state, client, entry).await?;
                Err(ApiError::wait(Code::AccountDelayed, ms))
            }
            DelayDecision::Shut => Err(ApiError::new(Code::SignInExpired)),
            DelayDecision::Open => Ok(()),
        }
    }
}

/// Finishes a pending sign-in with a code that was right. Of two requests, one succeeds.
///
/// # Errors
/// `wrong_credentials`: the account was disabled, its password changed, or the sign-in has finished already.
pub async fn complete(
    state: &SessionState,
    client: &Client,
    received: &OpenedMessage,
    presented: &Presented,
    proven: GivenCode,
    remember: bool,
) -> Result<IssuedTokens, AttemptError> {
    let (user, method) = (&presented.user, proven.method());
    let required = factor_policy::of_account(state, &user.id, user.role).await?;
    let request = remembered_devices::RememberRequest { user: &user.id, proven: method, required, wanted: remember };
    let sign_in = SignIn {
        user,
        account: &presented.account,
        judged_by: Some(presented.row.judged_by.clone()),
        methods: Methods::PASSWORD.with(method),
        forgive: presented.context.forgivable,
        outcome: outcome(client.known.is_some(), user, presented.context.known_network),
        pending: Some(presented.row.id.clone()),
        memory: remembered_devices::decide(state, client, received.keys.as_ref(), request),
        code: Some(proven),
    };
    accept::accept(state, client, received, sign_in).await
}

/// Answers a pending sign-in with a code.
///
/// # Errors
/// `wrong_code` counts towards a ban of its own, and as a failure of the account.
pub async fn answer(state: AppState, client: Client, sealed: SealedMessage) -> Result<IssuedTokens, ApiError> {
    let received = sealed::receive(&state, &client, sealed, EnvelopeKind::SecondFactor).await?;
    let result = by_code(&state, &client, &received).await;
    sealed::settle(&state, &received.attempt, result).await
}

async fn by_code(state: &AppState, client: &Client, received: &OpenedMessage) -> Result<IssuedTokens, AttemptError> {
    let answer: SecondFactor =
        serde_json::from_slice(&received.plaintext).map_err(|_| ApiError::new(Code::BadEnvelope))?;
    let presented = present(state, client, received.keys.as_ref(), &answer.pending).await?;
    presented.check_delay(&state.defence, client).await?;
    match check_code(state, client, &presented.user.id, &answer.code).await? {
        Some(proven) => complete(state, client, received, &presented, proven, answer.remember).await,
        None => Err(refuse(&state.defence, client, received, &presented.user, &presented.account).await),
    }
}

/// Refuses a wrong code of a person whose password was right.
pub async fn refuse(
    state: &DefenceState,
    client: &Client,
    received: &OpenedMessage,
    user: &User,
    account: &AccountDigest,
) -> AttemptError {
    let mut entry = audit::entry(state, client, AuditEvent::Login, audit::WRONG_SECOND_FACTOR);
    entry.user = Some(user.id.clone());
    let offender = received.attempt.client_key;
    let refusal = AttemptRefusal {
        attempt: received.attempt.clone(),
        offender,
        trigger: Trigger::WrongSecondFactor,
        account: Some(account.as_str().to_owned()),
        counts_as_failure: true,
        evidence: "a wrong code after the right password".to_owned(),
        audit: entry,
        ban_context: offences::ban_context(state, client, offender),
    };
    AttemptError::Ended(sealed::end_refused(state, refusal, Code::WrongCode).await)
}
