use crate::components::{Mark, Stuck};
use crate::islands::{ProveAgain, SignOut};
use crate::view::{Site, Viewer};
use leptos::prelude::*;
use wire::paths;

/// The pages of the dashboard, for the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Here {
    Overview,
    Devices,
    Keys,
    Time,
    Activity,
    Account,
    Users,
    Groups,
    Clients,
    Invitations,
    Bans,
    Toll,
    ServerKeys,
    Audit,
    Help,
}

type Entry = (Here, &'static str, &'static str);

const PAGES: &[Entry] = &[
    (Here::Overview, paths::DASHBOARD_PAGE, "Overview"),
    (Here::Devices, paths::DEVICES_PAGE, "Devices"),
    (Here::Keys, paths::KEYS_PAGE, "Keys"),
    (Here::Time, paths::TIME_PAGE, "Time"),
    (Here::Activity, paths::ACTIVITY_PAGE, "Activity"),
    (Here::Account, paths::ACCOUNT_PAGE, "Account"),
];

const OF_ADMINISTRATORS: &[Entry] = &[
    (Here::Users, paths::USERS_PAGE, "Users"),
    (Here::Groups, paths::GROUPS_PAGE, "Groups"),
    (Here::Clients, paths::CLIENTS_PAGE, "Clients"),
    (Here::Invitations, paths::INVITATIONS_PAGE, "Invitations"),
    (Here::Bans, paths::BANS_PAGE, "Bans"),
    (Here::Toll, paths::TOLL_PAGE, "Toll"),
    (Here::ServerKeys, paths::SERVER_KEYS_PAGE, "Server keys"),
    (Here::Audit, paths::AUDIT_PAGE, "Audit"),
    (Here::Help, paths::HELP_PAGE, "Help"),
];

/// The frame of every dashboard page.
#[component]
pub fn Frame(
    site: Site,
    viewer: Viewer,
    here: Here,
    /// A value for the page's forms.
    #[prop(optional, into)]
    password_min: Option<String>,
    children: Children,
) -> impl IntoView {
    let entry = move |&(page, path, name): &Entry| {
        let current = (page == here).then_some("page");
        view! {
            <li>
                <a href=path aria-current=current>
                    {name}
                </a>
            </li>
        }
    };
    let more = viewer.administrator.then(|| {
        view! {
            <nav class="more" aria-labelledby="administration">
                <p id="administration">"Administration"</p>
                <ul>
                    {OF_ADMINISTRATORS.iter().filter(|(page, ..)| *page != Here::Toll || viewer.toll).map(entry).collect_view()}
                </ul>
            </nav>
        }
    });
    view! {
        <a class="skip" href="#content">"Skip to the content"</a>
        <header class="top">
            <MenuButton />
            <a class="home" href=paths::DASHBOARD_PAGE>
                <Mark />
                <span>{site.name}</span>
            </a>
            <div class="menu" id=MENU popover="auto">
                <div class="menu-head">
                    <p>"Signed in as " <b>{viewer.username.clone()}</b></p>
                    <button class="button plain" type="button" popovertarget=MENU popovertargetaction="hide">
                        "Close"
                    </button>
                </div>
                <nav aria-label="Pages">
                    <ul>{PAGES.iter().map(entry).collect_view()}</ul>
                </nav>
                {more}
            </div>
            <div class="who">
                <span class="name">{viewer.username}</span>
                <SignOut />
            </div>
        </header>
        <main id="content" class="page" data-password-min=password_min>
            {children()}
        </main>
        <ProveAgain />
        <Stuck class="stuck page" loss="its buttons do nothing" />
    }
}

/// The id of the menu.
const MENU: &str = "menu";

/// Opens the menu on a narrow screen. A popover needs no script, and a browser that knows none shows the menu
/// all the time.
#[component]
fn MenuButton() -> impl IntoView {
    view! {
        <button class="menu-button" type="button" popovertarget=MENU>
            <svg viewBox="0 0 20 20" aria-hidden="true">
                <path d="M2 5h16M2 10h16M2 15h16"></path>
            </svg>
            "Menu"
        </button>
    }
}
