//! Delivery of tokens: in cookies to browsers, in the body to programs.

use super::ApiError;
use crate::cookies::{self, CookieName};
use crate::flows::issue::IssuedTokens;
use crate::guards::known_device;
use crate::state::{CoreState, KeyState};
use axum::Json;
use domain::account::AccountDigest;
use domain::known_device::{DeviceList, LIFETIME_MS};
use http::HeaderMap;
use tower_cookies::Cookies;
use wire::apps::TokenType;
use wire::login::{Delivery, ProgramTokens, SignedIn};

/// Builds the answer to a login, a sign-up or a refresh.
pub(crate) fn deliver(
    state: &KeyState,
    headers: &HeaderMap,
    cookies: &Cookies,
    delivery: Delivery,
    issued: IssuedTokens,
) -> Json<SignedIn> {
    let tokens = match delivery {
        Delivery::Cookies => {
            set_cookies(state, headers, cookies, &issued);
            None
        }
        Delivery::Body => Some(ProgramTokens {
            token_type: if issued.session.bound { TokenType::DPoP } else { TokenType::Bearer }.as_str().to_owned(),
            expires_in: u64::try_from(issued.session.expires_at - state.now().as_millis()).unwrap_or_default() / 1000,
            access_token: issued.access_token,
            refresh_token: issued.refresh_token,
        }),
    };
    Json(SignedIn { session: issued.session, tokens })
}

fn set_cookies(state: &KeyState, headers: &HeaderMap, cookies: &Cookies, issued: &IssuedTokens) {
    let (config, now) = (&state.config, state.now());
    let until = Some(issued.until);
    cookies::set(cookies, config, CookieName::Access, issued.access_token.clone(), until, now);
    cookies::set(cookies, config, CookieName::Refresh, issued.refresh_token.clone(), until, now);
    cookies::clear(cookies, config, CookieName::PreLogin);
    if let Some(device) = &issued.device {
        let account = state.keyring.digests.account(&issued.session.username);
        let devices = known_device::list(state, headers).with(device.clone(), of_another(state, &account));
        set_devices(state, cookies, &devices);
    }
}

/// Answers a sign-in for which the browser's known device did not count, so that the next try does not use it. Devices
/// of other accounts stay.
pub(crate) fn choose_device(state: &KeyState, headers: &HeaderMap, cookies: &Cookies, error: &ApiError) {
    if let Some(refusal) = error.device_refusal() {
        let read = |device: &str| known_device::read(state, device);
        set_devices(state, cookies, &known_device::list(state, headers).after_refusal(refusal, state.now(), read));
    }
}

/// Removes the known devices of an account that is gone.
pub(crate) fn forget_devices(state: &KeyState, headers: &HeaderMap, cookies: &Cookies, name: &str) {
    let account = state.keyring.digests.account(name);
    set_devices(state, cookies, &known_device::list(state, headers).without(of_another(state, &account)));
}

fn of_another(state: &KeyState, account: &AccountDigest) -> impl Fn(&str) -> bool {
    move |device| known_device::read(state, device).is_some_and(|known| !known.is_of_account(account))
}

fn set_devices(state: &CoreState, cookies: &Cookies, devices: &DeviceList<'_>) {
    let (config, now) = (&state.config, state.now());
    match devices.write() {
        Some(value) => cookies::set(cookies, config, CookieName::Device, value, Some(now + LIFETIME_MS), now),
        None => cookies::clear(cookies, config, CookieName::Device),
    }
}
