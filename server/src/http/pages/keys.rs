//! `/dashboard/keys`: the person's user keys.

use crate::flows;
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::{When, remedy};
use app::islands::{Act, ConfirmedAction};
use app::text::wait;
use app::view::Site;
use leptos::prelude::*;
use wire::paths;
use wire::user_keys::{UserKey, UserKeyState, UserKeys};

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let keys = flows::user_keys::list(request.state, &request.signed_in.claims.sub).await?;
    let bound = request.viewer.bound;
    Ok(Some(Content::new(move |site| show(site, bound, keys)).with_private_bundle()))
}

fn show(site: Site, bound: bool, keys: UserKeys) -> impl IntoView {
    let (now, insecure) = (site.now, site.insecure);
    let UserKeys { keys, overlap_ms } = keys;
    let current = keys.iter().find(|key| key.state == UserKeyState::Current).map_or(0, |key| key.version);
    let rotate = bound.then(|| view! { <Act action=rotation(current, overlap_ms) /> });
    let unbound = (!bound).then(|| {
        view! {
            <p class="why">
                "This session is not tied to this device, so it gets no key. " {remedy(insecure)}
                " to use your keys here."
            </p>
        }
    });
    let card = move |key: UserKey| view! { <Version key now overlap_ms /> };
    view! {
        <header>
            <h1 tabindex="-1">"Keys"</h1>
            {rotate}
        </header>
        <p id="said" role="status" class="quiet">
            "Your key encrypts your messages to services such as the time server, so that nobody in between can read them."
        </p>
        {unbound}
        <ul class="devices">{keys.into_iter().map(card).collect_view()}</ul>
    }
}

fn rotation(current: u32, overlap_ms: i64) -> ConfirmedAction {
    ConfirmedAction {
        method: "POST".to_owned(),
        path: paths::ROTATE_USER_KEY.to_owned(),
        body: "{}".to_owned(),
        label: "Create new key".to_owned(),
        title: "Create a new key?".to_owned(),
        about: format!(
            "Version {} replaces it. Connections that use version {current} continue for {}, then reconnect with the \
             new version automatically.",
            current + 1,
            wait::span(overlap_ms),
        ),
        no: "Keep current key".to_owned(),
        yes: "Create key".to_owned(),
        ..ConfirmedAction::default()
    }
}

#[component]
fn Version(key: UserKey, now: i64, overlap_ms: i64) -> impl IntoView {
    let UserKey { version, state, created_at, ends_at, revoked_at } = key;
    let badge = (state == UserKeyState::Current).then(|| view! { <span class="badge">"in use"</span> });
    let fate = match (state, ends_at, revoked_at) {
        (UserKeyState::Revoked, _, Some(at)) => view! { " \u{b7} revoked " <When now at /> }.into_any(),
        (UserKeyState::Overlap, Some(at), _) => {
            format!(" \u{b7} valid for another {}", wait::span(at - now)).into_any()
        }
        (UserKeyState::Ended, Some(at), _) => view! { " \u{b7} expired " <When now at /> }.into_any(),
        _ => ().into_any(),
    };
    let serves = matches!(state, UserKeyState::Current | UserKeyState::Overlap);
    let revoke = serves.then(|| view! { <Act action=revocation(version, state, overlap_ms) /> });
    view! {
        <li class="device">
            <div>
                <h2 class="device-name">{format!("Version {version}")} {badge}</h2>
                <p class="small quiet">"created " <When now at=created_at /> {fate}</p>
            </div>
            {revoke}
        </li>
    }
}

fn revocation(version: u32, state: UserKeyState, overlap_ms: i64) -> ConfirmedAction {
    let next = if state == UserKeyState::Current { " A new version replaces it." } else { "" };
    ConfirmedAction {
        method: "DELETE".to_owned(),
        path: format!("{}/{version}", paths::USER_KEYS),
        label: "Revoke".to_owned(),
        spoken: format!("Revoke version {version}"),
        title: format!("Revoke version {version}?"),
        about: format!(
            "It is no longer given out. Connections that use it now end within {}.{next}",
            wait::span(overlap_ms),
        ),
        no: "Keep version".to_owned(),
        yes: "Revoke version".to_owned(),
        ..ConfirmedAction::default()
    }
}
