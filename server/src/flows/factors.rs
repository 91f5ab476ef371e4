//! An account's second factors: registration, removal, and recovery codes.

use super::actor::Actor;
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::error_chain::chain;
use crate::guards::signed_in::SignedIn;
use crate::guards::{factor_policy, recent_factor};
use crate::state::{CoreState, KeyState, SessionState};
use crate::totp;
use domain::UnixMs;
use domain::account::Role;
use domain::authentication::Method;
use domain::ids::UserId;
use domain::recovery_code;
use domain::totp::{REGISTRATION_MS, secret_text, uri};
use store::Store;
use store::audit::AuditEvent;
use store::second_factors::{ConfirmTotp, PasskeyAfterPassword};
use wire::problem::Code;
use wire::second_factor::{FirstCode, NewTotp, RecoveryCodes, SecondFactors, TotpInfo};

/// The word for one-time codes in the audit log.
const TOTP: &str = "totp";
/// The name of the setting for a passkey after the password.
const PASSKEY: &str = "passkey";
/// The word for everything that an administrator removes.
const ALL: &str = "all";

/// Returns the account's second factors.
///
/// # Errors
/// The store fails.
pub async fn list(state: &CoreState, session: &SignedIn) -> Result<SecondFactors, ApiError> {
    let user = &session.claims.sub;
    let (need, fresh_until) = recent_factor::fresh_until(state, session).await?;
    let (factors, totp) = (need.factors, state.store.totp(user, true).await?);
    Ok(SecondFactors {
        totp: totp.map(|totp| TotpInfo {
            created_at: totp.created_at.as_millis(),
            used_at: totp.used_at.map(UnixMs::as_millis),
        }),
        passkeys: factors.passkeys,
        passkey_after_password: factors.passkeys > 0 && factors.passkey_after_password,
        recovery_codes: factors.recovery_codes,
        fresh_until: fresh_until.map(UnixMs::as_millis),
        proofs: need.proofs().iter().map(|kind| kind.as_str().to_owned()).collect(),
    })
}

/// Returns the names of enabled administrators whose password alone signs in.
///
/// # Errors
/// The store fails.
pub async fn administrators_without(store: &dyn Store, config: &Config) -> store::Result<Vec<String>> {
    let policy = &config.factor_policy;
    let mut without = Vec::new();
    for one in store.administrators(config.relying_party()).await? {
        let groups = if policy.groups.is_empty() || !one.factors.held() {
            Vec::new()
        } else {
            store.profile(&one.user).await?.unwrap_or_default().groups
        };
        if !one.factors.needed_after_password(policy.of(Role::Administrator, &groups)) {
            without.push(one.name);
        }
    }
    Ok(without)
}

/// Makes a generator of one-time codes that waits for its first code.
///
/// # Errors
/// `insufficient_user_authentication`; the store fails.
pub async fn begin_totp(state: &KeyState, session: &SignedIn) -> Result<NewTotp, ApiError> {
    recent_factor::check(state, session).await?;
    let (user, id, now) = (&session.claims.sub, state.ulid(), state.now());
    let (secret, sealed) = totp::make(&state.key_encryption, &*state.entropy, user, &id)?;
    state.store.begin_totp(user, &id, &sealed, now).await?;
    let uri = uri(&secret, &state.config.settings.site.name, &session.claims.preferred_username);
    let qr = toll::qr_svg(&uri, "QR code for your authenticator app").unwrap_or_default();
    Ok(NewTotp { id, secret: secret_text(&secret), uri, qr, expires_at: (now + REGISTRATION_MS).as_millis() })
}

/// Puts a generator into use by its first code, and makes recovery codes if the account has none. The session counts as
/// authenticated by the code too.
///
/// # Errors
/// `wrong_code`; `not_found`: the generator is unknown or too old; the store fails.
pub async fn confirm_totp(
    state: &SessionState,
    client: &Client,
    session: &SignedIn,
    first: &FirstCode,
) -> Result<RecoveryCodes, ApiError> {
    let (user, now) = (&session.claims.sub, state.now());
    let row = state.store.totp(user, false).await?.filter(|row| row.id == first.id);
    let row = row.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let code = totp::check_first(&state.key_encryption, &row, &first.code, now)?;
    let code = code.ok_or_else(|| ApiError::new(Code::WrongCode))?;
    let codes = if factor_policy::held(state, user).await?.recovery_codes == 0 {
        fresh_codes(&*state.entropy)
    } else {
        Vec::new()
    };
    let confirm = ConfirmTotp {
        code,
        since: now - REGISTRATION_MS,
        recovery_codes: hashes(&codes),
        audit: entry(state, client, session, AuditEvent::SecondFactorAdded, TOTP),
    };
    if !state.store.confirm_totp(&confirm).await? {
        return Err(ApiError::new(Code::NotFound));
    }
    renew(state, session, Method::Totp, now).await;
    Ok(RecoveryCodes { recovery_codes: codes })
}

/// Decides whether a sign-in by password needs a passkey too, and makes recovery codes if the account has none then.
///
/// # Errors
/// `insufficient_user_authentication`; `not_found`: the account has no passkey of this site; the store fails.
pub async fn set_passkey_after_password(
    state: &CoreState,
    client: &Client,
    session: &SignedIn,
    wanted: bool,
) -> Result<RecoveryCodes, ApiError> {
    recent_factor::check(state, session).await?;
    let (user, now) = (&session.claims.sub, state.now());
    let before = factor_policy::held(state, user).await?;
    if before.passkeys > 0 && before.passkey_after_password == wanted {
        return Ok(RecoveryCodes { recovery_codes: Vec::new() });
    }
    let codes = if wanted && before.recovery_codes == 0 { fresh_codes(&*state.entropy) } else { Vec::new() };
    let event = if wanted { AuditEvent::SecondFactorAdded } else { AuditEvent::SecondFactorRemoved };
    let host = state.config.relying_party().filter(|_| wanted).map(str::to_owned);
    if wanted && host.is_none() {
        return Err(ApiError::new(Code::NotFound));
    }
    let request = PasskeyAfterPassword {
        user: user.clone(),
        wanted: host,
        recovery_codes: hashes(&codes),
        audit: entry(state, client, session, event, PASSKEY),
        now,
    };
    if state.store.set_passkey_after_password(&request).await? {
        Ok(RecoveryCodes { recovery_codes: codes })
    } else {
        Err(ApiError::new(Code::NotFound))
    }
}

/// Removes the generator of one-time codes.
///
/// # Errors
/// `insufficient_user_authentication`; `not_found`; the store fails.
pub async fn remove_totp(state: &CoreState, client: &Client, session: &SignedIn) -> Result<(), ApiError> {
    recent_factor::check(state, session).await?;
    let audit = entry(state, client, session, AuditEvent::SecondFactorRemoved, TOTP);
    if state.store.remove_totp(&session.claims.sub, &audit).await? {
        Ok(())
    } else {
        Err(ApiError::new(Code::NotFound))
    }
}

/// Makes ten new recovery codes; the old ones become void.
///
/// # Errors
/// `insufficient_user_authentication`; `not_found`: the account has no second factor; the store fails.
pub async fn recovery_codes(state: &CoreState, client: &Client, session: &SignedIn) -> Result<RecoveryCodes, ApiError> {
    recent_factor::check(state, session).await?;
    let user = &session.claims.sub;
    if !factor_policy::held(state, user).await?.held() {
        return Err(ApiError::new(Code::NotFound));
    }
    let codes = fresh_codes(&*state.entropy);
    let audit = entry(state, client, session, AuditEvent::RecoveryCodesMade, "");
    state.store.set_recovery_codes(user, &hashes(&codes), &audit, state.now()).await?;
    Ok(RecoveryCodes { recovery_codes: codes })
}

/// Removes passkeys, one-time codes, recovery codes and remembered devices of another account, for a person who has
/// lost all of them. `false`: it has no factor. The owner sees it in the list of activity.
///
/// # Errors
/// The store fails.
pub async fn remove_all(actor: &Actor<'_>, store: &dyn Store, user: &UserId) -> store::Result<bool> {
    let mut audit = actor.entry_of(AuditEvent::SecondFactorRemoved, user);
    ALL.clone_into(&mut audit.about);
    store.remove_factors(user, &audit).await
}

/// Adds the method of a new factor to the session that has just proven it, and makes its proof fresh. The factor and its
/// recovery codes are stored already and must be answered, so a failure is logged only: the person is asked again.
pub async fn renew(state: &SessionState, session: &SignedIn, proven: Method, now: UnixMs) {
    let sid = &session.claims.sid;
    match state.store.renew_authentication(sid, proven, now).await {
        Ok(Some(new)) => {
            state.sessions.renew(sid, new);
            state.identity_headers.forget(sid, &state.config.apps);
        }
        // It has ended meanwhile.
        Ok(None) => {}
        Err(error) => tracing::error!(cause = %chain(&error), "a session was not renewed after a new factor"),
    }
}

/// Makes a set of recovery codes.
pub fn fresh_codes(entropy: &dyn Entropy) -> Vec<String> {
    (0..recovery_code::COUNT).map(|_| recovery_code::code(&entropy.bytes())).collect()
}

/// Returns what is stored of recovery codes.
pub fn hashes(codes: &[String]) -> Vec<String> {
    codes.iter().filter_map(|code| recovery_code::hash(code)).collect()
}

fn entry(
    state: &CoreState,
    client: &Client,
    session: &SignedIn,
    event: AuditEvent,
    about: &str,
) -> store::audit::AuditEntry {
    let mut entry = audit::entry(state, client, event, audit::OK);
    entry.user = Some(session.claims.sub.clone());
    entry.session = Some(session.claims.sid.clone());
    about.clone_into(&mut entry.about);
    entry
}
