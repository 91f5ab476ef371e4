//! `/dashboard/account`: the person's own password and account.

use crate::flows;
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::{PasskeyList, SecondFactor, Tied, When};
use app::islands::{Act, ConfirmedAction, PasswordForm};
use app::text::email;
use app::text::names::joined;
use app::text::query::escaped;
use app::view::{Site, Viewer};
use domain::bidi::isolated;
use leptos::prelude::*;
use wire::account::Profile;
use wire::oauth::Consent;
use wire::passkeys::Passkeys;
use wire::paths;
use wire::second_factor::SecondFactors;

#[derive(Debug, Clone)]
struct AccountView {
    viewer: Viewer,
    profile: Profile,
    /// Apps with access to the person's data.
    consents: Vec<Consent>,
    passkeys: Passkeys,
    /// The person's second factors.
    factors: SecondFactors,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let PageRequest { state, signed_in, viewer, .. } = request;
    let claims = &signed_in.claims;
    let passkeys = flows::passkeys::list(state, &claims.sub).await?;
    let factors = flows::factors::list(state, signed_in).await?;
    let profile = flows::profiles::of_user(&*state.store, &claims.sub).await?;
    let consents = flows::oauth_consents::list(state, &claims.sub).await?;
    let account = AccountView { viewer, profile, consents, passkeys, factors };
    let password_min = state.config.settings.password.min;
    Ok(Some(Content::new(move |site| show(site, account)).with_private_bundle().with_password_min(password_min)))
}

fn show(site: Site, account: AccountView) -> impl IntoView {
    let (now, insecure) = (site.now, site.insecure);
    let AccountView { viewer, profile, consents, passkeys, factors } = account;
    view! {
        <header>
            <h1>"Account"</h1>
        </header>
        <p id="said" role="status" class="quiet"></p>
        <div class="columns">
            <div class="stack">
                <Person viewer profile insecure />
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
                <SecondFactor factors now />
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
    }
}

#[component]
fn Person(viewer: Viewer, profile: Profile, insecure: bool) -> impl IntoView {
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
                <ProfileFacts profile />
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
fn Apps(consents: Vec<Consent>, now: i64) -> impl IntoView {
    if consents.is_empty() {
        return ().into_any();
    }
    let card = move |consent: Consent| {
        let Consent { client, name, allows, agreed, given_at, .. } = consent;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page_test::{NOW, rendered, viewer};
    use app::dashboard::DashboardPage;

    #[test]
    fn the_consent_for_a_client_that_is_an_address_can_be_withdrawn() {
        let consent = Consent {
            client: "https://agent.example/a?b".to_owned(),
            name: "<i>Agent".to_owned(),
            scope: "openid".to_owned(),
            allows: vec!["know your name".to_owned()],
            agreed: true,
            given_at: NOW,
        };
        let profile = Profile { username: "<i>ada".to_owned(), display_name: None, email: None, groups: Vec::new() };
        let account = AccountView {
            viewer: viewer(),
            profile,
            consents: vec![consent],
            passkeys: Passkeys::default(),
            factors: SecondFactors::default(),
        };
        let content = Content::new(move |site| show(site, account)).with_private_bundle().with_password_min(15);
        let html = rendered(DashboardPage::Account, content);
        assert!(html.contains(r#"data-password-min="15""#), "{html}");
        assert!(html.contains("/api/consents/https%3A%2F%2Fagent.example%2Fa%3Fb"), "{html}");
    }
}
