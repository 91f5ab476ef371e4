//! `/dashboard/users`, for administrators.

use crate::flows::{self, paging};
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::{More, When};
use app::islands::AccountActions;
use app::text::email;
use app::text::names::joined;
use app::view::Site;
use domain::bidi::isolated;
use leptos::prelude::*;
use wire::account::Account;
use wire::paths;

#[derive(Debug, Clone)]
struct UsersView {
    /// The viewer's own id.
    me: String,
    users: Vec<Account>,
    /// Whether this site mails links.
    mail: bool,
    /// The search text as typed.
    word: String,
    /// Number of accounts found, on all pages. `None`: a search found more than one page.
    count: Option<u64>,
    /// The entry after which the next page begins.
    next: Option<String>,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let (word, after) = (request.asked().word.unwrap_or_default(), request.after());
    let PageRequest { state, administrator, .. } = request;
    let Some(administrator) = administrator else { return Ok(None) };
    let (users, count, next) = if word.trim().is_empty() {
        let (users, next) = flows::users::page(&*state.store, &after, paging::ENTRIES).await?;
        (users, Some(state.accounts.count(&*state.store, state.now()).await?), next)
    } else {
        let (users, next) = flows::users::search(&*state.store, &word, &after, paging::ENTRIES).await?;
        // Counting the matches on other pages would read every account.
        let is_whole = after.is_empty() && next.is_none();
        let count = is_whole.then_some(u64::try_from(users.len()).unwrap_or(u64::MAX));
        (users, count, next)
    };
    let (me, mail) = (administrator.user.id.into(), state.mailer.is_some());
    let view = UsersView { me, users, mail, word, count, next };
    Ok(Some(Content::new(move |site| show(site, view))))
}

fn show(site: Site, view: UsersView) -> impl IntoView {
    let now = site.now;
    let UsersView { me, users, mail, word, count, next } = view;
    let heading = match (count, word.is_empty()) {
        (None, _) => "More accounts match than one page shows.".to_owned(),
        (Some(0), _) => {
            "No account has a name like that. Search for a part of a name, an address or a group.".to_owned()
        }
        (Some(1), true) => "1 account".to_owned(),
        (Some(1), false) => "1 account matches.".to_owned(),
        (Some(count), true) => format!("{count} accounts"),
        (Some(count), false) => format!("{count} accounts match."),
    };
    let all = (!word.is_empty())
        .then(|| view! { <p class="link-line"><a href=paths::USERS_PAGE>"Show all accounts"</a></p> });
    let given = vec![("word", word.clone())];
    let row = move |account: Account| {
        let mine = account.id == me;
        view! { <Row account mine mail now /> }
    };
    view! {
        <header>
            <h1 tabindex="-1">"Users"</h1>
            <a class="button" href=paths::INVITATIONS_PAGE>
                "Invite a user"
            </a>
        </header>
        <form class="form row-form search" method="get" action=paths::USERS_PAGE role="search">
            <div>
                <label for="word">"Name, address or group"</label>
                <input id="word" name="word" value=word maxlength="100" autocomplete="off" spellcheck="false" />
            </div>
            <button class="button plain" type="submit">
                "Search"
            </button>
        </form>
        <p id="said" role="status" class="quiet">
            {heading}
        </p>
        {all}
        <ul class="devices">{users.into_iter().map(row).collect_view()}</ul>
        <More path=paths::USERS_PAGE next given label="More accounts" />
    }
}

#[component]
fn Row(account: Account, mine: bool, mail: bool, now: i64) -> impl IntoView {
    let Account { id, username, role, disabled, created_at, signed_in_at, display_name, email, groups } = account;
    let administrator = role == "administrator";
    let badge = |text: &'static str| view! { <span class="badge">{text}</span> };
    let mail = mail && !disabled && email.as_ref().is_some_and(|email| email.state != "unproved");
    let facts: Vec<_> = display_name
        .map(|name| isolated(&name))
        .into_iter()
        .chain(email.map(|email| format!("{} ({})", email.address, email::name(&email.state))))
        .chain((!groups.is_empty()).then(|| joined(&groups)))
        .collect();
    let facts = (!facts.is_empty()).then(|| view! { <p class="small">{facts.join(" \u{b7} ")}</p> });
    let profile = format!("{}?id={id}", paths::PERSON_PAGE);
    let profile_label = format!("Profile of {}", isolated(&username));
    // A person's own account is changed on their account page.
    let label = format!("Manage {}", isolated(&username));
    let actions = (!mine).then(|| {
        view! {
            <details class="act">
                <summary class="button plain" aria-label=label>
                    "Manage"
                </summary>
                <AccountActions id name=username.clone() administrator disabled mail />
            </details>
        }
    });
    view! {
        <li class="device">
            <div>
                <h2 class="device-name">
                    <bdi>{username.clone()}</bdi> " " {mine.then(|| badge("you"))} {administrator.then(|| badge("administrator"))}
                    {disabled.then(|| badge("disabled"))}
                </h2>
                {facts}
                <p class="small quiet">
                    <a href=profile aria-label=profile_label>"Profile"</a>
                    " \u{b7} joined " <When now at=created_at />
                    {match signed_in_at {
                        Some(at) => view! { " \u{b7} signed in " <When now at /> }.into_any(),
                        None => " \u{b7} never signed in".into_any(),
                    }}
                </p>
            </div>
            {actions}
        </li>
    }
}
