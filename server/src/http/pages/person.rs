//! `/dashboard/users/person`: one account's profile, for administrators.

use crate::flows;
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::{DisplayNameField, EmailField, ProfileForm};
use app::islands::{Act, ConfirmedAction, Forms};
use app::text::email;
use app::text::names::first_names;
use app::text::query::query;
use domain::bidi::isolated;
use domain::ids::UserId;
use leptos::prelude::*;
use wire::account::Account;
use wire::paths;

#[derive(Debug, Clone)]
struct PersonView {
    account: Account,
    /// The names of all groups.
    groups: Vec<String>,
    /// It was just changed.
    done: bool,
    factors: HeldFactors,
}

/// The second factors of an account, for an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HeldFactors {
    totp: bool,
    passkeys: u32,
    recovery_codes: u32,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let (id, done) = (UserId::from(request.asked().id.unwrap_or_default()), request.is_done());
    let state = request.state;
    let Some(user) = state.store.user_by_id(&id).await? else { return Ok(None) };
    let profile = state.store.profile(&id).await?.unwrap_or_default();
    let groups = flows::profiles::groups(&*state.store).await?.into_iter().map(|group| group.name).collect();
    let account = flows::users::shown(user, &profile);
    let held = state.store.factors(&id, state.config.relying_party()).await?;
    let factors = HeldFactors { totp: held.totp, passkeys: held.passkeys, recovery_codes: held.recovery_codes };
    let person = PersonView { account, groups, done, factors };
    Ok(Some(Content::new(move |_| show(person))))
}

fn show(person: PersonView) -> impl IntoView {
    let PersonView { account, groups, factors, done } = person;
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
