//! A login: checks the envelope's content against the store.

use super::accept::{SignIn, accept, outcome};
use super::check_password::check_password;
use super::issue::IssuedTokens;
use super::remembered_devices::RememberRequest;
use super::sealed::{self, AttemptError, OpenedMessage, SealedMessage};
use super::{remembered_devices, second_factor};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::guards::factor_policy;
use crate::keyring;
use crate::offences;
use crate::passwords::PasswordCheck;
use crate::state::{AppState, DefenceState, KeyState};
use domain::account::{AccountDigest, name_key};
use domain::account_delay::{self, DelayDecision};
use domain::authentication::Methods;
use domain::ban::Trigger;
use domain::known_device::{DeviceHolder, DeviceRefusal};
use domain::login::{LoginFacts, LoginRefusal, LoginVerdict, judge};
use domain::second_factor::Factors;
use store::attempts::{Attempt, AttemptRefusal, LoginContext, LoginLookup};
use store::audit::AuditEvent;
use store::given_codes::GivenCode;
use store::remembered_devices::DeviceMemory;
use store::users::{PasswordHash, User};
use wire::envelope::EnvelopeKind;
use wire::login::Credentials;
use wire::problem::Code;
use zeroize::Zeroizing;

/// Signs a person in with a password.
///
/// # Errors
/// The refusal. Unknown names, wrong passwords, disabled and blocked accounts look the same and take the same time.
pub async fn login(state: AppState, client: Client, sealed: SealedMessage) -> Result<IssuedTokens, ApiError> {
    let received = sealed::receive(&state, &client, sealed, EnvelopeKind::Login).await?;
    let attempt = received.attempt.clone();
    let result = decide(&state, &client, received).await;
    sealed::settle(&state, &attempt, result).await
}

async fn decide(state: &AppState, client: &Client, received: OpenedMessage) -> Result<IssuedTokens, AttemptError> {
    let credentials: Credentials =
        serde_json::from_slice(&received.plaintext).map_err(|_| ApiError::new(Code::BadEnvelope))?;
    let digest = state.keyring.digests.account(&credentials.username);
    // Invalid names are looked up too, so that they take as long as unknown ones.
    let name_key = name_key(&credentials.username);
    let jkt = received.keys.as_ref().map(|(signing, _)| keyring::thumbprint(signing));
    if client.known.as_ref().is_some_and(|known| !known.is_of(&digest, jkt)) {
        let holder = DeviceHolder::of(&digest, jkt);
        return Err(ApiError::device_mismatch(DeviceRefusal::Other(holder)).into());
    }
    let asked = LoginLookup {
        name_key: &name_key,
        account: digest.as_str(),
        client_key: client.ban_key(),
        place: &client.client_key.network_label(),
        relying_party: state.config.relying_party(),
    };
    let LoginContext { user, failures, forgivable, known_network, factors } = state.store.login_context(asked).await?;
    // Guesses by strangers do not slow the owner down on a known device, because that has its own failures.
    let gate = account_delay::gate(failures, state.now());
    check_delay(state, client, gate, user.as_ref()).await?;

    let password = Zeroizing::new(credentials.password.as_bytes().to_vec());
    let stored = user.as_ref().map(|user| user.password_hash.0.as_str());
    let verified = check_password(state, &received.permit, password.clone(), stored).await?;
    let facts = LoginFacts {
        known: user.is_some(),
        right: verified != PasswordCheck::Wrong,
        disabled: user.as_ref().is_some_and(|user| user.disabled_at.is_some()),
        shut: gate == DelayDecision::Shut,
    };
    match (judge(facts), user) {
        (LoginVerdict::Accepted, Some(user)) => {
            let factors = prove_factors(state, client, &received, &user, &credentials, factors).await?;
            let Some(ProvenFactors { methods, memory, code }) = factors else {
                // As a wrong password: the answer must not say that the password is right.
                let reason = LoginRefusal::WrongCode;
                return Err(refuse(&state.defence, client, &received.attempt, Some(&user), &digest, reason).await);
            };
            let sign_in = SignIn {
                user: &user,
                account: &digest,
                judged_by: Some(user.password_hash.clone()),
                methods,
                forgive: forgivable,
                outcome: outcome(client.known.is_some(), &user, known_network),
                pending: None,
                memory,
                code,
            };
            let issued = accept(state, client, &received, sign_in).await?;
            if verified == PasswordCheck::RightButOld {
                upgrade(state, &received, &user, password).await;
            }
            Ok(issued)
        }
        (LoginVerdict::Accepted, None) => {
            Err(refuse(&state.defence, client, &received.attempt, None, &digest, LoginRefusal::Unknown).await)
        }
        (LoginVerdict::Refused(reason), user) => {
            Err(refuse(&state.defence, client, &received.attempt, user.as_ref(), &digest, reason).await)
        }
    }
}

/// Checks the delay of the account, before its password costs anything.
///
/// # Errors
/// `account_delayed`; `device_mismatch`: after this many failures the device counts as unknown.
async fn check_delay(
    state: &AppState,
    client: &Client,
    gate: DelayDecision,
    user: Option<&User>,
) -> Result<(), AttemptError> {
    match gate {
        DelayDecision::Wait { ms } => {
            let mut entry = audit::entry(state, client, AuditEvent::Login, audit::DELAYED);
            entry.user = user.map(|user| user.id.clone());
            audit::note(&state.defence, client, entry).await?;
            Err(ApiError::wait(Code::AccountDelayed, ms).into())
        }
        DelayDecision::Shut if client.known.is_some() => Err(ApiError::device_mismatch(DeviceRefusal::Spent).into()),
        DelayDecision::Shut | DelayDecision::Open => Ok(()),
    }
}

/// The factors of a sign-in whose password is right.
struct ProvenFactors {
    methods: Methods,
    memory: DeviceMemory,
    code: Option<GivenCode>,
}

/// Takes the second factor, if one is needed: a code in the same message, or a device that is remembered. Otherwise
/// the sign-in waits for one. `None`: the code is wrong.
async fn prove_factors(
    state: &KeyState,
    client: &Client,
    received: &OpenedMessage,
    user: &User,
    credentials: &Credentials,
    held: Factors,
) -> Result<Option<ProvenFactors>, AttemptError> {
    let keys = received.keys.as_ref();
    let password_alone = |memory| Ok(Some(ProvenFactors { methods: Methods::PASSWORD, memory, code: None }));
    let required = factor_policy::of_account(state, &user.id, user.role).await?;
    if !held.needed_after_password(required) {
        return password_alone(DeviceMemory::Unconcerned);
    }
    let Some(code) = credentials.code.as_deref().map(str::trim).filter(|code| !code.is_empty()) else {
        return match remembered_devices::find(state, keys, &user.id, required).await? {
            Some(remembered) if !credentials.factor => password_alone(remembered),
            _ => Err(second_factor::begin(state, client, received, user, held).await),
        };
    };
    let Some(proven) = second_factor::check_code(state, client, &user.id, code).await? else { return Ok(None) };
    let (method, wanted) = (proven.method(), credentials.remember);
    let request = RememberRequest { user: &user.id, proven: method, required, wanted };
    let memory = remembered_devices::decide(state, client, keys, request);
    Ok(Some(ProvenFactors { methods: Methods::PASSWORD.with(method), memory, code: Some(proven) }))
}

async fn refuse(
    state: &DefenceState,
    client: &Client,
    attempt: &Attempt,
    user: Option<&User>,
    digest: &AccountDigest,
    reason: LoginRefusal,
) -> AttemptError {
    let mut entry = audit::entry(state, client, AuditEvent::Login, reason.as_str());
    entry.user = user.map(|user| user.id.clone());
    let refusal = AttemptRefusal {
        attempt: attempt.clone(),
        // A known device has proven its key by now.
        offender: attempt.client_key,
        trigger: Trigger::InvalidCredentials,
        account: Some(digest.as_str().to_owned()),
        counts_as_failure: true,
        evidence: "wrong name or password".to_owned(),
        audit: entry,
        ban_context: offences::ban_context(state, client, attempt.client_key),
    };
    AttemptError::Ended(sealed::end_refused(state, refusal, Code::WrongCredentials).await)
}

/// Hashes the password with today's parameters, because it is known only now. If this fails, the next login tries
/// again.
async fn upgrade(state: &AppState, received: &OpenedMessage, user: &User, password: Zeroizing<Vec<u8>>) {
    match state.passwords.hash(&received.permit, password, state.entropy.bytes()).await {
        Ok(hash) => {
            let upgraded = state.store.upgrade_password(&user.id, &user.password_hash, &PasswordHash(hash)).await;
            if let Err(error) = upgraded {
                tracing::error!(cause = %crate::error_chain::chain(&error), "a password hash was not upgraded");
            }
        }
        Err(error) => tracing::error!(cause = %crate::error_chain::chain(&error), "a password hash was not upgraded"),
    }
}
