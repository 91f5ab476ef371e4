use crate::components::{Mark, Stuck};
use crate::islands::{ProveAgain, SignOut};
use crate::view::{Site, Viewer};
use leptos::prelude::*;
use wire::paths;

/// A page of the navigation: its path and its name.
type Entry = (&'static str, &'static str);

const PAGES: &[Entry] = &[
    (paths::DASHBOARD_PAGE, "Overview"),
    (paths::DEVICES_PAGE, "Devices"),
    (paths::KEYS_PAGE, "Keys"),
    (paths::TIME_PAGE, "Time"),
    (paths::ACTIVITY_PAGE, "Activity"),
    (paths::ACCOUNT_PAGE, "Account"),
];

const OF_ADMINISTRATORS: &[Entry] = &[
    (paths::USERS_PAGE, "Users"),
    (paths::GROUPS_PAGE, "Groups"),
    (paths::CLIENTS_PAGE, "Clients"),
    (paths::INVITATIONS_PAGE, "Invitations"),
    (paths::BANS_PAGE, "Bans"),
    (paths::TOLL_PAGE, "Toll"),
    (paths::SERVER_KEYS_PAGE, "Server keys"),
    (paths::AUDIT_PAGE, "Audit"),
    (paths::HELP_PAGE, "Help"),
];

/// The frame of every dashboard page.
#[component]
pub fn Frame(
    site: Site,
    viewer: Viewer,
    /// The page of the navigation that this is, or belongs to.
    here: &'static str,
    /// A value for the page's forms.
    #[prop(optional, into)]
    password_min: Option<String>,
    children: Children,
) -> impl IntoView {
    let entry = move |&(path, name): &Entry| {
        let current = (path == here).then_some("page");
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
                    {OF_ADMINISTRATORS.iter().filter(|(path, _)| *path != paths::TOLL_PAGE || viewer.toll).map(entry).collect_view()}
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
                    <p>"Signed in as " <b><bdi>{viewer.username.clone()}</bdi></b></p>
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
                <span class="name" dir="auto">{viewer.username.clone()}</span>
                <SignOut />
            </div>
        </header>
        <main id="content" class="page" data-password-min=password_min data-account=viewer.account data-username=viewer.username>
            <OtherAccount />
            <noscript>
                <p class="why">
                    "JavaScript is switched off, so the buttons that change something do not work. Everything can be read. \
                     Switch it on for this site, then reload this page."
                </p>
            </noscript>
            {children()}
        </main>
        <ProveAgain />
        <Stuck class="stuck page" loss="its buttons do nothing" />
    }
}

/// Says that another account has signed in in another tab. The browser's code fills it in and shows it.
#[component]
fn OtherAccount() -> impl IntoView {
    view! {
        <p id="other-account" class="why" role="alert" hidden>
            <span></span>
            " "
            <a href="">"Reload this page"</a>
        </p>
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
