//! `/dashboard/server-keys`, for administrators.

use crate::flows;
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::{Ends, When};
use app::islands::{Act, ConfirmedAction};
use app::view::Site;
use leptos::prelude::*;
use wire::paths;
use wire::server_keys::{ServerKey, ServerKeyKind, ServerKeyState};
use wire::services::Service;

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let state = request.state;
    let keys = flows::server_keys::list(&*state.store, &state.config, state.now()).await?;
    let services = flows::services::list(&*state.store).await?;
    Ok(Some(Content::new(move |site| show(site, keys, services))))
}

/// Shows the keys, newest first, and the services.
fn show(site: Site, keys: Vec<ServerKey>, services: Vec<Service>) -> impl IntoView {
    let now = site.now;
    let of = |kind| keys.iter().filter(|key| key.kind == kind).cloned().collect::<Vec<_>>();
    let (envelope, signing) = (of(ServerKeyKind::Envelope), of(ServerKeyKind::Signing));
    let (id_token, macs) = (of(ServerKeyKind::IdToken), of(ServerKeyKind::Mac));
    view! {
        <header>
            <h1 tabindex="-1">"Server keys"</h1>
        </header>
        <p id="said" role="status" class="quiet">
            "The keys that this server encrypts and signs with. Private keys never leave the server."
        </p>
        <Group
            now
            keys=envelope
            title="Envelope key"
            about="Browsers encrypt passwords with its public half."
            action=rotation(
                "envelope",
                "Forms that were encrypted with the old key are accepted for a few more minutes. After that, browsers \
                 encrypt again automatically.",
            )
        />
        <Group
            now
            keys=signing
            title="Signing key"
            about="Signs the tokens that your apps verify."
            action=rotation(
                "signing",
                "The new key is published first and signs once every app has had time to fetch it. Tokens signed by \
                 the old key stay valid until they expire.",
            )
        />
        <Group
            now
            keys=id_token
            title="ID token key"
            about="Signs the ID tokens that tell apps who signed in."
            action=rotation(
                "ID_token",
                "The new key is published first and signs once every app has had time to fetch it. ID tokens signed \
                 by the old key stay valid until they expire.",
            )
        />
        <Group
            now
            keys=macs
            title="MAC key"
            about="Authenticates what this server hands out and takes back: cookies of devices and apps, forms, nonces."
            action=rotation(
                "MAC",
                "The new key is used in five minutes. Values that the old key authenticated stay valid for as long \
                 as a session may last, so users notice nothing.",
            )
        />
        <Services now services />
    }
}

fn rotation(kind: &str, about: &str) -> ConfirmedAction {
    ConfirmedAction {
        method: "POST".to_owned(),
        path: paths::ROTATE_SERVER_KEY.to_owned(),
        body: format!(r#"{{"kind":"{}"}}"#, kind.to_lowercase()),
        label: "Rotate".to_owned(),
        spoken: format!("Rotate the {} key", kind.replace('_', " ")),
        title: format!("Rotate the {} key?", kind.replace('_', " ")),
        about: about.to_owned(),
        no: "Keep current key".to_owned(),
        yes: "Rotate key".to_owned(),
    }
}

#[component]
fn Group(
    now: i64,
    keys: Vec<ServerKey>,
    title: &'static str,
    about: &'static str,
    action: ConfirmedAction,
) -> impl IntoView {
    let card = move |key: ServerKey| view! { <Card key now /> };
    view! {
        <section class="group">
            <header>
                <div>
                    <h2>{title}</h2>
                    <p class="small quiet">{about}</p>
                </div>
                <Act action />
            </header>
            <ul class="devices">{keys.into_iter().map(card).collect_view()}</ul>
        </section>
    }
}

#[component]
fn Card(key: ServerKey, now: i64) -> impl IntoView {
    let ServerKey { kid, kind, alg, state, created_at, used_from, ends_at, revoked_at } = key;
    let badge = match state {
        ServerKeyState::Current => Some("in use"),
        ServerKeyState::Next => Some("next"),
        ServerKeyState::Overlap | ServerKeyState::Ended | ServerKeyState::Revoked => None,
    };
    let fate = match (state, ends_at, revoked_at) {
        (ServerKeyState::Next, ..) => view! { " \u{b7} taken into use " <When now at=used_from /> }.into_any(),
        (ServerKeyState::Overlap, Some(at), _) => view! { " \u{b7} replaced, " <Ends now at /> }.into_any(),
        (ServerKeyState::Ended, Some(at), _) => view! { " \u{b7} expired " <When now at /> }.into_any(),
        (ServerKeyState::Revoked, _, Some(at)) => view! { " \u{b7} revoked " <When now at /> }.into_any(),
        _ => ().into_any(),
    };
    let serves = matches!(state, ServerKeyState::Current | ServerKeyState::Next | ServerKeyState::Overlap);
    let revoke = (serves && kind != ServerKeyKind::Envelope).then(|| view! { <Act action=revocation(kind, &kid) /> });
    let short: String = kid.chars().take(11).collect();
    view! {
        <li class="device">
            <div>
                <h3 class="device-name">
                    <code title=kid.clone()>{short}</code>
                    {badge.map(|text| view! { <span class="badge">{text}</span> })}
                </h3>
                <p class="small quiet">{alg} " \u{b7} created " <When now at=created_at /> {fate}</p>
            </div>
            {revoke}
        </li>
    }
}

fn revocation(kind: ServerKeyKind, kid: &str) -> ConfirmedAction {
    let short: String = kid.chars().take(11).collect();
    let (name, about) = match kind {
        ServerKeyKind::Mac => (
            "MAC",
            "Everything that it authenticated becomes invalid at once, and a new key is used. Sessions continue. Apps \
             lead people through the portal and back once, because refresh tokens of OpenID Connect end too. Open forms \
             are encrypted again, and devices are unknown until they sign in. At the paid gate, payments in progress and what browsers bought are lost. Do this if \
             the key may be in someone else's hands.",
        ),
        ServerKeyKind::IdToken => (
            "ID token",
            "Every ID token that it signed stops being valid, and a new key signs at once. Apps that keep the old key \
             refuse sign-ins until they fetch the new one. Do this if the key may be in someone else's hands.",
        ),
        _ => (
            "signing",
            "Every token that it signed stops working at once, here and in your apps. Sessions continue: browsers \
             fetch new tokens automatically. Do this if the key may be in someone else's hands.",
        ),
    };
    ConfirmedAction {
        method: "DELETE".to_owned(),
        path: format!("{}/{kid}", paths::SERVER_KEYS),
        label: "Revoke".to_owned(),
        spoken: format!("Revoke the {name} key {short}"),
        title: format!("Revoke the {name} key {short}?"),
        about: about.to_owned(),
        no: "Keep key".to_owned(),
        yes: "Revoke key".to_owned(),
        ..ConfirmedAction::default()
    }
}

#[component]
fn Services(now: i64, services: Vec<Service>) -> impl IntoView {
    let none = services.is_empty().then(|| {
        view! {
            <p class="small quiet">
                "No service is registered. Register one on the server: " <code>"postern service add time --key time-server.jwk"</code>
            </p>
        }
    });
    let card = move |service: Service| {
        let Service { name, kid, role, changed_at, .. } = service;
        let short: String = kid.chars().take(11).collect();
        let role = role.map(|role| format!(" \u{b7} only for the role {role}"));
        let action = ConfirmedAction {
            method: "DELETE".to_owned(),
            path: format!("{}/{name}", paths::SERVICES),
            label: "Remove".to_owned(),
            spoken: format!("Remove the service {name}"),
            title: format!("Remove {name}?"),
            about: "No more tickets are issued for it. Open connections continue until their tickets expire."
                .to_owned(),
            no: "Keep".to_owned(),
            yes: "Remove service".to_owned(),
            ..ConfirmedAction::default()
        };
        view! {
            <li class="device">
                <div>
                    <h3 class="device-name">{name}</h3>
                    <p class="small quiet">
                        "key " <code title=kid>{short}</code> ", registered " <When now at=changed_at /> {role}
                    </p>
                </div>
                <Act action />
            </li>
        }
    };
    view! {
        <section class="group">
            <header>
                <div>
                    <h2>"Services"</h2>
                    <p class="small quiet">"Programs that users connect to with tickets from this server."</p>
                </div>
            </header>
            {none}
            <ul class="devices">{services.into_iter().map(card).collect_view()}</ul>
        </section>
    }
}
