//! `/dashboard/account/profile`: the person's own display name and e-mail address.

use crate::flows;
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::{DisplayNameField, EmailField, ProfileForm};
use app::islands::{Forms, PasskeySignals};
use app::text::email;
use app::text::names::joined;
use app::view::Site;
use leptos::prelude::*;
use wire::account::Profile;
use wire::paths;

#[derive(Debug, Clone)]
struct ProfileView {
    profile: Profile,
    /// Whether this site mails a link that proves an address.
    mail: bool,
    /// The change that was just made.
    done: Option<ProfileDone>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProfileDone {
    Changed,
    /// A link was mailed.
    Sent,
    /// The address is proved.
    Proved,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let done = match request.asked().done.as_deref() {
        Some("changed") => Some(ProfileDone::Changed),
        Some("sent") => Some(ProfileDone::Sent),
        Some("proved") => Some(ProfileDone::Proved),
        _ => None,
    };
    let PageRequest { state, signed_in, .. } = request;
    let profile = flows::profiles::of_user(&*state.store, &signed_in.claims.sub).await?;
    let view = ProfileView { profile, mail: state.mailer.is_some(), done };
    Ok(Some(Content::new(move |site| show(site, view))))
}

fn show(site: Site, view: ProfileView) -> impl IntoView {
    let ProfileView { profile, mail, done } = view;
    let said = match done {
        Some(ProfileDone::Changed) => "Your profile is changed.",
        Some(ProfileDone::Sent) => "A message is on its way. Open its link in this browser, or enter its code here.",
        Some(ProfileDone::Proved) => "Your e-mail address is proved.",
        None => "Apps behind this site see this.",
    };
    // Each change is told, also if it was changed back.
    let changed = (done == Some(ProfileDone::Changed)).then(|| format!("profile {}", site.now));
    let Profile { display_name, email, groups, .. } = profile;
    let state = email.as_ref().map(|email| email::own_state(&email.state));
    let proof = email.as_ref().filter(|email| mail && email.state == "unproved");
    let proof = proof.map(|email| view! { <AddressProof address=email.address.clone() /> });
    let address = email.map(|email| email.address).unwrap_or_default();
    let groups = if groups.is_empty() { "none".to_owned() } else { joined(&groups) };
    view! {
        <header>
            <h1 tabindex="-1">"Your profile"</h1>
        </header>
        <p id="said" role="status" class="quiet">
            {said}
        </p>
        <section class="panel narrow">
            <ProfileForm action=paths::PROFILE.to_owned() done=format!("{}?done=changed", paths::PROFILE_PAGE)>
                <DisplayNameField value=display_name.unwrap_or_default() own=true />
                <EmailField value=address own=true />
                <p class="small quiet">
                    {state.unwrap_or("A new address is unproved: apps do not see it until it is proved or an administrator vouches for it.")}
                </p>
                <button class="button" type="submit" disabled>
                    "Save profile"
                </button>
            </ProfileForm>
            <p class="small quiet">"Groups, which an administrator decides: " {groups}</p>
            <p class="link-line">
                <a href=paths::ACCOUNT_PAGE>"Back to your account"</a>
            </p>
        </section>
        {proof}
        {changed.map(|stamp| view! { <PasskeySignals stamp /> })}
        <Forms />
    }
}

/// The forms that prove the address: one asks for a message, the other takes its code.
#[component]
fn AddressProof(address: String) -> impl IntoView {
    view! {
        <section class="panel narrow">
            <h2>"Prove your e-mail address"</h2>
            <form
                class="form"
                method="post"
                action=paths::EMAIL_PROOF
                data-method="POST"
                data-done=format!("{}?done=sent", paths::PROFILE_PAGE)
            >
                <p class="small quiet">{format!("We mail a link to {address}. It works once, for a day.")}</p>
                <button class="button plain" type="submit" disabled>
                    "Mail me a link"
                </button>
            </form>
            <form
                class="form"
                method="post"
                action=paths::CONFIRM_EMAIL_PROOF
                data-method="POST"
                data-done=format!("{}?done=proved", paths::PROFILE_PAGE)
            >
                <label for="code">"Code from the message"</label>
                <input id="code" name="code" data-fragment="code" required maxlength="100" autocomplete="off" spellcheck="false" autocapitalize="off" />
                <p class="small quiet">"The link fills it in."</p>
                <button class="button" type="submit" disabled>
                    "Prove this address"
                </button>
            </form>
        </section>
    }
}
