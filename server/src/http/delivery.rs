//! Delivery of tokens: in cookies to browsers, in the body to programs.

use crate::cookies::{self, CookieName};
use crate::flows::issue::IssuedTokens;
use crate::state::AppState;
use axum::Json;
use domain::known_device;
use tower_cookies::Cookies;
use wire::apps::TokenType;
use wire::login::{Delivery, ProgramTokens, SignedIn};

/// Builds the answer to a login, a sign-up or a refresh.
pub(crate) fn deliver(state: &AppState, cookies: &Cookies, delivery: Delivery, issued: IssuedTokens) -> Json<SignedIn> {
    let tokens = match delivery {
        Delivery::Cookies => {
            set_cookies(state, cookies, &issued);
            None
        }
        Delivery::Body => Some(ProgramTokens {
            token_type: if issued.session.bound { TokenType::DPoP } else { TokenType::Bearer }.as_str().to_owned(),
            expires_in: u64::try_from(issued.session.expires_at - state.now()).unwrap_or_default() / 1000,
            access_token: issued.access_token,
            refresh_token: issued.refresh_token,
        }),
    };
    Json(SignedIn { session: issued.session, tokens })
}

fn set_cookies(state: &AppState, cookies: &Cookies, issued: &IssuedTokens) {
    let (config, now) = (&state.config, state.now());
    let until = Some(issued.until);
    cookies::set(cookies, config, CookieName::Access, issued.access_token.clone(), until, now);
    cookies::set(cookies, config, CookieName::Refresh, issued.refresh_token.clone(), until, now);
    cookies::clear(cookies, config, CookieName::PreLogin);
    if let Some(device) = &issued.device {
        cookies::set(cookies, config, CookieName::Device, device.clone(), Some(now + known_device::LIFETIME_MS), now);
    }
}
