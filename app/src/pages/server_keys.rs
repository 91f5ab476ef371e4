use crate::islands::{Act, Action};
use crate::parts::{Ends, Frame, Here, When};
use crate::view::{ServerKeysView, Site};
use leptos::prelude::*;
use wire::paths;
use wire::server_keys::{Kind, ServerKey, State};
use wire::services::Service;

/// `/dashboard/server-keys`, for administrators.
#[component]
pub fn ServerKeysPage(site: Site, keys: ServerKeysView) -> impl IntoView {
    let now = site.now;
    let ServerKeysView { viewer, keys, services } = keys;
    let of = |kind| keys.iter().filter(|key| key.kind == kind).cloned().collect::<Vec<_>>();
    let (envelope, signing, macs) = (of(Kind::Envelope), of(Kind::Signing), of(Kind::Mac));
    view! {
        <Frame site viewer here=Here::ServerKeys>
            <header>
                <h1 tabindex="-1">"Server keys"</h1>
            </header>
            <p id="said" role="status" class="quiet">
                "What this server seals and signs with. Private halves never leave it."
            </p>
            <Group
                now
                keys=envelope
                title="Envelope key"
                about="Browsers seal passwords to it."
                action=rotation(
                    "envelope",
                    "Forms that were sealed to the old key are still taken for a few minutes; after that browsers \
                     seal again by themselves.",
                )
            />
            <Group
                now
                keys=signing
                title="Signing key"
                about="It signs the tokens that your apps check."
                action=rotation(
                    "signing",
                    "The new key is published first and signs once every app has had time to fetch it. Tokens of the \
                     old key stay good until they run out.",
                )
            />
            <Group
                now
                keys=macs
                title="MAC key"
                about="It marks what this server hands out and takes back: cookies of devices and apps, forms, nonces."
                action=rotation(
                    "MAC",
                    "The new key is in use in five minutes. What the old one marked stays good for as long as a \
                     session may live: nobody notices.",
                )
            />
            <Services now services />
        </Frame>
    }
}

fn rotation(kind: &str, about: &str) -> Action {
    Action {
        method: "POST".to_owned(),
        path: paths::ROTATE_SERVER_KEY.to_owned(),
        body: format!(r#"{{"kind":"{}"}}"#, kind.to_lowercase()),
        label: "Rotate".to_owned(),
        spoken: format!("Rotate the {kind} key"),
        title: format!("Rotate the {kind} key?"),
        about: about.to_owned(),
        no: "Keep this one".to_owned(),
        yes: "Rotate it".to_owned(),
    }
}

#[component]
fn Group(now: i64, keys: Vec<ServerKey>, title: &'static str, about: &'static str, action: Action) -> impl IntoView {
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
        State::Current => Some("in use"),
        State::Next => Some("next"),
        State::Overlap | State::Ended | State::Revoked => None,
    };
    let fate = match (state, ends_at, revoked_at) {
        (State::Next, ..) => view! { " \u{b7} taken into use " <When now at=used_from /> }.into_any(),
        (State::Overlap, Some(at), _) => view! { " \u{b7} replaced, " <Ends now at /> }.into_any(),
        (State::Ended, Some(at), _) => view! { " \u{b7} over since " <When now at /> }.into_any(),
        (State::Revoked, _, Some(at)) => view! { " \u{b7} revoked " <When now at /> }.into_any(),
        _ => ().into_any(),
    };
    let serves = matches!(state, State::Current | State::Next | State::Overlap);
    let revoke = (serves && kind != Kind::Envelope).then(|| view! { <Act action=revocation(kind, &kid) /> });
    let short: String = kid.chars().take(11).collect();
    view! {
        <li class="device">
            <div>
                <h3 class="device-name">
                    <code title=kid.clone()>{short}</code>
                    {badge.map(|text| view! { <span class="badge">{text}</span> })}
                </h3>
                <p class="small quiet">{alg} " \u{b7} made " <When now at=created_at /> {fate}</p>
            </div>
            {revoke}
        </li>
    }
}

fn revocation(kind: Kind, kid: &str) -> Action {
    let short: String = kid.chars().take(11).collect();
    let (name, about) = match kind {
        Kind::Mac => (
            "MAC",
            "What it marked is worth nothing at once, and a new key is in use. Sessions go on. Apps lead people through \
             the portal and back once, forms that are open are sealed again, and devices are unknown until they sign \
             in. At the paid gate, payments under way and what browsers bought are lost. Do this if the key \
             may be in somebody else's hands.",
        ),
        _ => (
            "signing",
            "Every token that it signed stops working at once, here and in your apps. Sessions go on: browsers fetch \
             new tokens by themselves. Do this if the key may be in somebody else's hands.",
        ),
    };
    Action {
        method: "DELETE".to_owned(),
        path: format!("{}/{kid}", paths::SERVER_KEYS),
        label: "Revoke".to_owned(),
        spoken: format!("Revoke the {name} key {short}"),
        title: format!("Revoke the {name} key {short}?"),
        about: about.to_owned(),
        no: "Keep it".to_owned(),
        yes: "Revoke it".to_owned(),
        ..Action::default()
    }
}

#[component]
fn Services(now: i64, services: Vec<Service>) -> impl IntoView {
    let none = services.is_empty().then(|| {
        view! {
            <p class="small quiet">
                "None yet. Register one on the server: " <code>"postern service add time --key time-server.jwk"</code>
            </p>
        }
    });
    let card = move |service: Service| {
        let Service { name, kid, role, changed_at, .. } = service;
        let short: String = kid.chars().take(11).collect();
        let role = role.map(|role| format!(" \u{b7} only for the role {role}"));
        let action = Action {
            method: "DELETE".to_owned(),
            path: format!("{}/{name}", paths::SERVICES),
            label: "Remove".to_owned(),
            spoken: format!("Remove the service {name}"),
            title: format!("Remove {name}?"),
            about: "Nobody gets a ticket for it any more. Connections that run go on until their tickets end."
                .to_owned(),
            no: "Keep it".to_owned(),
            yes: "Remove it".to_owned(),
            ..Action::default()
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
                    <p class="small quiet">"Programs that signed-in people talk to with tickets of this server."</p>
                </div>
            </header>
            {none}
            <ul class="devices">{services.into_iter().map(card).collect_view()}</ul>
        </section>
    }
}
