//! Browsers that are not asked for the second factor again for a while. They are known by the key that they prove with
//! each sign-in; a copied cookie is not enough. That is no second factor: the session counts as one of the password
//! alone.

use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::guards::signed_in::SignedIn;
use crate::keyring::thumbprint;
use crate::state::CoreState;
use domain::authentication::Method;
use domain::ids::UserId;
use domain::second_factor::Requirement;
use store::audit::{AuditEntry, AuditEvent};
use store::remembered_devices::{DeviceMemory, RememberedDevice};
use wire::jwk::EcJwk;
use wire::problem::Code;
use wire::second_factor as wired;

/// Returns for how many days a browser may be remembered; `None`: never.
pub fn days(state: &CoreState) -> Option<u32> {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    let ms = state.config.settings.session.remember_device.0?.ms();
    u32::try_from(ms.div_euclid(DAY_MS).max(1)).ok()
}

/// A request to remember the browser of a sign-in with a second factor.
#[derive(Debug, Clone, Copy)]
pub struct RememberRequest<'a> {
    pub user: &'a UserId,
    pub proven: Method,
    /// The requirement of the account.
    pub required: Requirement,
    pub wanted: bool,
}

/// Decides whether a sign-in with a second factor remembers its browser: the person wants it, the operator permits it, and
/// the browser has a key. Only a one-time code counts; a person with a recovery code has lost a device. If a factor is
/// required, [`find`] never uses it.
pub fn decide(
    state: &CoreState,
    client: &Client,
    keys: Option<&(EcJwk, EcJwk)>,
    request: RememberRequest<'_>,
) -> DeviceMemory {
    let RememberRequest { user, proven, required, wanted } = request;
    let period = state.config.settings.session.remember_device.0;
    let (Some(period), Some((signing, _)), Method::Totp, Requirement::Optional, true) =
        (period, keys, proven, required, wanted)
    else {
        return DeviceMemory::Unconcerned;
    };
    let now = state.now();
    let device = RememberedDevice {
        id: state.ulid(),
        user: user.to_owned(),
        jkt: thumbprint(signing),
        device: client.device(),
        address: client.client_key.network_label(),
        created_at: now,
        used_at: now,
        expires_at: now + period.ms(),
    };
    let mut entry = audit::entry(state, client, AuditEvent::DeviceRemembered, audit::OK);
    entry.user = Some(user.to_owned());
    DeviceMemory::Remember(Box::new((device, entry)))
}

/// Returns the remembered device that a sign-in comes from. Its key must have been proven. It meets no requirement of
/// an operator, because it is no factor.
///
/// # Errors
/// The store fails.
pub async fn find(
    state: &CoreState,
    keys: Option<&(EcJwk, EcJwk)>,
    user: &UserId,
    required: Requirement,
) -> store::Result<Option<DeviceMemory>> {
    if required > Requirement::Optional {
        return Ok(None);
    }
    let (Some(_), Some((signing, _))) = (state.config.settings.session.remember_device.0, keys) else {
        return Ok(None);
    };
    let id = state.store.remembered_device(user, thumbprint(signing), state.now()).await?;
    Ok(id.map(DeviceMemory::Remembered))
}

/// Lists the remembered devices of a person.
///
/// # Errors
/// The store fails.
pub async fn list(state: &CoreState, session: &SignedIn) -> Result<wired::RememberedDevices, ApiError> {
    let devices = state.store.remembered_devices(&session.claims.sub, state.now()).await?;
    let shown = |device: RememberedDevice| wired::RememberedDevice {
        current: session.jkt() == Some(device.jkt),
        id: device.id,
        name: device.device,
        address: device.address,
        created_at: device.created_at.as_millis(),
        used_at: device.used_at.as_millis(),
        expires_at: device.expires_at.as_millis(),
    };
    Ok(wired::RememberedDevices { devices: devices.into_iter().map(shown).collect() })
}

/// Forgets one of the person's devices, or all of them.
///
/// # Errors
/// `not_found`; the store fails.
pub async fn forget(state: &CoreState, client: &Client, session: &SignedIn, id: Option<&str>) -> Result<(), ApiError> {
    let user = &session.claims.sub;
    let audit = AuditEntry {
        user: Some(user.clone()),
        session: Some(session.claims.sid.clone()),
        ..audit::entry(state, client, AuditEvent::DeviceForgotten, audit::OK)
    };
    // Forgetting all devices succeeds even if there are none.
    if state.store.forget_devices(user, id, &audit).await? || id.is_none() {
        Ok(())
    } else {
        Err(ApiError::new(Code::NotFound))
    }
}
