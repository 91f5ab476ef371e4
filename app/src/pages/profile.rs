use crate::components::{DisplayNameField, EmailField, Frame, ProfileForm};
use crate::islands::{Act, ConfirmedAction, Forms, PasskeySignals};
use crate::text::email;
use crate::text::names::{first_names, joined};
use crate::text::query::query;
use crate::view::{HeldFactors, PersonView, ProfileDone, ProfileView, Site};
use domain::bidi::isolated;
use leptos::prelude::*;
use wire::account::Profile;
use wire::paths;

/// `/dashboard/account/profile`: the person's own display name and e-mail address.
pub(crate) fn profile_page(site: Site, profile: ProfileView) -> impl IntoView {
    let ProfileView { viewer, profile, mail, done } = profile;
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
        <Frame site viewer here=paths::ACCOUNT_PAGE>
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
        </Frame>
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

/// `/dashboard/users/person`: one account's profile, for administrators.
pub(crate) fn person_page(site: Site, person: PersonView) -> impl IntoView {
    let PersonView { viewer, account, groups, factors, done } = person;
    let action = format!("{}/{}", paths::USERS, account.id);
    let after = format!("{}?id={}&done=changed", paths::PERSON_PAGE, account.id);
    let lost = view! { <Factors id=account.id.clone() name=account.username.clone() factors /> };
    let said = if done { "The profile is changed." } else { "Apps receive this data." };
    let state = account.email.as_ref().map(|email| email::state(&email.state));
    let address = account.email.map(|email| email.address).unwrap_or_default();
    let hint = if groups.is_empty() {
        "There are no groups yet.".to_owned()
    } else {
        format!("Separate groups with commas. Existing groups: {}.", first_names(&groups))
    };
    view! {
        <Frame site viewer here=paths::USERS_PAGE>
            <header>
                <h1 tabindex="-1"><bdi>{account.username.clone()}</bdi></h1>
            </header>
            <p id="said" role="status" class="quiet">
                {said}
            </p>
            <div class="columns">
                <section class="panel">
                    <h2>"Profile"</h2>
                    <ProfileForm action=action.clone() done=after.clone()>
                        <DisplayNameField value=account.display_name.unwrap_or_default() own=false />
                        <label for="groups">"Groups"</label>
                        <input id="groups" name="groups" value=account.groups.join(", ") maxlength="1200" aria-describedby="groups-hint" autocomplete="off" spellcheck="false" />
                        <p class="small quiet" id="groups-hint">
                            {hint} " " <a href=paths::GROUPS_PAGE>"Groups"</a>
                        </p>
                        <button class="button" type="submit" disabled>
                            "Save profile"
                        </button>
                    </ProfileForm>
                </section>
                <div class="stack">
                    <section class="panel">
                        <h2>"E-mail address"</h2>
                        // A form of its own: saving a group must not vouch for an address that the person wrote.
                        <ProfileForm action done=after>
                            <EmailField value=address own=false />
                            <p class="small quiet">
                                {state} {state.map(|_| " ")} "Apps take an address that you vouch for as this person's."
                            </p>
                            <button class="button" type="submit" disabled>
                                "Vouch for this address"
                            </button>
                        </ProfileForm>
                    </section>
                    {lost}
                </div>
            </div>
            <p class="link-line">
                <a href=paths::USERS_PAGE>"Back to users"</a>
            </p>
            <Forms />
        </Frame>
    }
}

/// The person's second factors, and their removal after the loss of all of them.
#[component]
fn Factors(id: String, name: String, factors: HeldFactors) -> impl IntoView {
    let HeldFactors { totp, passkeys, recovery_codes } = factors;
    let held = totp || passkeys > 0;
    let count = |count: u32, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let facts: Vec<_> = [
        totp.then(|| "one-time codes".to_owned()),
        count(passkeys, "passkey", "passkeys"),
        count(recovery_codes, "recovery code", "recovery codes"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let remove = ConfirmedAction {
        method: "DELETE".to_owned(),
        path: format!("{}/{id}/second-factors", paths::USERS),
        label: "Remove all factors".to_owned(),
        title: format!("Remove all factors of {}?", isolated(&name)),
        about: "Passkeys, one-time codes, recovery codes and remembered browsers are removed, and the password alone signs in. \
                Do this only if you are sure that the person asks who the account belongs to: a message alone may come from a \
                thief. The owner sees it."
            .to_owned(),
        no: "Keep factors".to_owned(),
        yes: "Remove all factors".to_owned(),
        ..ConfirmedAction::default()
    };
    let audit = format!("{}?{}", paths::AUDIT_PAGE, query(&[("user", &name)]));
    view! {
        <section class="panel">
            <h2>"Second factor"</h2>
            {if held {
                view! {
                    <p>"Has " {facts.join(", ")} "."</p>
                    <p class="small quiet">
                        "A person who has lost all of them cannot sign in. Look at " <a href=audit>"their events"</a>
                        " first: wrong codes after the right password mean that somebody else knows the password."
                    </p>
                    <Act action=remove />
                }
                    .into_any()
            } else {
                view! { <p class="quiet">"None: the password alone signs in."</p> }.into_any()
            }}
        </section>
    }
}
