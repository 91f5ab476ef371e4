//! Known devices, by their device cookie.

use crate::config::Preset;
use crate::cookies::{self, CookieName};
use crate::state::KeyState;
use domain::known_device::{DeviceList, KnownDevice};
use http::HeaderMap;

/// Returns the known device of a request; `signs_in`: whether it may sign a person in. The strict preset has none,
/// because there the first wrong password bans the address for everybody. Valid cookies of two devices count as none:
/// one of them may be another person's, who could otherwise keep the owner from signing in.
pub fn find(state: &KeyState, headers: &HeaderMap, signs_in: bool) -> Option<KnownDevice> {
    if state.config.settings.ban.preset == Preset::Strict {
        return None;
    }
    let now = state.now();
    let lists = cookies::all(headers, &state.config, CookieName::Device).map(DeviceList::read);
    let counts = lists.filter(|list| !(signs_in && list.is_paused(now)));
    let mut known = counts.filter_map(|list| read(state, list.last()?));
    let first = known.next()?;
    known.all(|other| other == first).then_some(first)
}

/// Returns the devices that this browser keeps.
pub fn list<'a>(state: &KeyState, headers: &'a HeaderMap) -> DeviceList<'a> {
    let lists = cookies::all(headers, &state.config, CookieName::Device).take(cookies::TRIED).map(DeviceList::read);
    let mut good = lists.filter(|list| list.last().is_some_and(|device| read(state, device).is_some()));
    good.next().unwrap_or_default()
}

/// Verifies one device of a cookie.
pub fn read(state: &KeyState, device: &str) -> Option<KnownDevice> {
    let now = state.now();
    state.keyring.authentic(now, |macs| KnownDevice::read(&macs.device, device, now))
}
