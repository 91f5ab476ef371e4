//! The pages of every person.

use crate::flows::{self, paging};
use crate::guards::administrator::Administrator;
use crate::guards::recent_factor;
use crate::http::page_request::{PageData, PageRequest};
use crate::http::{ApiError, site_state};
use app::view::{AccountView, ActivityView, DeleteView, DevicesView, KeysView, OverviewView, ProfileDone, ProfileView};
use domain::encoding::{base64url, sha256};

const WEEK_MS: i64 = 7 * 24 * 60 * 60_000;
const OVERVIEW_LINES: usize = 5;
const ACTIVITY_ROWS: u32 = 500;

impl PageData for AccountView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let PageRequest { state, signed_in, viewer, .. } = request;
        let claims = &signed_in.claims;
        let password_min = state.config.settings.password.min;
        let passkeys = flows::passkeys::list(state, &claims.sub).await?;
        let factors = flows::factors::list(state, signed_in).await?;
        let profile = Some(flows::profiles::of_user(&*state.store, &claims.sub).await?);
        let consents = flows::oauth_consents::list(state, &claims.sub).await?;
        Ok(Some(Self { viewer, profile, password_min, passkeys, factors, consents }))
    }
}

impl PageData for ProfileView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let done = match request.asked().done.as_deref() {
            Some("changed") => Some(ProfileDone::Changed),
            Some("sent") => Some(ProfileDone::Sent),
            Some("proved") => Some(ProfileDone::Proved),
            _ => None,
        };
        let PageRequest { state, signed_in, viewer, .. } = request;
        let profile = flows::profiles::of_user(&*state.store, &signed_in.claims.sub).await?;
        Ok(Some(Self { viewer, profile, mail: state.mailer.is_some(), done }))
    }
}

impl PageData for DeleteView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        Ok(Some(Self { viewer: request.viewer }))
    }
}

impl PageData for DevicesView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let after = request.after();
        let PageRequest { state, signed_in, viewer, .. } = request;
        let claims = &signed_in.claims;
        let devices = flows::sessions::devices(state, &claims.sub, &claims.sid).await?;
        let others = devices.len() > 1;
        let (devices, next) = paging::page(devices, |device| &device.id, &after);
        let remembered = flows::remembered_devices::list(state, signed_in).await?.devices;
        Ok(Some(Self { viewer, devices, others, next, remembered }))
    }
}

impl PageData for KeysView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let keys = flows::user_keys::list(request.state, &request.signed_in.claims.sub).await?;
        Ok(Some(Self { viewer: request.viewer, keys }))
    }
}

impl PageData for ActivityView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let entries = flows::activity::lines(request.state, &request.signed_in.claims.sub, ACTIVITY_ROWS).await?;
        Ok(Some(Self { viewer: request.viewer, entries }))
    }
}

impl PageData for OverviewView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let PageRequest { state, signed_in, viewer, .. } = request;
        let claims = &signed_in.claims;
        let devices = flows::sessions::devices(state, &claims.sub, &claims.sid).await?;
        let mut activity = flows::activity::lines(state, &claims.sub, 100).await?;
        activity.truncate(OVERVIEW_LINES);
        let odd = state.store.odd_entries(&claims.sub, state.now() - WEEK_MS).await?;
        let signed_in_at = devices
            .iter()
            .find(|device| device.current)
            .map_or(claims.iat.to_millis().as_millis(), |device| device.created_at);
        let site = match Administrator::find(state, signed_in.clone()).await? {
            Some(_) => Some(site_state::load(state).await?),
            None => None,
        };
        let passkeys = flows::passkeys::list(state, &claims.sub).await?;
        let notices = flows::notices::unread(state, signed_in).await?;
        let apps = flows::oauth_consents::tiles(state, &claims.sub, &claims.roles).await?;
        let held = passkeys.user_id.is_some().then(|| passkeys.passkeys.iter().map(|one| one.credential_id.as_str()));
        let stamp = held.map(|ids| {
            let ids = ids.collect::<Vec<_>>().join(" ");
            base64url(&sha256(format!("{} {} {ids}", passkeys.username, passkeys.display_name).as_bytes()))
        });
        let offer_passkey = flows::passkeys::offers_first(&state.config, &passkeys);
        let (_, recent) = recent_factor::fresh_until(state, signed_in).await?;
        Ok(Some(Self {
            apps,
            viewer,
            notices,
            devices,
            activity,
            odd: u32::try_from(odd).unwrap_or(u32::MAX),
            signed_in_at,
            offer_passkey,
            passkeys: stamp,
            upgrade: offer_passkey && recent.is_some() && claims.amr.iter().any(|method| method == "pwd"),
            site,
        }))
    }
}
