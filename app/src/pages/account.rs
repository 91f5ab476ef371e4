use crate::components::{Frame, PasskeyList, SecondFactor, Tied, When};
use crate::islands::{Act, ConfirmedAction, DeletionForm, PasswordForm};
use crate::text::email;
use crate::text::names::joined;
use crate::text::query::escaped;
use crate::view::{AccountView, DeleteView, Site, Viewer};
use domain::bidi::isolated;
use leptos::prelude::*;
use wire::account::Profile;
use wire::paths;

/// `/dashboard/account`: the person's own password and account.
pub(crate) fn account_page(site: Site, account: AccountView) -> impl IntoView {
    let (min, insecure) = (account.password_min.to_string(), site.insecure);
    let (person, now, consents) = (account.viewer.clone(), site.now, account.consents);
    let (passkeys, profile) = (account.passkeys, account.profile.clone());
    let (factors, site_now) = (account.factors, site.now);
    view! {
        <Frame site viewer=account.viewer here=paths::ACCOUNT_PAGE password_min=min>
            <header>
                <h1>"Account"</h1>
            </header>
            <p id="said" role="status" class="quiet"></p>
            <div class="columns">
                <div class="stack">
                    <Person viewer=person profile insecure />
                    <section class="panel">
                        <h2>"Change password"</h2>
                        <p class="small quiet">"Your other sessions end when you change it."</p>
                        <p id="changed" role="status"></p>
                        <PasswordForm />
                    </section>
                    <Apps consents now />
                </div>
                <div class="stack">
                    <PasskeyList now passkeys />
                    <SecondFactor factors now=site_now />
                    <section class="panel">
                        <h2>"Delete account"</h2>
                        <p>"Deletes your account, your sessions and your name. This cannot be undone."</p>
                        <p>
                            <a class="button danger" href=paths::DELETE_PAGE>
                                "Delete account"
                            </a>
                        </p>
                    </section>
                </div>
            </div>
        </Frame>
    }
}

#[component]
fn Person(viewer: Viewer, profile: Option<Profile>, insecure: bool) -> impl IntoView {
    let role = if viewer.administrator { "Administrator" } else { "User" };
    view! {
        <section class="panel">
            <h2>"Profile"</h2>
            <dl class="facts">
                <div>
                    <dt>"Name"</dt>
                    <dd><bdi>{viewer.username.clone()}</bdi></dd>
                </div>
                <div>
                    <dt>"Role"</dt>
                    <dd>{role}</dd>
                </div>
                {profile.map(|profile| view! { <ProfileFacts profile /> })}
            </dl>
            <p class="link-line">
                <a href=paths::PROFILE_PAGE>"Change display name or e-mail address"</a>
            </p>
            <Tied viewer insecure />
            <p class="link-line">
                <a href=paths::DEVICES_PAGE>"Devices"</a> " \u{b7} " <a href=paths::KEYS_PAGE>"Keys"</a> " \u{b7} "
                <a href=paths::ACTIVITY_PAGE>"Activity"</a>
            </p>
        </section>
    }
}

#[component]
fn ProfileFacts(profile: Profile) -> impl IntoView {
    let Profile { display_name, email, groups, .. } = profile;
    let fact = |name: &'static str, value: Option<String>| {
        view! {
            <div>
                <dt>{name}</dt>
                <dd><bdi>{value.unwrap_or_else(|| "none".to_owned())}</bdi></dd>
            </div>
        }
    };
    let email = email.map(|email| format!("{} ({})", email.address, email::name(&email.state)));
    view! {
        {fact("Display name", display_name)}
        {fact("E-mail", email)}
        {fact("Groups", (!groups.is_empty()).then(|| joined(&groups)))}
    }
}

/// The apps with access to the person's data.
#[component]
fn Apps(consents: Vec<wire::oauth::Consent>, now: i64) -> impl IntoView {
    if consents.is_empty() {
        return ().into_any();
    }
    let card = move |consent: wire::oauth::Consent| {
        let wire::oauth::Consent { client, name, allows, agreed, given_at, .. } = consent;
        let shown = isolated(&name);
        // Such an app chose its name itself.
        let document = client.starts_with("https://").then(|| format!("Described at {client}"));
        let (since, after) = if agreed {
            ("Agreed ", "It asks again the next time that you sign in there.")
        } else {
            ("Connected ", "Signing in there connects it again.")
        };
        let action = ConfirmedAction {
            method: "DELETE".to_owned(),
            path: format!("{}/{}", paths::CONSENTS, escaped(&client)),
            label: "Revoke".to_owned(),
            spoken: format!("Revoke the access of {shown}"),
            title: format!("Revoke the access of {shown}?"),
            about: ["The app can no longer read your data here. ", after].concat(),
            no: "Keep".to_owned(),
            yes: "Revoke access".to_owned(),
            ..ConfirmedAction::default()
        };
        view! {
            <li class="device">
                <div>
                    <h3 class="device-name"><bdi>{name}</bdi></h3>
                    {document.map(|document| view! { <p class="small quiet">{document}</p> })}
                    <p class="small quiet">"May " {allows.join("; ")} "."</p>
                    <p class="small quiet">{since} <When now at=given_at /></p>
                </div>
                <Act action />
            </li>
        }
    };
    view! {
        <section class="panel">
            <h2>"Apps with access"</h2>
            <ul class="devices">{consents.into_iter().map(card).collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// `/dashboard/account/delete`.
pub(crate) fn delete_page(site: Site, deletion: DeleteView) -> impl IntoView {
    view! {
        <Frame site viewer=deletion.viewer here=paths::ACCOUNT_PAGE>
            <header>
                <h1>"Delete your account"</h1>
            </header>
            <section class="panel narrow destructive">
                <p>
                    "This signs you out everywhere and deletes your account and your name. The audit log keeps the times \
                     of past events, under an id without a name. This cannot be undone."
                </p>
                <DeletionForm />
                <p class="link-line">
                    <a href=paths::ACCOUNT_PAGE>"Keep my account"</a>
                </p>
            </section>
        </Frame>
    }
}
