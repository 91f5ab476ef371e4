//! Passkeys of an account: registration, list, names and removal.

use super::{factors, sealed};
use crate::api_error::ApiError;
use crate::audit;
use crate::config::Config;
use crate::guards::recent_factor;
use crate::guards::signed_in::SignedIn;
use crate::state::{CoreState, KeyState, SessionState};
use domain::UnixMs;
use domain::authentication::Method;
use domain::encoding::{base64url, from_base64url};
use domain::ids::{SessionId, UserId};
use domain::passkey::{self as rules, HANDLE_BYTES, MOST, PasskeyLabel, PasskeyState};
use domain::second_factor::Requirement;
use domain::short_key::{self, ShortKey, ShortKeyClaims, ShortKeyPurpose};
use passkey::{Expected, PublicKey, Registration};
use store::audit::{AuditEntry, AuditEvent};
use store::passkeys::{AddPasskeyOutcome, NewPasskey, Passkey};
use wire::passkeys as wired;
use wire::problem::Code;

/// Values of requirements in Web Authentication.
pub const REQUIRED: &str = "required";
/// The value for a browser that makes a passkey without asking the person: it refuses options that demand more.
const PREFERRED: &str = "preferred";
/// Names of transports that are stored; browsers may invent others.
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// Returns the relying party's id.
///
/// # Errors
/// `bad_request`: the public URL names an address instead of a host, for which browsers make no passkeys.
pub fn relying_party(config: &Config) -> Result<&str, ApiError> {
    let unusable = || ApiError::explained(Code::BadRequest, "Passkeys need a host name in the site's public URL.");
    config.relying_party().ok_or_else(unusable)
}

/// Returns the names of an account for passkey managers: its name and its display name. A token may still have the
/// name from before a change.
async fn names(state: &CoreState, user: &UserId) -> Result<(String, String), ApiError> {
    let account = state.store.user_by_id(user).await?.ok_or_else(|| ApiError::new(Code::NoSession))?;
    let display_name = state.store.profile(user).await?.and_then(|profile| profile.display_name);
    let display_name = display_name.map_or_else(|| account.name.clone(), |name| name.as_str().to_owned());
    Ok((account.name, display_name))
}

/// Returns all passkeys of an account.
///
/// # Errors
/// `no_session`: the account was deleted; the store fails.
pub async fn list(state: &CoreState, user: &UserId) -> Result<wired::Passkeys, ApiError> {
    let passkeys = state.store.passkeys(user).await?;
    let user_id = state.store.passkey_handle(user).await?;
    let (username, display_name) = names(state, user).await?;
    Ok(wired::Passkeys {
        display_name,
        passkeys: passkeys.into_iter().map(shown).collect(),
        rp_id: state.config.relying_party().map(str::to_owned),
        user_id,
        username,
    })
}

/// Whether a page suggests a first passkey: the account has none, and browsers make one at this site.
pub fn offers_first(config: &Config, passkeys: &wired::Passkeys) -> bool {
    passkeys.passkeys.is_empty() && config.has_passkeys()
}

/// Returns all passkeys of an account, for an administrator at the command line.
///
/// # Errors
/// The store fails.
pub async fn listed(store: &dyn store::Store, user: &UserId) -> store::Result<Vec<wired::Passkey>> {
    Ok(store.passkeys(user).await?.into_iter().map(shown).collect())
}

/// Returns how many passkeys do not work at this site, because they were made for another host.
///
/// # Errors
/// The store fails.
pub async fn of_other_hosts(store: &dyn store::Store, config: &Config) -> store::Result<u64> {
    let own = config.relying_party();
    let hosts = store.passkey_hosts().await?;
    Ok(hosts.iter().filter(|(host, _)| Some(host.as_str()) != own).map(|(_, count)| count).sum())
}

/// Begins a registration for this session. `conditional`: the browser makes the passkey without asking the person,
/// which is only for an account without one.
///
/// # Errors
/// As [`relying_party`]; `full`: a conditional one for an account that has a passkey; the store fails.
pub async fn begin(
    state: &KeyState,
    session: &SignedIn,
    conditional: bool,
) -> Result<wired::RegistrationChallenge, ApiError> {
    let host = relying_party(&state.config)?;
    let (claims, now) = (&session.claims, state.now());
    let held = state.store.passkeys(&claims.sub).await?;
    if conditional && !held.is_empty() {
        return Err(ApiError::new(Code::Full));
    }
    let purpose = ShortKeyPurpose::PasskeyRegistration;
    let binding = ShortKeyClaims {
        expires_at: now + purpose.lifetime_ms(),
        kid: None,
        origin: short_key::hash(&state.config.origin),
        cookie: Some(session_hash(&claims.sid, conditional)),
    };
    let key = &state.keyring.macs(now)?.short_key;
    let short_key = ShortKey::issue_for(purpose, key, state.entropy.bytes(), &binding);
    let (name, display_name) = names(state, &claims.sub).await?;
    let options = wired::CreationOptions {
        rp: wired::RelyingParty { id: host.to_owned(), name: state.config.settings.site.name.clone() },
        user: wired::PasskeyUser { id: handle(state, &claims.sub).await?, name, display_name },
        challenge: base64url(&rules::challenge(&short_key)),
        pub_key_cred_params: PublicKey::ALGORITHMS
            .map(|alg| wired::CredentialParameters { r#type: wired::PUBLIC_KEY.to_owned(), alg })
            .to_vec(),
        timeout: timeout(purpose),
        exclude_credentials: held.iter().map(descriptor).collect(),
        authenticator_selection: wired::AuthenticatorSelection {
            resident_key: REQUIRED.to_owned(),
            require_resident_key: true,
            user_verification: if conditional { PREFERRED } else { REQUIRED }.to_owned(),
        },
        attestation: "none".to_owned(),
    };
    Ok(wired::RegistrationChallenge { short_key, options })
}

/// Registers a passkey. If a second factor is required, the account gets recovery codes if it has none, because the
/// passkey may be its only factor. A browser that made the passkey automatically would not show them.
///
/// # Errors
/// `passkey_refused`, `short_key_expired`, `short_key_mismatch`, `full`, `bad_request` for an invalid name
pub async fn add(
    state: &SessionState,
    session: &SignedIn,
    request: wired::NewPasskey,
    audit: AuditEntry,
) -> Result<wired::AddedPasskey, ApiError> {
    let host = relying_party(&state.config)?;
    let short_key = sealed::authentic(state, &request.short_key).await?;
    let short_key = short_key.ok_or_else(|| ApiError::new(Code::ShortKeyMismatch))?;
    let (origin, now) = (short_key::hash(&state.config.origin), state.now());
    let binding = session_hash(&session.claims.sid, request.conditional);
    short_key
        .check(ShortKeyPurpose::PasskeyRegistration, &[], &origin, &[binding], now)
        .map_err(sealed::short_key_refusal)?;
    let made = verify(state, host, &request).ok_or_else(|| ApiError::new(Code::PasskeyRefused))?;
    let aaguid = rules::aaguid(made.aaguid);
    let label = match &request.label {
        Some(label) => parse_label(label)?,
        None => rules::provider(&aaguid).unwrap_or("Passkey").to_owned(),
    };
    let passkey = Passkey {
        id: state.ulid(),
        credential_id: base64url(&made.credential_id),
        user: session.claims.sub.clone(),
        relying_party: host.to_owned(),
        public_key: base64url(&made.public_key.to_cose()),
        aaguid,
        transports: transports(&request.credential.response.transports),
        user_verified: made.user_verified,
        state: state_of(made.state),
        label: label.clone(),
        created_at: now,
        used_at: None,
    };
    let (need, _) = recent_factor::fresh_until(state, session).await?;
    let needs_codes = need.required > Requirement::Optional && need.factors.recovery_codes == 0 && !request.conditional;
    let codes = if needs_codes { factors::fresh_codes(&*state.entropy) } else { Vec::new() };
    let new = NewPasskey {
        passkey: passkey.clone(),
        short_key: short_key.id(),
        short_key_expires_at: short_key.expires_at(),
        most: MOST,
        recovery_codes: factors::hashes(&codes),
        audit: AuditEntry { about: label, ..audit },
    };
    match state.store.add_passkey(&new).await? {
        AddPasskeyOutcome::Added => {
            // The person has just been verified by it, in addition to the fresh proof that a registration needs.
            if passkey.user_verified {
                factors::renew(state, session, Method::Passkey, now).await;
            }
            Ok(wired::AddedPasskey { passkey: shown(passkey), recovery_codes: codes })
        }
        AddPasskeyOutcome::Full => Err(ApiError::new(Code::Full)),
        AddPasskeyOutcome::Replayed | AddPasskeyOutcome::Taken => Err(ApiError::new(Code::PasskeyRefused)),
    }
}

/// Renames a passkey.
///
/// # Errors
/// `not_found`, `bad_request`
pub async fn rename(
    state: &CoreState,
    user: &UserId,
    id: &str,
    label: &str,
    audit: AuditEntry,
) -> Result<(), ApiError> {
    let label = parse_label(label)?;
    let audit = AuditEntry { about: label.clone(), ..audit };
    let renamed = state.store.rename_passkey(user, id, &label, &audit).await?;
    if renamed { Ok(()) } else { Err(ApiError::new(Code::NotFound)) }
}

/// Removes a passkey.
///
/// # Errors
/// `not_found`
pub async fn remove(state: &CoreState, user: &UserId, id: &str, audit: AuditEntry) -> Result<(), ApiError> {
    let removed = remove_from(&*state.store, user, id, audit).await?;
    if removed { Ok(()) } else { Err(ApiError::new(Code::NotFound)) }
}

/// Removes a passkey, with its name in the audit row. `false`: the account has no such passkey.
///
/// # Errors
/// The store fails.
pub async fn remove_from(store: &dyn store::Store, user: &UserId, id: &str, audit: AuditEntry) -> store::Result<bool> {
    let held = store.passkeys(user).await?.into_iter().find(|passkey| passkey.id == id);
    let Some(passkey) = held else { return Ok(false) };
    store.remove_passkey(user, id, &AuditEntry { about: passkey.label, ..audit }).await
}

/// Builds an audit row about the session's own account.
pub fn entry(state: &CoreState, client: &crate::client::Client, session: &SignedIn, event: AuditEvent) -> AuditEntry {
    let mut entry = audit::entry(state, client, event, audit::OK);
    entry.user = Some(session.claims.sub.clone());
    entry.session = Some(session.claims.sid.clone());
    entry
}

/// Returns the milliseconds that a browser waits for the person.
pub fn timeout(purpose: ShortKeyPurpose) -> u32 {
    u32::try_from(purpose.lifetime_ms()).unwrap_or(u32::MAX)
}

pub fn state_of(reported: passkey::AuthenticatorState) -> PasskeyState {
    let passkey::AuthenticatorState { backup_eligible, backed_up, sign_count } = reported;
    PasskeyState { backup_eligible, backed_up, sign_count }
}

fn verify(state: &CoreState, host: &str, request: &wired::NewPasskey) -> Option<passkey::NewPasskey> {
    let response = &request.credential.response;
    let (client_data, object) =
        (from_base64url(&response.client_data_json)?, from_base64url(&response.attestation_object)?);
    let challenge = rules::challenge(&request.short_key);
    let expected = Expected { relying_party: host, origin: &state.config.origin, challenge: &challenge };
    let received = Registration { client_data_json: &client_data, attestation_object: &object };
    let made = if request.conditional {
        passkey::verify_conditional_registration(&expected, &received)
    } else {
        passkey::verify_registration(&expected, &received)
    };
    match made {
        Ok(made) => (base64url(&made.credential_id) == request.credential.id).then_some(made),
        Err(reason) => {
            tracing::debug!(%reason, "a registration of a passkey was refused");
            None
        }
    }
}

async fn handle(state: &CoreState, user: &UserId) -> Result<String, ApiError> {
    let fresh = base64url(&state.entropy.bytes::<HANDLE_BYTES>());
    Ok(state.store.ensure_passkey_handle(user, &fresh).await?)
}

/// Returns the hash that ties a challenge to its session and its kind of registration.
fn session_hash(session: &SessionId, conditional: bool) -> [u8; 32] {
    let kind = if conditional { "conditional passkey for session " } else { "passkey for session " };
    short_key::hash(&[kind, session.as_str()].concat())
}

fn parse_label(label: &str) -> Result<String, ApiError> {
    let label = PasskeyLabel::parse(label).map_err(|invalid| ApiError::explained(Code::BadRequest, invalid))?;
    Ok(label.as_str().to_owned())
}

fn transports(given: &[String]) -> String {
    let known: Vec<_> = TRANSPORTS.into_iter().filter(|name| given.iter().any(|given| given == name)).collect();
    known.join(" ")
}

fn descriptor(passkey: &Passkey) -> wired::CredentialDescriptor {
    wired::CredentialDescriptor {
        r#type: wired::PUBLIC_KEY.to_owned(),
        id: passkey.credential_id.clone(),
        transports: passkey.transports.split_whitespace().map(str::to_owned).collect(),
    }
}

fn shown(passkey: Passkey) -> wired::Passkey {
    wired::Passkey {
        provider: rules::provider(&passkey.aaguid).map(str::to_owned),
        id: passkey.id,
        credential_id: passkey.credential_id,
        label: passkey.label,
        synced: passkey.state.backed_up,
        host: passkey.relying_party,
        created_at: passkey.created_at.as_millis(),
        used_at: passkey.used_at.map(UnixMs::as_millis),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_plain_http_no_passkey_is_suggested() {
        let suggests = |settings: &str| {
            let config = Config::new(toml::from_str(settings).expect("readable")).expect("valid");
            let rp_id = config.relying_party().map(str::to_owned);
            let (username, display_name) = ("ada".to_owned(), "Ada".to_owned());
            let none = wired::Passkeys { display_name, passkeys: Vec::new(), rp_id, user_id: None, username };
            offers_first(&config, &none)
        };
        assert!(suggests("public_url = 'https://a.example'") && suggests("public_url = 'http://localhost:3000'"));
        assert!(!suggests("public_url = 'http://a.lan'\nallow_insecure_http = true"));
        assert!(!suggests("public_url = 'https://192.0.2.1'"));
    }
}
