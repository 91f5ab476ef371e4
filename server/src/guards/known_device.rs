//! Known devices, by their device cookie.

use crate::config::Preset;
use crate::cookies::{self, CookieName};
use crate::state::AppState;
use domain::known_device::KnownDevice;
use http::HeaderMap;

/// Returns the known device of a sign-in request. The strict preset has none, because there the first wrong password
/// bans the address for everybody. Valid cookies of two devices count as none: one of them may be another person's, who
/// could otherwise keep the owner from signing in.
pub fn find(state: &AppState, headers: &HeaderMap) -> Option<KnownDevice> {
    if state.config.settings.ban.preset == Preset::Strict {
        return None;
    }
    let now = state.now();
    let read = |cookie| state.keyring.authentic(now, |macs| KnownDevice::read(&macs.device, cookie, now));
    let mut known = cookies::all(headers, &state.config, CookieName::Device).filter_map(read);
    let first = known.next()?;
    known.all(|other| other == first).then_some(first)
}
