use crate::components::{Frame, Tied, When};
use crate::islands::{Act, AddPasskey, ConfirmedAction, DeletionForm, PasskeyActions, PasswordForm, SecondFactorForm};
use crate::text::names::joined;
use crate::text::query::escaped;
use crate::text::{ago, email};
use crate::view::{AccountView, DeleteView, Site, Viewer};
use domain::bidi::isolated;
use leptos::prelude::*;
use wire::account::Profile;
use wire::passkeys::{Passkey, Passkeys};
use wire::paths;
use wire::second_factor::SecondFactors;

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

/// The person's passkeys.
#[component]
pub fn PasskeyList(now: i64, passkeys: Passkeys) -> impl IntoView {
    let Passkeys { passkeys, rp_id, .. } = passkeys;
    let host = rp_id.unwrap_or_default();
    let (here, last) = (host.clone(), passkeys.len() == 1);
    let card = move |passkey: Passkey| {
        let elsewhere = (passkey.host != here).then(|| {
            view! { <p class="small warning-line">"Works at " {passkey.host.clone()} " only, and not at this address."</p> }
        });
        let used = match passkey.used_at {
            Some(at) => ["Last used ", &ago::ago(now, at)].concat(),
            None => "Not used yet".to_owned(),
        };
        let kept = if passkey.synced { "on all your devices that share it" } else { "on one device" };
        let about = match &passkey.provider {
            Some(provider) => [provider, ", ", kept].concat(),
            None => ["Kept ", kept].concat(),
        };
        view! {
            <li class="passkey">
                <div>
                    <h3><bdi>{passkey.label.clone()}</bdi></h3>
                    <p class="small quiet">{about} " \u{b7} " {used}</p>
                    {elsewhere}
                </div>
                <PasskeyActions id=passkey.id label=passkey.label last />
            </li>
        }
    };
    let none = passkeys.is_empty().then(|| {
        view! { <p class="quiet">"You have no passkeys yet."</p> }
    });
    let add = if host.is_empty() {
        view! { <p class="quiet">"Passkeys need a host name in the address of this site."</p> }.into_any()
    } else {
        view! {
            <noscript>
                <p>"Adding a passkey needs JavaScript."</p>
            </noscript>
            <AddPasskey />
        }
        .into_any()
    };
    view! {
        <section class="panel" id="passkeys">
            <h2>"Passkeys"</h2>
            <p class="small quiet">
                "A passkey signs you in with your device's screen lock or a security key instead of your password. It works \
                 at this site only, so no other site can trick you into giving it away."
            </p>
            {none}
            <ul class="passkeys">{passkeys.into_iter().map(card).collect_view()}</ul>
            <p id="passkeys-said" role="status"></p>
            {add}
        </section>
    }
}

/// Number of recovery codes at which the page asks for new ones.
const FEW_CODES: u32 = 2;

/// Shows and changes the person's second factors.
#[component]
pub fn SecondFactor(factors: SecondFactors, now: i64) -> impl IntoView {
    let (enrolled, guarded, keys) = (factors.totp.is_some(), factors.passkey_after_password, factors.passkeys > 0);
    let some_left = keys && factors.recovery_codes > 0;
    let few = factors.recovery_codes <= FEW_CODES;
    let left = match factors.recovery_codes {
        0 => "No recovery code is left. Make new ones, so that you can sign in without your device.".to_owned(),
        1 => "Only 1 recovery code is left. Make new ones before it is used.".to_owned(),
        left @ 2..=FEW_CODES => format!("Only {left} recovery codes are left. Make new ones before they are used."),
        left => format!("{left} recovery codes are left."),
    };
    let remove = ConfirmedAction {
        method: "DELETE".to_owned(),
        path: paths::TOTP.to_owned(),
        label: "Turn off".to_owned(),
        spoken: "Turn off one-time codes".to_owned(),
        title: "Turn off one-time codes?".to_owned(),
        about: if guarded {
            "Signing in with your password will need a passkey.".to_owned()
        } else if keys {
            "Your passkeys and your recovery codes stay.".to_owned()
        } else {
            "Your password alone will sign you in, and your recovery codes become void.".to_owned()
        },
        no: "Keep them".to_owned(),
        yes: "Turn off".to_owned(),
        ..ConfirmedAction::default()
    };
    view! {
        <section class="panel">
            <h2>"Second factor"</h2>
            {match factors.totp {
                Some(totp) => {
                    view! {
                        <p>"Signing in needs your password and a one-time code of your authenticator app."</p>
                        <p class="small quiet">
                            "Set up " <When now at=totp.created_at />
                            {totp.used_at.map(|at| view! { " \u{b7} last used " <When now at /> })}
                        </p>
                    }
                        .into_any()
                }
                None if guarded => ().into_any(),
                None => {
                    view! {
                        <p class="small quiet">
                            "With one-time codes of an authenticator app, a stolen password alone signs nobody in. This also \
                             works without https, and with any app for codes of six digits."
                        </p>
                    }
                        .into_any()
                }
            }}
            {guarded
                .then(|| {
                    let also = if enrolled { "One of your passkeys serves instead of the code." } else { "Signing in with your password needs one of your passkeys too." };
                    view! { <p>{also}</p> }
                })}
            {(enrolled || guarded || some_left)
                .then(|| {
                    let class = if few { "why" } else { "small quiet" };
                    view! { <p class=class>{left}</p> }
                })}
            <noscript>
                <p>"Setting up a second factor needs JavaScript."</p>
            </noscript>
            <p id="factors-said" role="status"></p>
            <SecondFactorForm enrolled guarded keys />
            {enrolled.then(|| view! { <Act action=remove /> })}
        </section>
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
